"""Settings: settings.yml, then the environment (NJR_…, nested by __). A key that is not known is refused."""

from __future__ import annotations

import os
from datetime import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from actions.core.errors import ConfigurationError
from actions.core.yamlfile import YamlFile

#: The checkout: data/ and migrations/ are read from here, var/ is written here.
ROOT = Path(__file__).resolve().parent.parent

_PREFIX = "NJR_"


class Part(BaseModel):
    """A section of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(Part):
    """Where the HTTP server listens. `public_url` is how members reach it (https behind a proxy)."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    public_url: str = ""


class DatabaseSettings(Part):
    """An SQLAlchemy URL; empty is the embedded default, SQLite in var/."""

    url: str = ""


class VaultSettings(Part):
    """Keys of the sealed fields, `id:base64url[,…]`, oldest first; empty makes one in var/ on the embedded default."""

    keys: SecretStr = SecretStr("")


class DialogueSettings(Part):
    """How long a form may lie idle, and how sure the NLU must be."""

    idle_minutes: int = Field(30, gt=0)
    draft_days: int = Field(7, gt=0)
    open_confidence: float = Field(0.45, gt=0, le=1)
    clarify_margin: float = Field(0.12, ge=0, le=1)


class MailSettings(Part):
    """The SMTP server that carries one-time codes."""

    host: str = ""
    port: int = 587
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: str = ""
    tls: Literal["starttls", "tls", "none"] = "starttls"


class SafetySettings(Part):
    """Who helps in a crisis. Numbers of the campus are 示例 until set."""

    hotline: str = "12356"
    campus_line: str = "0516-0000-0000（示例）"
    acknowledge_minutes: int = Field(10, gt=0)
    opens: str = "08:00"
    closes: str = "21:00"
    check_back: str = "09:30"


class UnionSettings(Part):
    """How members reach people."""

    name: str = "校工会"
    phone: str = "0516-0000-0001（示例）"
    office: str = "工会办公室（示例）"


class HandoverSettings(Part):
    """When people answer in the chat (clock times of a working day), and how long one waits for them."""

    opens: str = "08:30"
    closes: str = "17:30"
    timeout_minutes: int = Field(20, gt=0)
    answer_minutes: int = Field(10, gt=0)
    keep_days: int = Field(7, gt=0)


class KnowledgeSettings(Part):
    """Questions without an answer: kept for officers (also those that nobody could place) for so many days."""

    keep_unplaced: bool = True
    keep_days: int = Field(180, gt=0)


class PrivacySettings(Part):
    """How long the sealed text of turns and sent notices is kept, for repeated deliveries and the page's history."""

    text_hours: int = Field(24, gt=0)


class ChannelLimits(Part):
    """How often a platform lets us speak; 0 is no limit of ours. `calls`: how many at a time."""

    per_second: int = Field(0, ge=0)
    private_per_second: int = Field(0, ge=0)
    group_per_minute: int = Field(0, ge=0)
    calls: int = Field(16, gt=0, le=200)


class DeliverySettings(Part):
    """When news are not said (clock times), how much of it a member gets (0: no cap), and the platforms' limits."""

    quiet_from: time = time(22)
    quiet_until: time = time(7, 30)
    news_per_day: int = Field(3, ge=0)
    news_per_week: int = Field(10, ge=0)
    limits: dict[str, ChannelLimits] = Field(default_factory=dict)


class FileSettings(Part):
    """Pictures and documents that members send: which, how large, how many, and the operator's virus scanner."""

    max_mb: int = Field(10, gt=0, le=100)
    max_per_form: int = Field(20, gt=0, le=100)
    kinds: tuple[Literal["picture", "document"], ...] = Field(("picture", "document"), min_length=1)
    scan_command: str = ""
    scan_seconds: float = Field(30, gt=0)
    keep_unattached_hours: int = Field(24, gt=0)


class SsoSettings(Part):
    """The university's sign-in (OpenID Connect); off where `issuer` is empty. The claims are those of the id_token."""

    issuer: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    scope: str = "openid profile"
    staff_claim: str = Field("sub", min_length=1)
    name_claim: str = ""
    label: str = "统一身份认证登录"
    seconds: float = Field(5, gt=0)


class TelegramSettings(Part):
    """The bot of the union on Telegram; off where `token` is empty.

    `api_url` is another server of the Bot API (one's own, or a relay), `proxy` a proxy to reach it by. In webhook mode
    the platform calls `http.public_url`/webhooks/telegram; polling needs no address that the world can reach.
    """

    token: SecretStr = SecretStr("")
    mode: Literal["polling", "webhook"] = "polling"
    api_url: str = "https://api.telegram.org"
    proxy: str = ""
    poll_seconds: int = Field(50, ge=0, le=50)


class WechatySettings(Part):
    """WeChat groups by a Wechaty gateway, through a bridge: started `here`, run `elsewhere`, or `off`.

    The bridge speaks to the gateway (`endpoint`, `token`; with `tls`, `ca` is a file of certificates to believe) and to
    the assistant (`base_url`, `key`; empty here, where it is given them). `take_over_seconds`: see the bridge's
    connection.
    """

    bridge: Literal["off", "here", "elsewhere"] = "off"
    endpoint: str = ""
    token: SecretStr = SecretStr("")
    tls: bool = False
    ca: str = ""
    tls_name: str = ""
    base_url: str = ""
    key: SecretStr = SecretStr("")
    accept_friends: bool = True
    accept_rooms: bool = False
    take_over_seconds: float = Field(60, ge=0)


class WecomSettings(Part):
    """An application of 企业微信; off where `corp_id` is empty. The platform calls `http.public_url`/callbacks/wecom.

    `staff_id` tells where the directory has the 工号: `userid`, the name of an extended attribute, or nowhere (empty).
    `robots` are the keys of group robots by the name of their group. `markdown`: records are sent as such.
    """

    corp_id: str = ""
    agent_id: int = Field(0, ge=0)
    secret: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")
    staff_id: str = ""
    robots: dict[str, SecretStr] = Field(default_factory=dict)
    markdown: bool = True
    api_url: str = "https://qyapi.weixin.qq.com"


class OfficialAccountSettings(Part):
    """A 公众号 (服务号); off where `app_id` is empty. Callbacks come to `http.public_url`/callbacks/official-account.

    An answer that is ready within `passive_seconds` goes back at once (the platform waits five). Outside the 48 hours
    in which one may be written to, `outside` sends a template or subscription message with the beginning of the text
    in `template_field`, at most `template_length` characters of it. `menu` sets the menu when the assistant starts.
    """

    app_id: str = ""
    secret: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")
    passive_seconds: float = Field(4.5, ge=0, le=4.8)
    outside: Literal["off", "template", "subscribe"] = "off"
    template_id: str = ""
    template_field: str = "thing1"
    template_length: int = Field(20, ge=1, le=200)
    menu: bool = True
    api_url: str = "https://api.weixin.qq.com"
    oauth_url: str = "https://open.weixin.qq.com"


class RasaSettings(Part):
    """A Rasa server as the second engine: where it listens, how long it is waited for, and where it is installed.

    After `failures` calls in a row without an answer it is left alone for `pause_seconds`; the embedded engine stands
    in. `python` names a Python 3.10 to install it with, `venv` the folder (empty: var/rasa-venv). `token` is that of
    the server's HTTP interface, `action_key` one of our keys, with which its dialogue calls our actions.
    """

    url: str = "http://127.0.0.1:5005"
    token: SecretStr = SecretStr("")
    seconds: float = Field(2, gt=0)
    failures: int = Field(3, gt=0)
    pause_seconds: float = Field(15, gt=0)
    python: str = ""
    venv: str = ""
    actions_url: str = ""
    action_key: SecretStr = SecretStr("")


class NluSettings(Part):
    """Which engine ranks the intents."""

    engine: Literal["embedded", "rasa"] = "embedded"
    rasa: RasaSettings = RasaSettings()


class LlmSettings(Part):
    """An OpenAI-compatible server (DeepSeek, Qwen, a local one); off while `url` or `model` is empty (the default).

    `proposes` and `phrases` tell what it may do. A day is bounded by calls, tokens and, where the prices (yuan per
    million tokens) are given, by yuan. One answer is waited for `seconds`.
    """

    url: str = ""
    model: str = ""
    key: SecretStr = SecretStr("")
    seconds: float = Field(4, gt=0)
    proposes: bool = True
    phrases: bool = True
    calls_per_day: int = Field(500, ge=0)
    tokens_per_day: int = Field(500_000, ge=0)
    price_in: float = Field(0, ge=0)
    price_out: float = Field(0, ge=0)
    yuan_per_day: float = Field(0, ge=0)


class Settings(BaseSettings):
    """Everything an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    http: HttpSettings = HttpSettings()
    database: DatabaseSettings = DatabaseSettings()
    vault: VaultSettings = VaultSettings()
    dialogue: DialogueSettings = DialogueSettings()
    mail: MailSettings = MailSettings()
    safety: SafetySettings = SafetySettings()
    union: UnionSettings = UnionSettings()
    handover: HandoverSettings = HandoverSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    privacy: PrivacySettings = PrivacySettings()
    delivery: DeliverySettings = DeliverySettings()
    files: FileSettings = FileSettings()
    sso: SsoSettings = SsoSettings()
    nlu: NluSettings = NluSettings()
    telegram: TelegramSettings = TelegramSettings()
    wechaty: WechatySettings = WechatySettings()
    wecom: WecomSettings = WecomSettings()
    official_account: OfficialAccountSettings = OfficialAccountSettings()
    llm: LlmSettings = LlmSettings()
    services: dict[str, dict[str, Any]] = Field(default_factory=dict)
    demo: bool | None = None
    names: tuple[str, ...] = ("娘家人", "工会小助手")
    data_dir: Path = ROOT / "data"
    var_dir: Path = ROOT / "var"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    fault: str = ""

    @field_validator("data_dir", "var_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path if path.is_absolute() else ROOT / path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over what was read from the file (given as init arguments)."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def database_url(self) -> str:
        """The database to open."""
        return self.database.url or f"sqlite+aiosqlite:///{self.var_dir / 'niangjiaren.db'}"

    @property
    def files_dir(self) -> Path:
        """Where the files of forms and the assistant's own lie; no web server serves it."""
        return self.var_dir / "files"

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded default, which may fill itself with the demo world."""
        return not self.database.url


def settings_path() -> Path:
    """The settings file: NJR_SETTINGS, or settings.yml in the checkout."""
    return Path(os.environ.get(f"{_PREFIX}SETTINGS") or ROOT / "settings.yml")


def load_settings(path: Path | None = None) -> Settings:
    """Reads the settings. Raises ConfigurationError that names the file and line, or the variable, of each fault."""
    path = path or settings_path()
    file = YamlFile(path) if path.exists() else None
    data = {} if file is None or file.data is None else file.data
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}:1: expected a mapping")
    _refuse_unknown_variables()
    try:
        return Settings(**data)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_faults(error, file))) from error


def _refuse_unknown_variables() -> None:
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{_PREFIX}SETTINGS"}
    for variable in sorted(os.environ):
        if variable.startswith(_PREFIX) and variable.split("__", maxsplit=1)[0].upper() not in known:
            raise ConfigurationError(f"{variable}: there is no such setting")


def _faults(error: ValidationError, file: YamlFile | None) -> list[str]:
    lines = []
    for fault in error.errors():
        variable = _PREFIX + "__".join(str(step).upper() for step in fault["loc"])
        name = ".".join(map(str, fault["loc"]))
        if variable in os.environ or file is None:
            lines.append(f"{variable}: {fault['msg']}")
        else:
            lines.append(f"{file.path}:{file.line(fault['loc'])}: {name}: {fault['msg']}")
    return lines

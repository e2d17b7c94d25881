"""The Telegram channel: messages come by long polling or by the webhook, and go out by calls of the Bot API."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import io
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog
from telegram import BotCommand, BotCommandScopeAllPrivateChats, Update
from telegram.error import BadRequest, ChatMigrated, InvalidToken, RetryAfter, TelegramError

from actions.core.errors import DomainError
from bot.channels.begun import Begun
from bot.channels.intake import refused, taken
from bot.channels.telegram import errors, reading, writing
from bot.channels.telegram.client import Client
from bot.channels.telegram.reading import KINDS, NAME, Me, Read
from bot.messages import Attachment, Capabilities, Health, Moved, Receipt, SendError
from bot.supervisor import back_off

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import timedelta

    from bot.channels.telegram.reading import Enclosed
    from bot.files import FileDesk
    from bot.messages import Address, Inbound, Inlet, Outbound
    from bot.settings import TelegramSettings

log = structlog.get_logger(__name__)

#: Bots may fetch no larger files. https://core.telegram.org/bots/api#getfile
_FETCHED = 20 * 2**20
#: Tries of a message that we failed at, before it is given up: it must not keep back all that come after it.
_TRIES = 3
_MENU = "channels.menu."


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the channel stands: what it is set to, where files are handed over, and what it says by itself.

    `say` renders a sentence of data/responses, `menu` are the words of the menu by command.
    """

    settings: TelegramSettings
    files: FileDesk
    say: Callable[[str, Mapping[str, Any]], str]
    menu: Mapping[str, str]
    public_url: str = ""


class TelegramChannel:
    """One bot. `send` works in any process; messages are taken in by one."""

    name = NAME
    pulled = False
    capabilities = Capabilities(
        buttons=True, pictures=True, files=True, mention=True, recall=True, groups=True, longest=writing.LONGEST
    )

    def __init__(self, place: Place, *, pause: Callable[[int], timedelta] = back_off) -> None:
        """`pause(failures)` is how long to wait after so many failures in a row to ask for messages."""
        self.over_http = place.settings.mode == "webhook"
        self._place = place
        self._pause = pause
        self._client = Client(place.settings)
        self._labels = writing.Labels(calendar=place.say("channels.calendar", {}), public_url=place.public_url)
        self._inlet: Inlet | None = None
        self._me: Me | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._state = "not started"
        self._up = False
        self._counts: Counter[str] = Counter()
        self._begun = Begun()

    # --- taking in

    async def start(self, inlet: Inlet) -> None:
        """Takes messages in until `stop`. Raises SendError("unauthorized") for a token that the platform refuses."""
        self._inlet = inlet
        self._stopping.clear()
        self._ended.clear()
        self._say("starting")
        try:
            await self._prepared()
            await (self._stopping.wait() if self.over_http else self._poll())
        except InvalidToken:
            # Its message holds the token: it goes no further.
            self._say("unauthorized")
            raise SendError("unauthorized") from None
        finally:
            self._ended.set()
        self._say("stopped")

    async def stop(self) -> None:
        """Ends `start`, and closes what is open; `send` opens it again."""
        self._stopping.set()
        # A connection that is still being made would outlive a client that is closed meanwhile.
        await self._ended.wait()
        await self._client.close()

    async def _prepared(self) -> None:
        """Tells the platform how messages are to come, until it has heard it."""
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._unless_stopped(self._introduce())
            except InvalidToken:
                raise
            except TelegramError as error:
                failures += 1
                await self._rest(error, failures)
            else:
                if not self._stopping.is_set():
                    self._say(self._place.settings.mode, up=True)
                return

    async def _introduce(self) -> None:
        bot = await self._client.opened()
        self._me = Me(id=bot.id, username=bot.username, menu=self._place.menu)
        commands = [BotCommand(name, words) for name, words in self._place.menu.items()]
        await bot.set_my_commands(commands, scope=BotCommandScopeAllPrivateChats())
        if not self.over_http:
            await bot.delete_webhook()
            return
        url = f"{self._place.public_url.rstrip('/')}/webhooks/telegram"
        await bot.set_webhook(url, secret_token=self.secret, allowed_updates=KINDS)

    async def _poll(self) -> None:
        """Asks for messages; what was taken in is confirmed by asking for what comes after it."""
        after, failures = 0, 0
        while not self._stopping.is_set():
            try:
                updates = await self._unless_stopped(self._client.updates(after, self._place.settings.poll_seconds))
            except InvalidToken:
                raise
            except TelegramError as error:
                failures += 1
                await self._rest(error, failures)
                continue
            failures = 0
            self._say("polling", up=True)
            await self._take_all(updates or ())
            after = max([after, *(number + 1 for each in updates or () if (number := _number(each)) is not None)])

    async def _unless_stopped(self, work: Awaitable[Any]) -> Any:
        """What the work gives; None where the channel is stopped before it is done."""
        asked, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((asked, stopped), return_when=asyncio.FIRST_COMPLETED)
            return await asked if asked.done() else None
        finally:
            for task in (asked, stopped):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, TelegramError):
                    await task

    async def _rest(self, error: TelegramError, failures: int) -> None:
        self._say(errors.state_of(error))
        log.warning("telegram_away", state=self._state, failures=failures)
        asked = errors.seconds_of(error) if isinstance(error, RetryAfter) else 0
        seconds = max(asked, self._pause(failures).total_seconds())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)

    # --- what came

    @property
    def secret(self) -> str:
        """What the platform sends along to the webhook, so that nobody else can speak for it: made from the token."""
        token = self._place.settings.token.get_secret_value()
        return hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()

    async def take(self, update: Mapping[str, Any]) -> bool:
        """Takes in one update of the webhook; False where the channel does not take any in."""
        if self._inlet is None or self._me is None:
            return False
        await self._take_all([update])
        return True

    async def _take_all(self, updates: Sequence[Any]) -> None:
        """Conversations side by side; in each of them one message after the other."""
        by_place: defaultdict[str, list[Read]] = defaultdict(list)
        for update in updates:
            read = self._read(update)
            if read is not None:
                by_place[_place_of(read)].append(read)
        await asyncio.gather(*(self._in_turn(reads) for reads in by_place.values()))

    def _read(self, update: Any) -> Read | None:
        """What an update says; None, counted, for nonsense. Its content goes nowhere."""
        assert self._me is not None  # noqa: S101 - known since the channel was started
        try:
            parsed = Update.de_json(update, self._client.bot)
            read = reading.read(parsed, self._me)
        except Exception as error:
            # Whatever the platform sends must not end the channel.
            self._counts["nonsense"] += 1
            log.warning("telegram_nonsense", error=type(error).__name__)
            return None
        if read.left:
            self._counts[read.left] += 1
        return read

    async def _in_turn(self, reads: Sequence[Read]) -> None:
        for read in reading.joined_up(reads):
            for attempt in range(1, _TRIES + 1):
                try:
                    await self._hand_on(read)
                    break
                except Exception as error:
                    # A trace may hold what was said.
                    log.error("telegram_message_failed", attempt=attempt, error=type(error).__name__)  # noqa: TRY400
                    if attempt == _TRIES:
                        await self._apologize(read)
                    else:
                        await asyncio.sleep(self._pause(attempt).total_seconds())

    async def _hand_on(self, read: Read) -> None:
        assert self._inlet is not None  # noqa: S101 - known since the channel was started
        if read.query_id:
            await self._answer_click(read)
        if read.event is not None:
            await self._inlet.notice(read.event)
        if read.inbound is not None:
            enclosed = [await self._enclosed(read.inbound, each) for each in read.enclosed]
            await self._inlet.receive(replace(read.inbound, attachments=tuple(enclosed)))

    async def _answer_click(self, read: Read) -> None:
        """The clock on the button ends. It is a courtesy: a click counts whether the platform takes it or not."""
        text = self._place.say("channels.too_old", {}) if read.inbound is None else None
        bot = await self._client.opened()
        with contextlib.suppress(TelegramError):
            await bot.answer_callback_query(read.query_id, text=text, show_alert=text is not None)

    async def _enclosed(self, inbound: Inbound, each: Enclosed) -> Attachment:
        """A file, fetched and handed over; in a group it is not looked at."""
        if inbound.address.chat == "group":
            return Attachment(kind=each.kind, name=each.name)
        most = min(_FETCHED, self._place.files.rules.max_bytes)
        if each.size > most:
            return refused(self._place.files, name=each.name, kind=each.kind)
        bot = await self._client.opened()
        content = io.BytesIO()
        try:
            await (await bot.get_file(each.file_id)).download_to_memory(content)
        except BadRequest:
            # The platform gives it to nobody: it is too large, or gone.
            return refused(self._place.files, name=each.name, kind=each.kind)
        content.seek(0)
        where = inbound.address, inbound.sender
        return await taken(self._place.files, *where, name=each.name, kind=each.kind, source=content)

    async def _apologize(self, read: Read) -> None:
        """Nobody meets silence, not even where everything of ours is down."""
        self._counts["failed"] += 1
        if read.inbound is None or (read.inbound.address.chat == "group" and not read.inbound.mentioned):
            return
        bot = await self._client.opened()
        with contextlib.suppress(TelegramError):
            await bot.send_message(text=self._place.say("channels.failed", {}), **writing.target(read.inbound.address))

    # --- sending

    async def send(self, message: Outbound) -> Receipt:
        """Sends the parts of a message one after the other. Tried again, it goes on with the part that failed."""
        with self._begun.going_on(message.id) as sent:
            try:
                for call in writing.calls(message, self._labels)[len(sent) :]:
                    sent.append(await self._call(message.address, call))
            except ValueError as error:
                raise SendError("not a Telegram chat", permanent=True) from error
            except TelegramError as error:
                raise errors.send_error(error, group=message.address.chat == "group") from None
        return Receipt(ref=",".join(filter(None, sent)))

    async def _call(self, address: Address, call: writing.Call) -> str:
        try:
            return await self._one(address, call.arguments, call)
        except ChatMigrated as error:
            # The group has become a supergroup: it is told here first, and is the same group for us.
            if self._inlet is not None:
                await self._inlet.notice(Moved(address=address, conversation=str(error.new_chat_id)))
            return await self._one(address, {**call.arguments, "chat_id": error.new_chat_id}, call)

    async def _one(self, address: Address, arguments: Mapping[str, Any], call: writing.Call) -> str:
        bot = await self._client.opened()
        if call.file is None:
            return str((await bot.send_message(**arguments)).message_id)
        try:
            kept = await self._place.files.open(address, address.conversation, call.file.id)
        except DomainError:
            # Gone, or not for everybody who reads along here: the text is said all the same.
            log.info("file_not_sent", row_kind=call.file.kind)
            return ""
        content = await asyncio.to_thread(kept.path.read_bytes)
        if call.file.kind == "picture":
            said = await bot.send_photo(photo=content, filename=kept.view.name, **arguments)
        else:
            said = await bot.send_document(document=content, filename=kept.view.name, **arguments)
        return str(said.message_id)

    async def recall(self, address: Address, ref: str) -> None:
        """Deletes what was sent; the platform lets bots do so for 48 hours.

        https://core.telegram.org/bots/api#deletemessage
        """
        try:
            bot = await self._client.opened()
            where = writing.target(address)["chat_id"]
            for number in filter(None, ref.split(",")):
                await bot.delete_message(where, int(number))
        except ValueError as error:
            raise SendError("not a Telegram message", permanent=True) from error
        except TelegramError as error:
            raise errors.send_error(error, group=address.chat == "group") from None

    # --- how it is

    def health(self) -> Health:
        """Whether messages come in, and what came that was not read."""
        return Health(up=self._up, state=self._state, counts=dict(self._counts))

    def _say(self, state: str, *, up: bool = False) -> None:
        if state != self._state:
            log.info("telegram", state=state)
        self._state, self._up = state, up


def menu_of(keys: Sequence[str], say: Callable[[str, Mapping[str, Any]], str]) -> dict[str, str]:
    """The words of the menu by command, from data/responses (channels.menu)."""
    return {key.removeprefix(_MENU): say(key, {}) for key in keys if key.startswith(_MENU)}


def _number(update: object) -> int | None:
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if isinstance(number, int) else None


def _place_of(read: Read) -> str:
    if read.inbound is not None:
        return read.inbound.address.conversation
    address = getattr(read.event, "address", None)
    return address.conversation if address is not None else ""

"""教工 e 家后端的样例，要装 httpx 和 joserfc。密钥和私钥只放在后端，不放进小程序。"""

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey


class Union:
    """工会助手。name 是密钥的名字，也是账号的前缀；account 是你们系统里不变的编号。"""

    def __init__(self, base: str, key: str, name: str = "e-home") -> None:
        self._http = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self._name = name

    def bind(self, account: str, staff_id: str, private_key: str) -> str:
        """说明这个账号是哪位老师（已在你们那里登录的工号）。绑一次就行。"""
        now, sender = int(time.time()), f"{self._name}-{account}"
        claims = {"iss": self._name, "aud": "niangjiaren", "sub": staff_id, "sender": sender}
        times = {"iat": now, "exp": now + 120, "jti": uuid.uuid4().hex}
        assertion = jwt.encode({"alg": "ES256"}, claims | times, ECKey.import_key(private_key))
        return str(self._ask("POST", "members", json={"sender": sender, "assertion": assertion})["said"])

    def say(self, account: str, text: str, files: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """老师说一句话，返回几条回答；点了选项，就把它的 value 当一句话发来。"""
        message = self._who(account) | {"message_id": uuid.uuid4().hex, "text": text, "attachments": files}
        return list(self._ask("POST", "chat", json=message)["replies"])

    def hand_in(self, account: str, name: str, content: bytes) -> str:
        """交一份材料，返回编号；下一句话的 files 带上它。"""
        return str(self._ask("POST", "files", data=self._who(account), files={"file": (name, content)})["id"])

    def listed(self, what: str, account: str) -> Iterator[dict[str, Any]]:
        """services、offerings 或 items，一页一页取完。"""
        offset: int | None = 0
        while offset is not None:
            page = self._ask("GET", what, params=self._who(account) | {"offset": offset})
            yield from page["items"]
            offset = page.get("next")

    def cancel(self, account: str, ref: str) -> str:
        """取消我的一件事。"""
        return str(self._ask("POST", f"items/{ref}/cancel", params=self._who(account))["said"])

    def pushed(self, account: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """工会主动说的；断了就从最后一条的 id 接着收。"""
        params = self._who(account) | {"after": after}
        with self._http.stream("GET", "/api/v1/events", params=params, timeout=60) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))

    def _who(self, account: str) -> dict[str, Any]:
        return {"sender": f"{self._name}-{account}", "conversation": f"{self._name}-{account}"}

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """一件事一个 Idempotency-Key，重试不换：没收到回答就原样再发，事情只办一次。"""
        named, tries = {"Idempotency-Key": uuid.uuid4().hex}, 4
        for attempt in range(1, tries + 1):
            try:
                answer = self._http.request(method, f"/api/v1/{path}", headers=named, **request)
                if answer.status_code < 500 and "Retry-After" not in answer.headers:
                    break
            except httpx.TransportError:
                if attempt == tries:
                    raise
                answer = httpx.Response(503)
            time.sleep(float(answer.headers.get("Retry-After", attempt)))
        if answer.is_error:
            raise RuntimeError(answer.json()["error"]["message"])  # 可以直接给老师看
        return dict(answer.json())


if __name__ == "__main__":
    union = Union(os.environ["UNION_URL"], os.environ["UNION_KEY"])
    print(union.bind("7f3a", "20180312", Path(os.environ["UNION_PRIVATE_KEY"]).read_text(encoding="utf-8")))
    print(
        f"{len(list(union.listed('services', '7f3a')))} 项服务，{len(list(union.listed('offerings', '7f3a')))} 项开放"
    )
    for words in ("下周三下午三点想订瑜伽室，5个人", "确认"):
        print(*(reply["text"] for reply in union.say("7f3a", words)), sep="\n")
    for item in union.listed("items", "7f3a"):
        print(item["title"], item["actions"])
        print(union.cancel("7f3a", item["ref"]))

"""What Rasa's form loop does with our action server, in a few lines: it keeps slots, calls validate, then the commit.

The real one is driven in test_dialogue_peer.py; here it is quick enough to try everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.api.actions import PATH

if TYPE_CHECKING:
    import httpx


@dataclass
class Loop:
    """A conversation of one sender in which the form of one service is active."""

    client: httpx.AsyncClient
    sender: str = "20180312"
    service: str = "counseling"
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    active: bool = False
    texts: int = 0

    async def call(self, action: str) -> list[str]:
        """One call of the action server; returns what it says."""
        users = [event for event in self.events if event["event"] == "user"]
        body = {
            "next_action": action,
            "sender_id": self.sender,
            "tracker": {
                "sender_id": self.sender,
                "slots": self.slots,
                "latest_message": users[-1] if users else None,
                "events": self.events,
            },
        }
        answer = await self.client.post(PATH, json=body)
        answer.raise_for_status()
        told = answer.json()
        for event in told["events"]:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            else:
                self.active = event["name"] is not None
        self.events.append({"event": "action", "name": action.removeprefix("validate_")})
        return [response["text"] for response in told["responses"]]

    async def say(self, text: str) -> str:
        """A message: the form takes it, and where it asks nothing more the commit is called."""
        self.texts += 1
        self.events.append({"event": "user", "text": text, "message_id": f"m{self.texts}"})
        self.active = True
        said = await self.call(f"validate_{self.service}_form")
        if self.slots["requested_slot"] is None:
            self.active = False
            said += await self.call(f"action_{self.service}_commit")
            if self.active:
                said += await self.call(f"validate_{self.service}_form")
        return "\n".join(said)

    @property
    def asked(self) -> str | None:
        """The slot that the form asks for."""
        return self.slots.get("requested_slot")

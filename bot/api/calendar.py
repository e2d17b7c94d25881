"""`/api/v1/calendar/…`: a booking as a file that a phone's calendar takes, and the QR code that leads a phone to it.

The token in the address is the right to it: a calendar comes without a cookie.
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import segno
from fastapi import APIRouter, Request, Response
from icalendar import Alarm, Calendar, Event

from actions.core.entries import CalendarEntry
from actions.core.errors import DomainError
from actions.core.zones import to_utc
from bot.api.errors import ApiError, ErrorBody
from bot.api.parts import Api, State

PREFIX = "/api/v1/calendar"
router = APIRouter(prefix=PREFIX, tags=["日历"])

_REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "没有这个地址"},
    410: {"model": ErrorBody, "description": "已经取消或结束"},
}


@router.get("/{token}.ics", summary="预约的日历文件", response_class=Response, responses=_REFUSALS)
async def file(token: str, api: Api) -> Response:
    """text/calendar。改期后同一个地址给新的时间；私密的服务只写“预约”。"""
    entry = await _entry(api, token)
    body = calendar_file(entry, api.parts.say, api.parts.now())
    headers = {"Content-Disposition": 'inline; filename="yuyue.ics"'}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


@router.get("/{token}.svg", summary="日历文件的二维码", response_class=Response, responses=_REFUSALS)
async def code(token: str, api: Api, request: Request) -> Response:
    """image/svg+xml，手机扫了就打开上面的日历文件。"""
    await _entry(api, token)
    base = api.parts.settings.http.public_url or str(request.base_url)
    return Response(qr_code(f"{base.rstrip('/')}{PREFIX}/{token}.ics"), media_type="image/svg+xml")


async def _entry(api: State, token: str) -> CalendarEntry:
    try:
        entry = await api.parts.calendar(token)
    except DomainError as error:
        raise ApiError(404, "not_found") from error
    if entry is None:
        raise ApiError(410, "calendar_gone")
    return entry


def calendar_file(entry: CalendarEntry, say: Callable[[str, Mapping[str, Any]], str], now: datetime) -> bytes:
    """An iCalendar file (RFC 5545) with one event, in UTC, and its alarms.

    The same record keeps its UID, and a later file has a greater SEQUENCE, so that it takes the earlier one's place.
    """
    event = Event()
    identity = f"{entry['ref']}:{entry['member_id']}"
    event.add("uid", f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}@niangjiaren")
    event.add("dtstamp", now)
    event.add("sequence", int(now.timestamp()) // 60)
    event.add("dtstart", to_utc(entry["starts_at"]))
    event.add("dtend", to_utc(entry["ends_at"]))
    event.add("summary", say("calendar.summary", entry))
    if entry["place"]:
        event.add("location", entry["place"])
    for hours in entry["reminders"]:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", timedelta(hours=-hours))
        alarm.add("description", say("calendar.alarm", entry))
        event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//niangjiaren//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def qr_code(address: str) -> bytes:
    """A QR code as SVG, black on white in light and dark alike."""
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(picture, kind="svg", scale=4, border=3, dark="#000", light="#fff")
    return picture.getvalue()

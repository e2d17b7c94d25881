"""Health, readiness, metrics: what the machinery around the process asks."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from bot.api.parts import Api
from bot.messages import Channel

router = APIRouter(tags=["运行"])


def _shown(example: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"example": example}}}


@router.get("/healthz", summary="进程是否在运行", responses={200: _shown({"status": "ok"})})
async def health() -> dict[str, str]:
    """不查任何依赖。"""
    return {"status": "ok"}


@router.get(
    "/readyz",
    summary="能否接待",
    responses={
        200: _shown({"ready": True, "checks": {"database": True}}),
        503: {"description": "checks 里为 false 的那项还没准备好"},
    },
)
async def ready(api: Api) -> JSONResponse:
    """逐项检查，例如数据库、模型、投递。用 Rasa 时 `nlu` 说出此刻是谁在理解：rasa，或顶上的 embedded。

    `channels` 是各聊天渠道通不通，`roles` 是看着的几个部分在不在跑、停过几次；它们不通不算没准备好，别的渠道照样接待。
    """
    checks = dict(await api.parts.ready())
    good = all(checks.values())
    answer: dict[str, object] = {"ready": good, "checks": checks}
    if api.parts.reserve is not None:
        # Members are answered all the same: what stands in for Rasa is told, and takes nobody out of service.
        answer["nlu"] = {"engine": "rasa", "answering": api.parts.reserve.name}
    # So are channels: who writes on the others is answered.
    if api.parts.channels:
        answer["channels"] = {channel.name: _told(channel) for channel in api.parts.channels}
    if api.parts.supervisor is not None and api.parts.supervisor.roles:
        answer["roles"] = {name: asdict(standing) for name, standing in api.parts.supervisor.standing.items()}
    return JSONResponse(answer, status_code=200 if good else 503)


def _told(channel: Channel) -> dict[str, object]:
    health = channel.health()
    return {"up": health.up, "state": health.state}


@router.get("/metrics", summary="Prometheus 指标", response_class=Response)
async def metrics(api: Api) -> Response:
    """文本格式。"""
    return Response(api.parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

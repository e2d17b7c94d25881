"""Health, readiness, metrics: what the machinery around the process asks."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from bot.api.parts import Api

router = APIRouter(tags=["运行"])


@router.get("/healthz", summary="进程是否在运行")
async def health() -> dict[str, str]:
    """不查任何依赖。"""
    return {"status": "ok"}


@router.get("/readyz", summary="能否接待", responses={503: {"description": "checks 里为 false 的那项还没准备好"}})
async def ready(api: Api) -> JSONResponse:
    """逐项检查，例如数据库、模型、投递。用 Rasa 时 `nlu` 说出此刻是谁在理解：rasa，或顶上的 embedded。"""
    checks = dict(await api.parts.ready())
    good = all(checks.values())
    answer: dict[str, object] = {"ready": good, "checks": checks}
    if api.parts.reserve is not None:
        # Members are answered all the same: what stands in for Rasa is told, and takes nobody out of service.
        answer["nlu"] = {"engine": "rasa", "answering": api.parts.reserve.name}
    return JSONResponse(answer, status_code=200 if good else 503)


@router.get("/metrics", summary="Prometheus 指标", response_class=Response)
async def metrics(api: Api) -> Response:
    """文本格式。"""
    return Response(api.parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

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
    """逐项检查，例如数据库、模型、投递。"""
    checks = dict(await api.parts.ready())
    good = all(checks.values())
    return JSONResponse({"ready": good, "checks": checks}, status_code=200 if good else 503)


@router.get("/metrics", summary="Prometheus 指标", response_class=Response)
async def metrics(api: Api) -> Response:
    """文本格式。"""
    return Response(api.parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

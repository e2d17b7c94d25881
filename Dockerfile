# docker build -t niangjiaren .
# docker run -p 127.0.0.1:8080:8080 -v niangjiaren:/app/var niangjiaren

FROM python:3.12-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv==0.13.*"
WORKDIR /app
# Dependencies change less often than code: a layer of their own keeps rebuilding quick.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --extra postgres --no-install-project
COPY README.md LICENSE config.yml ./
COPY nlu ./nlu
COPY actions ./actions
COPY bot ./bot
COPY migrations ./migrations
COPY data ./data
RUN uv sync --locked --no-dev --extra postgres

# Rasa, for those who want it as the engine (docs/rasa.md): docker compose --profile rasa up -d
FROM build AS rasa
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NJR_NLU__RASA__VENV=/opt/rasa-venv
RUN UV_PYTHON_DOWNLOADS=automatic uv python install --install-dir /opt/python 3.10 \
    && NJR_NLU__RASA__PYTHON="$(echo /opt/python/cpython-3.10*/bin/python3.10)" bot rasa install \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin niangjiaren \
    && install --directory --owner=niangjiaren --group=niangjiaren /app/var
USER niangjiaren
EXPOSE 5005
CMD ["bot", "rasa", "serve", "--host", "0.0.0.0"]

FROM python:3.12-slim
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NJR_HTTP__HOST=0.0.0.0 \
    NJR_HTTP__PORT=8080
# The program's own files belong to root: what answers the network can write to var/ alone.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin niangjiaren \
    && install --directory --owner=niangjiaren --group=niangjiaren /app/var
WORKDIR /app
COPY --from=build /app /app
USER niangjiaren
VOLUME /app/var
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['NJR_HTTP__PORT']}/healthz\", timeout=4)"]
CMD ["bot", "serve"]

"""Figures for Prometheus: requests, their times, and what the collections hold."""

import time
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from lookalike.server.auth import App, Message, Receive, Scope, Send
from lookalike.server.workspace import Workspace


class Metrics:
    """Counts what the application answers; an ASGI layer around it.

    Args:
        app: the application.
        workspace: its collections.
    """

    def __init__(self, app: App, workspace: Workspace):
        self.app, self.registry = app, CollectorRegistry()
        labels = ["method", "route"]
        self.requests = Counter("lookalike_requests", "Answers.", [*labels, "status"], registry=self.registry)
        self.seconds = Histogram("lookalike_request_seconds", "Seconds to an answer.", labels, registry=self.registry)
        self.registry.register(_Collections(workspace))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count the answer by its route, never by its address: that would grow without end."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/metrics":
            return await self.page(Request(scope))(scope, receive, send)
        started, status = time.perf_counter(), "none"

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in ("GET", "POST", "PATCH", "DELETE") else "other"
            self.requests.labels(method, route, status).inc()
            self.seconds.labels(method, route).observe(time.perf_counter() - started)
        return None

    def page(self, _: Request) -> Response:
        """All figures in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


class _Collections(Collector):
    """What the open collections hold, read when it is asked for."""

    def __init__(self, workspace: Workspace):
        self.workspace = workspace

    def collect(self) -> Iterable[Metric]:
        pictures = GaugeMetricFamily("lookalike_pictures", "Pictures of a collection.", labels=["collection"])
        online = GaugeMetricFamily("lookalike_online", "Whether the pictures' folder is there.", labels=["collection"])
        running = GaugeMetricFamily("lookalike_jobs_running", "Jobs that run.", labels=["collection"])
        for one in self.workspace.all():
            pictures.add_metric([one.id], one.count())
            online.add_metric([one.id], one.is_online)
            running.add_metric([one.id], one.jobs.running() is not None)
        return pictures, online, running

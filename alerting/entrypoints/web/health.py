"""/healthz, /readyz and /metrics."""

from collections.abc import Iterable

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerting.domain.errors import Temporary
from alerting.entrypoints.web.guard import is_admin, problem
from alerting.entrypoints.web.parts import WebParts
from alerting.services.health import SystemHealth, look, readiness


def routes(parts: WebParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    def healthz() -> Response:
        """The process answers; what it depends on is asked by /readyz."""
        return JSONResponse({"status": "ok", "version": parts.version})

    @router.get("/readyz")
    def readyz() -> Response:
        found = readiness(parts.ctx, parts.event_log)
        body = {"status": "ready" if found.ready else "not ready", "problems": found.problems}
        return JSONResponse(body, status_code=200 if found.ready else 503)

    def admin(request: Request) -> bool:
        return is_admin(request, parts.admin_token)

    @router.get("/metrics")
    def metrics(allowed: bool = Depends(admin)) -> Response:
        if not allowed:
            return problem(401, "Admin token needed", "Send it as `Authorization: Bearer TOKEN`.")
        try:
            found = look(parts.ctx, parts.event_log)
        except Temporary as error:
            return problem(503, "No metrics", str(error))
        registry = CollectorRegistry()
        registry.register(_Snapshot(found))
        return PlainTextResponse(
            generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return router


class _Snapshot(Collector):
    """One look, as Prometheus reads it: every figure comes from the database, so any web process
    can answer.
    """

    def __init__(self, health: SystemHealth) -> None:
        self.health = health

    def collect(self) -> Iterable[Metric]:
        h = self.health
        yield _gauge(
            "alerting_event_log_up", "1 when the event log answers", float(h.lag is not None)
        )
        if h.lag is not None:
            lag = GaugeMetricFamily(
                "alerting_lag_records", "Records not yet taken in", labels=["topic", "partition"]
            )
            for name, value in h.lag.items():
                lag.add_metric(name.split("/"), value)
            yield lag
        yield _gauge("alerting_outbox_waiting", "Notifications not yet sent", h.outbox)
        yield _gauge(
            "alerting_outbox_oldest_seconds", "Age of the oldest of them", h.outbox_oldest_seconds
        )
        yield _gauge("alerting_timers_overdue", "Timers past their instant", h.timers_overdue)
        yield _gauge("alerting_dead_letters", "Dead letters waiting", h.dead_letters)
        yield _gauge("alerting_log_gaps", "Gaps noticed in the event log", h.gaps)
        yield _gauge(
            "alerting_partitions_stopped", "Partitions that are not being read", len(h.stopped)
        )
        yield _gauge(
            "alerting_sends_held", "1 while sending is held", float(h.hold_reason is not None)
        )
        yield _gauge("alerting_cases_open", "Unresolved cases", h.open_cases)
        unknown = GaugeMetricFamily(
            "alerting_unknown_conditions", "Conditions that could not be decided", labels=["rule"]
        )
        for rule, value in h.unknown_conditions.items():
            unknown.add_metric([rule], value)
        yield unknown
        quiet = GaugeMetricFamily(
            "alerting_suppressed", "Alerts that notified nobody, by reason", labels=["reason"]
        )
        for reason, value in h.suppressed.items():
            quiet.add_metric([reason], value)
        yield quiet


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)

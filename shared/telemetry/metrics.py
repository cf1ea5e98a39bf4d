"""The Prometheus metrics that every service has; a service's own live beside its code."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

HTTP_REQUESTS: Final = Counter(
    "interleave_http_requests", "HTTP requests answered", ["method", "route", "status"]
)
HTTP_SECONDS: Final = Histogram(
    "interleave_http_request_seconds",
    "Seconds from request to the last byte of the answer",
    ["method", "route"],
    buckets=_SECONDS,
)
HTTP_RUNNING: Final = Gauge("interleave_http_requests_running", "HTTP requests being served")
MODEL_SECONDS: Final = Histogram(
    "interleave_model_seconds",
    "Seconds of model work per call, without waiting",
    ["operation", "model"],
    buckets=_SECONDS,
)
MODEL_CALLS: Final = Counter(
    "interleave_model_calls", "Model calls by how they ended", ["operation", "model", "outcome"]
)

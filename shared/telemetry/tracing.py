"""OpenTelemetry spans with the GenAI names; switched on by ``OTEL_EXPORTER_OTLP_ENDPOINT``.

Without that variable every call here is the API's no-op. Attributes never hold prompts or
images. Source: OpenTelemetry semantic conventions for generative AI.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace

_TRACER = "interleave"


def configure_tracing(service: str) -> bool:
    """Export spans of this process if an endpoint is set; whether that is so."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return False
    # The exporter starts threads and opens sessions: only loaded when wanted.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    name = os.environ.get("OTEL_SERVICE_NAME", f"interleave-{service}")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True


@contextmanager
def span(
    operation: str, target: str = "", **attributes: str | float | bool
) -> Generator[trace.Span]:
    """A span named ``<operation> <target>``, such as ``generate_content flux2-klein``.

    Args:
        operation: a GenAI operation: ``invoke_workflow``, ``plan``, ``invoke_agent``,
            ``generate_content``.
        target: the model or agent.
        **attributes: added as ``interleave.<name>``.
    """
    values: dict[str, str | float | bool] = {"gen_ai.operation.name": operation}
    if target:
        values["gen_ai.request.model"] = target
    values |= {f"interleave.{name}": value for name, value in attributes.items()}
    tracer = trace.get_tracer(_TRACER)
    with tracer.start_as_current_span(f"{operation} {target}".strip(), attributes=values) as opened:
        yield opened


@contextmanager
def span_across_yields(operation: str, target: str = "", **attributes: str) -> Generator[None]:
    """A span for asynchronous generators.

    They may be resumed in other tasks, so the span is not made the current one.
    """
    tracer = trace.get_tracer(_TRACER)
    values = {f"interleave.{name}": value for name, value in attributes.items()}
    values |= {"gen_ai.operation.name": operation, "gen_ai.request.model": target}
    opened = tracer.start_span(f"{operation} {target}".strip(), attributes=values)
    try:
        yield
    except Exception as error:
        opened.record_exception(error)
        raise
    finally:
        opened.end()


def trace_headers() -> dict[str, str]:
    """The current trace context as W3C headers, to be saved or sent along."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


@contextmanager
def continued(carrier: Mapping[str, str]) -> Generator[None]:
    """Make what happens inside a part of the trace in ``carrier``."""
    token = context.attach(propagate.extract(dict(carrier)))
    try:
        yield
    finally:
        context.detach(token)

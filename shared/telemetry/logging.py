"""structlog over the standard library: one line per event, as JSON or for a console.

What must never be logged is a convention of the callers (prompts, images, keys); as a net,
values under well-known secret names are masked here.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRETS = frozenset(
    {"api_key", "authorization", "password", "prompt", "secret", "secret_key", "token"}
)
_NOISY = ("httpx", "httpcore", "urllib3", "uvicorn.access", "PIL", "filelock")


def configure_logging(
    *, level: str = "INFO", output: str = "json", service: str = "", stream: TextIO | None = None
) -> None:
    """Send all logs of this process, our own and libraries', through one formatter.

    Args:
        level: name of the lowest level that is written.
        output: ``json`` or ``console``.
        service: bound to every line.
        stream: where to; None is standard error.
    """
    steps = _steps(service)
    structlog.configure(
        processors=[*steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=steps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(output),
            ],
        )
    )
    _take_over(handler, level)


def _steps(service: str) -> list[Processor]:
    def add_service(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        if service:
            event.setdefault("service", service)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        mask_secrets,
        structlog.processors.format_exc_info,
    ]


def mask_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace values whose name says that they are secret."""
    for name in _SECRETS.intersection(event):
        event[name] = "***"
    return event


def _renderer(output: str) -> Processor:
    if output == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer()


def _take_over(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "celery"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)

"""How every service logs: one constant event name a line plus fields, as JSON; or for people, on a terminal.

Fields that several services use, always by these names: `conversion_uid`, `namespace`, `conversion`, `owner`,
`file_id`, `job`, `message_id`, `request_id`, `reason`. Ids, never contents; never a secret.
"""

import logging
import sys
from typing import Any

import structlog


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's logging to standard error, in one format.

    JSON unless standard error is a terminal. Call it once, at the entry point.
    """

    def add_service(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        # Not a bound context variable: a thread does not inherit those of the one that started it.
        return {"service": service, **event}

    shared: list[structlog.typing.Processor] = [
        add_service,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, for_people=sys.stderr.isatty()))
    logging.basicConfig(handlers=[handler], level=level, force=True)


def _formatter(shared: list[structlog.typing.Processor], *, for_people: bool) -> structlog.stdlib.ProcessorFormatter:
    """Write a line; `shared` is what lines of the standard library's logging have not gone through yet."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if for_people
        else structlog.processors.JSONRenderer()
    )
    # By default both would add every frame's local variables, and with them passwords and keys.
    tracebacks = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([] if for_people else [tracebacks]),
            renderer,
        ],
    )

"""Structured logs: one line per fact with the request's id, never with personal data."""

import logging.config
from collections.abc import Mapping
from typing import Any

import structlog


def configure(options: Mapping[str, Any]) -> None:
    """Set up logging; `options` has `level` and `json` (else lines for a person's eyes)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if options["json"]
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "facts": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        renderer,
                    ],
                    "foreign_pre_chain": shared,
                },
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "facts"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {
                "django.server": {"level": "WARNING"},
                "daphne": {"level": "WARNING"},
                "weasyprint": {"level": "ERROR"},
                "fontTools": {"level": "ERROR"},
                "pyhanko": {"level": "ERROR"},
            },
        }
    )

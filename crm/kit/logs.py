"""Structured logs: one line per fact with the request's id, never with personal data."""

import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# of an address: what opens something to whoever knows it, so capitals among many characters, or a
# digest; ids and codes of ours stay
_SECRET = re.compile(r"(?<=/)(?:(?=[^/\s]*[A-Z])[^/\s]{20,}|[^/\s]*[0-9a-f]{20,}[^/\s]*)")
# of what PostgreSQL says: whole rows, as far as its text goes
_DETAIL = re.compile(
    r"^DETAIL: .*?(?=^The above exception|^During handling|\Z)", re.DOTALL | re.MULTILINE
)


def without_secrets(text: str) -> str:
    """An address, or a sentence with one, without the parts that open something."""
    return _SECRET.sub("…", text)


def impersonal(
    _logger: object, _method: str, facts: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The facts without what libraries add: Django the request with its query, PostgreSQL the row."""
    if not isinstance(facts.get("request", ""), str):
        del facts["request"]
    for name in ("event", "request"):
        if isinstance(facts.get(name), str):
            facts[name] = without_secrets(facts[name])
    if "exception" in facts:
        facts["exception"] = _DETAIL.sub("", facts["exception"])
    return facts


def configure(options: Mapping[str, Any]) -> None:
    """Set up logging; `options` has `level` and `json` (else lines for a person's eyes)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        impersonal,
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

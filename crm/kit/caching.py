"""What lies in the cache is JSON: whoever could write into Valkey must not be able to run code here."""

import dataclasses
import json
from typing import Any


class JsonSerializer:
    """How the Redis cache writes values down, instead of Django's pickle."""

    def dumps(self, value: Any) -> int | str:
        """Whole numbers stay numbers, so that Valkey can count on them."""
        return value if type(value) is int else json.dumps(value, default=_plain)

    def loads(self, data: bytes) -> Any:
        """The value again."""
        return json.loads(data)


def _plain(value: Any) -> Any:
    """Other people's dataclasses (the back office's hits) as objects, lazy words as texts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)

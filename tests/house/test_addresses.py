"""Each address leads to one page: of two routes with the same, the second could never be reached."""

from collections import defaultdict
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """Every address as it is written, whatever its parts are called, and the name of its route."""
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from routes(one, before + str(one.pattern))
        elif isinstance(one, URLPattern):
            parts = (before + str(one.pattern)).split("<")
            address = "<".join(
                part.partition(":")[0] + ">" + part.partition(">")[2] for part in parts
            )
            yield address, f"{one.name or one.callback.__name__} ({one.lookup_str})"


def test_no_two_routes_have_one_address() -> None:
    """The canned answers for a case stood at the address of its kept answers: nobody saw the latter."""
    found: dict[str, list[str]] = defaultdict(list)
    for address, name in routes(get_resolver()):
        found[address].append(name)
    assert {address: names for address, names in found.items() if len(names) > 1} == {}
    assert len(found) > 300

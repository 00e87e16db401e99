"""Shortcuts of the console lead to one place each."""

from collections import Counter

from crm.kit import nav


def test_no_two_places_are_reached_by_the_same_keys() -> None:
    """Two rooms offered « g m », and the one that came later won."""
    keys = Counter(item.keys for item in nav.entries.values() if item.keys)
    assert len(keys) > 5
    assert [key for key, places in keys.items() if places > 1] == []

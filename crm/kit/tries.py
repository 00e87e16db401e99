"""How often somebody who is not known may try something: counted in the cache, for so many seconds."""

from django.core.cache import cache

from crm.kit.errors import Text, TooMany


def count_try(what: str, who: str, *, most: int, seconds: int, message: Text) -> None:
    """Count a try; TooMany from the one after `most` on, until `seconds` after the first."""
    key = f"tries:{what}:{who}"
    cache.add(key, 0, seconds)
    try:
        tries = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    if tries > most:
        raise TooMany(message, retry_after=seconds)

"""How often somebody may try before they must wait: for doors that ask for a code or send something."""

from django.core.cache import cache

from crm.kit.errors import Text, TooMany


def take(what: str, who: str, *, most: int, seconds: int, message: Text) -> None:
    """Count one try of `who` at `what`; TooMany when there were more than `most` in so many seconds."""
    key = f"{what}:{who}"
    cache.add(key, 0, seconds)
    try:
        tries = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    if tries > most:
        raise TooMany(message, retry_after=seconds)

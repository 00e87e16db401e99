"""Words as people send them, made fit to be kept: no characters that the database cannot hold."""

import unicodedata

_KEPT = {"\n", "\t"}


def _clean(text: str) -> str:
    """Without control characters and halves of characters; in one form, so that search finds it."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    kept = (c for c in whole if c in _KEPT or unicodedata.category(c) != "Cc")
    return unicodedata.normalize("NFC", "".join(kept))


def one_line(text: str) -> str:
    """A text in one line without superfluous spaces."""
    return " ".join(_clean(text.replace("\n", " ")).split())


def paragraphs(text: str) -> str:
    """A text of several lines, without spaces around it."""
    return _clean(text.replace("\r\n", "\n").replace("\r", "\n")).strip()

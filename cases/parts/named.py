"""What parts of a bundle have in common: codes, names in several languages, problems with their place."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.kit.errors import Text

LONGEST_NAME = 80
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a definition, and where (`moves[2].to`)."""

    where: str
    message: Text
    blocks: bool = True  # else it may be published knowingly


def in_language(texts: Mapping[str, Any]) -> Any:
    """Of texts by language the reader's, else that of the language without its variety, else None."""
    language = (get_language() or settings.LANGUAGE_CODE).lower()
    return texts.get(language) or texts.get(language.partition("-")[0])


def spoken(said: str, names: Mapping[str, Any]) -> str:
    """A name in the reader's language, else as it was written first."""
    return str(in_language(names) or said)


def check_named(where: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    """A code, a name, and perhaps the name in other languages."""
    code, name = item.get("code"), item.get("name")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        text = _("A code is made of small letters, digits and underscores, 40 at most.")
        yield Problem(f"{where}.code", text)
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_NAME:
        yield Problem(f"{where}.name", _("A name has from 1 to 80 characters."))
    yield from check_texts(f"{where}.names", item.get("names", {}), LONGEST_NAME)


def check_texts(where: str, texts: Any, longest: int) -> Iterator[Problem]:
    """Texts by language: known languages, each with something to read."""
    if not isinstance(texts, Mapping):
        yield Problem(where, _("It is not an object."))
        return
    known = dict(settings.LANGUAGES)
    for language, text in texts.items():
        if language not in known:
            told = _("There is no language “%(name)s”. There are: %(names)s.")
            names = {"name": language, "names": ", ".join(known)}
            yield Problem(f"{where}.{language}", told % names)
        elif not isinstance(text, str) or not 1 <= len(text.strip()) <= longest:
            told = _("Write from 1 to %(limit)s characters.")
            yield Problem(f"{where}.{language}", told % {"limit": longest})


def check_list(where: str, items: Any, most: int) -> Iterator[Problem]:
    """A list of objects, each with its own code; what is in them is checked by others."""
    if not isinstance(items, list) or len(items) > most:
        yield Problem(where, _("Write a list of at most %(count)s.") % {"count": most})
        return
    for number, item in enumerate(items):
        if isinstance(item, Mapping):
            yield from check_named(f"{where}[{number}]", item)
        else:
            yield Problem(f"{where}[{number}]", _("It is not an object."))
    yield from check_repeated(where, items)


def check_keys(where: str, item: Mapping[str, Any], known: set[str]) -> Iterator[Problem]:
    """Nothing but what somebody reads: a slip in a key would be lost without a word."""
    for key in item:
        if key not in known:
            text = _("There is no “%(key)s” here. There are: %(names)s.")
            named = {"key": key, "names": ", ".join(sorted(known))}
            yield Problem(f"{where}.{key}", text % named)


def check_repeated(where: str, items: list[Any]) -> Iterator[Problem]:
    """No code twice."""
    codes = Counter(str(item.get("code")) for item in items if isinstance(item, Mapping))
    for code, times in codes.items():
        if times > 1:
            yield Problem(where, _("The code “%(code)s” is repeated.") % {"code": code})


def objects(items: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The objects of what should be a list of them, with their place in it."""
    if not isinstance(items, list):
        return []
    return [(place, item) for place, item in enumerate(items) if isinstance(item, Mapping)]


def codes_of(items: Any) -> list[str]:
    """The codes of what should be a list of objects with codes."""
    codes = (item.get("code") for _place, item in objects(items))
    return [code for code in codes if isinstance(code, str)]

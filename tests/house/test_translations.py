"""Every word is translated: all of them into Spanish, what citizens read into all languages."""

import inspect
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import to_locale

from crm.audit.record import record
from crm.audit.words import ACTIONS, FACTS
from crm.kit.policy import catalogue as catalogue_of_rights
from tests.house.messages import Entry, Key, marked, read
from tests.house.sources import ROOT, calls

# What citizens read: public pages, what went wrong, documents and messages sent to them.
CITIZENS = (
    "templates/public/",
    "templates/errors/",
    "templates/layouts/public",
    "templates/reporting/verify",
    "templates/reporting/print",
    "crm/public.py",
    "crm/kit/errors.py",
    "crm/kit/web.py",
    "reporting/verification.py",
    "reporting/wording.py",
    "reporting/voices.py",
    "reporting/case_history.py",
    "reporting/printing.py",
    "templates/reporting/case_history",
    "crm/citizens/story.py",
    "cases/citizen_story.py",
    "cases/timeline.py",
    "channels_app/stories.py",
    "channels_app/wording.py",
    "scheduling/stories.py",
    "campaigns/citizen_story.py",
    "templates/scheduling/_paper",
    "templates/scheduling/_ticket",
    "cases/services/notes.py",
    "channels_app/email/receipts.py",
    "templates/cases/window/",
    "cases/window_forms.py",
    "cases/views/window.py",
    "cases/plain.py",
    "cases/services/access.py",
    "cases/services/filing.py",
    "channels_app/bots/words.py",
    "templates/channels_app/widget",
    "channels_app/views/visitor.py",
    "channels_app/services/mails.py",
    "channels_app/services/visiting.py",
    "templates/scheduling/public/",
    "templates/scheduling/mail/",
    "scheduling/views/public.py",
    "scheduling/public_forms.py",
    "scheduling/presenting.py",
    "scheduling/ical_writing.py",
    "scheduling/services/booking.py",
    "scheduling/services/people.py",
    "scheduling/services/notices.py",
    "templates/campaigns/mail/",
    "templates/campaigns/unsubscribe",
    "templates/campaigns/preferences",
    "templates/campaigns/link_gone",
)
DEFAULT = "es"
SOURCE = "en"  # message ids are its words
OTHERS = [code for code, _name in settings.LANGUAGES if code not in {DEFAULT, SOURCE}]
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w+)\}")
_TAG = re.compile(r"</?(\w+)")


def catalogue_of(language: str) -> Path:
    """Where the language's messages are."""
    return ROOT / "locale" / to_locale(language) / "LC_MESSAGES" / "django.po"


@cache
def catalogue(language: str) -> dict[Key, Entry]:
    """The language's messages that are in use."""
    path = catalogue_of(language)
    assert path.is_file(), f"there is no {path.relative_to(ROOT)}"
    return {entry.key: entry for entry in read(path.read_text()) if not entry.obsolete}


def for_citizens() -> dict[Key, Entry]:
    """The messages that citizens read."""
    return {
        key: entry
        for key, entry in marked().items()
        if any(place.startswith(CITIZENS) for place in entry.places)
    }


def report(language: str, wanted: dict[Key, Entry]) -> list[str]:
    """What is missing, each with a file where it is said."""
    known = catalogue(language)
    missing = []
    for key, entry in wanted.items():
        found = known.get(key)
        if found is None or not found.translated:
            why = "missing" if found is None else "fuzzy" if found.fuzzy else "empty"
            missing.append(f"{why}: {entry.msgid!r} ({min(entry.places)})")
    return sorted(missing)


def say(language: str, missing: list[str]) -> str:
    """The failure in words."""
    first = "\n  ".join(missing[:40])
    return f"{len(missing)} messages of {catalogue_of(language).relative_to(ROOT)}:\n  {first}"


def test_messages_are_found_in_code_and_templates() -> None:
    suffixes = {place.rpartition(".")[2] for entry in marked().values() for place in entry.places}
    assert len(marked()) > 500
    assert len(for_citizens()) > 20
    assert suffixes


def test_spanish_is_whole() -> None:
    missing = report(DEFAULT, marked())
    assert not missing, say(DEFAULT, missing)


@pytest.mark.parametrize("language", OTHERS)
def test_what_citizens_read_is_in_their_language(language: str) -> None:
    missing = report(language, for_citizens())
    assert not missing, say(language, missing)


@pytest.mark.parametrize("language", [DEFAULT, *OTHERS])
def test_a_plural_has_every_form_of_its_language(language: str) -> None:
    """Of three Spanish forms two were given: « 4 conversations at once »."""
    forms = re.search(r"nplurals=(\d)", catalogue_of(language).read_text())
    assert forms is not None
    entries = [entry for entry in catalogue(language).values() if entry.plural]
    short = [one.msgid for one in entries if set(one.translations) != set(range(int(forms[1])))]
    assert not short


@pytest.mark.parametrize("language", [DEFAULT, *OTHERS])
def test_a_translation_keeps_placeholders_and_tags(language: str) -> None:
    broken = []
    for entry in catalogue(language).values():
        if not entry.msgid:
            continue
        for text in filter(None, entry.translations.values()):
            forms = [entry.msgid, entry.plural or entry.msgid]
            said = {match[0] for match in _PLACEHOLDER.finditer(text)}
            allowed = {match[0] for form in forms for match in _PLACEHOLDER.finditer(form)}
            needed = {match[0] for match in _PLACEHOLDER.finditer(forms[1])}
            whole = needed <= said if len(entry.translations) == 1 else True
            tags = {match[1] for match in _TAG.finditer(text)}
            known = {match[1] for form in forms for match in _TAG.finditer(form)}
            if not (said <= allowed and whole and tags <= known):
                broken.append(f"{entry.msgid!r} → {text!r}")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("language", [DEFAULT, *OTHERS])
def test_a_catalogue_compiles(language: str) -> None:
    path = catalogue_of(language)
    assert path.is_file(), f"there is no {path.relative_to(ROOT)}"
    done = subprocess.run(
        ["msgfmt", "--check-format", "-o", "/dev/null", str(path)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_no_catalogue_keeps_what_nobody_says_any_more() -> None:
    gone = sorted(
        f"{language}: {entry.msgid!r}"
        for language in (DEFAULT, *OTHERS)
        if catalogue_of(language).is_file()
        for key, entry in catalogue(language).items()
        if entry.msgid and key not in marked()
    )
    assert not gone, "\n".join(gone[:40])


def test_every_permission_and_audited_act_stands_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    missing = [name for name in (*catalogue_of_rights, *ACTIONS) if f"`{name}`" not in glossary]
    assert not missing


def test_every_fact_that_is_recorded_has_a_name() -> None:
    told = {word.arg for _path, call in calls("record") for word in call.keywords if word.arg}
    told -= set(inspect.signature(record).parameters)
    assert len(told) > 40
    unnamed = sorted(told - set(FACTS))
    assert not unnamed, f"an auditor reads them: name them in crm.audit.words.FACTS: {unnamed}"

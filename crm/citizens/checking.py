"""What is typed about a person, checked and in the one form in which it is kept."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.citizens import identifiers
from crm.citizens.models import Channel, Citizen, Identifier, Need
from crm.kit.errors import Invalid, Text
from crm.kit.forms import YEARS

OLDEST = 130  # years: nobody has lived longer
PERMANENT = date(9999, 1, 1)  # what a DNI says that does not end (Real Decreto 1553/2005, art. 6)
ADDRESSABLE = (
    Channel.PHONE,
    Channel.SMS,
    Channel.WHATSAPP,
    Channel.EMAIL,
    Channel.POST,
    Channel.SOCIAL,
)
"""Channels that have an address to keep; the others are places or moments."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a person is called, and when a natural person was born."""

    kind: str
    name: str
    surname1: str = ""
    surname2: str = ""
    birth_date: date | None = None


@dataclass(frozen=True, slots=True)
class NewIdentifier:
    """An identification number as it was given."""

    kind: str
    value: str
    country: str = "ES"
    valid_until: date | None = None
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class NewContactPoint:
    """A telephone, mailbox or address as it was given; `key` is what it is compared by."""

    channel: str
    address: str
    postal_code: str = ""
    municipality: str = ""  # INE code
    locality: str = ""
    preferred: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """In which language, by which channel and with what care a person is to be attended."""

    language: str = "es"
    preferred_channel: str = ""
    accessibility_needs: Sequence[str] = ()


class Errors:
    """Collects what is wrong, field by field, so that it is told at once."""

    def __init__(self) -> None:
        self.found: dict[str, list[Text]] = {}

    @contextmanager
    def at(self, field: str) -> Iterator[None]:
        """What is Invalid inside belongs to this field (to its own fields below, if it names them)."""
        try:
            yield
        except Invalid as error:
            for inner, messages in (error.errors or {"": [error.message]}).items():
                name = ".".join(part for part in (field, inner) if part)
                self.found.setdefault(name, []).extend(messages)

    def refuse(self) -> None:
        """Raise Invalid if anything was wrong."""
        if self.found:
            raise Invalid(errors=self.found)


def text(raw: str, longest: int) -> str:
    """The text in composed characters and single spaces; refused when too long or not printable."""
    clean = " ".join(unicodedata.normalize("NFC", raw).split())
    if len(clean) > longest:
        raise Invalid(
            _("The text is too long: it may have %(limit)s characters.") % {"limit": longest}
        )
    if not clean.isprintable():
        raise Invalid(_("The text has characters that cannot be printed."))
    return clean


def names(given: Names) -> Names:
    """The names as they are kept. Raises Invalid with the errors of each field."""
    errors = Errors()
    legal = given.kind == Citizen.Kind.LEGAL
    clean: dict[str, str] = {}
    for field, longest in (("name", 150), ("surname1", 100), ("surname2", 100)):
        with errors.at(field):
            clean[field] = text(getattr(given, field), longest)
    with errors.at("kind"):
        if given.kind not in Citizen.Kind.values:
            raise Invalid(_("Choose natural or legal person."))
    with errors.at("name"):
        if clean.get("name") == "":
            raise Invalid(_("Write the name."))
        if "name" in clean and not any(char.isalnum() for char in clean["name"]):
            raise Invalid(_("A name has letters."))
    with errors.at("surname1"):
        if legal and (clean.get("surname1") or clean.get("surname2")):
            raise Invalid(_("A legal person has no surnames."))
        if clean.get("surname2") and clean.get("surname1") == "":
            raise Invalid(_("Write the first surname before the second."))
    with errors.at("birth_date"):
        if legal and given.birth_date:
            raise Invalid(_("A legal person has no date of birth."))
        _possible_birth(given.birth_date)
    errors.refuse()
    return Names(birth_date=given.birth_date, kind=given.kind, **clean)


def _possible_birth(day: date | None) -> None:
    today = timezone.localdate()
    if day and day > today:
        raise Invalid(_("The date of birth is in the future."))
    if day and today.year - day.year > OLDEST:
        raise Invalid(_("The date of birth is too long ago."))


def identifier(given: NewIdentifier, person_kind: str) -> NewIdentifier:
    """The number as it is kept, its digits checked, fit for this kind of person."""
    if given.kind not in Identifier.Kind.values:
        raise Invalid(_("Choose a kind of identification number."))
    value = identifiers.validate(given.kind, given.value).value
    legal = person_kind == Citizen.Kind.LEGAL
    if given.kind == Identifier.Kind.CIF and not legal:
        raise Invalid(_("A CIF identifies legal persons only."))
    if given.kind not in (Identifier.Kind.CIF, Identifier.Kind.FOREIGN) and legal:
        raise Invalid(_("A legal person is identified by its CIF or a foreign number."))
    country = given.country.strip().upper() or "ES"
    if given.kind not in (Identifier.Kind.PASSPORT, Identifier.Kind.FOREIGN):
        country = "ES"
    elif not re.fullmatch(r"[A-Z]{2}", country):
        raise Invalid(_("Write the country with its two letters."))
    validity(given.valid_from, given.valid_until)
    return replace(given, value=value, country=country)


def validity(first: date | None, last: date | None) -> None:
    """Refuses a paper that ends before it begins, or on no day that a paper can name."""
    for name, day in (("valid_from", first), ("valid_until", last)):
        if day and day.year not in YEARS and (name, day) != ("valid_until", PERMANENT):
            raise Invalid(errors={name: [_("The year must lie between 1800 and 2199.")]})
    if first and last and last < first:
        raise Invalid(errors={"valid_until": [_("The last day comes before the first.")]})


def contact_point(given: NewContactPoint) -> NewContactPoint:
    """The contact point as it is kept, with the key it is compared by."""
    if given.channel not in ADDRESSABLE:
        raise Invalid(_("Choose a channel that has an address."))
    if given.channel in (Channel.PHONE, Channel.SMS, Channel.WHATSAPP):
        address = identifiers.normalise_phone(given.address)
        return NewContactPoint(given.channel, address, preferred=given.preferred, key=address)
    if given.channel == Channel.EMAIL:
        address = identifiers.normalise_email(given.address)
        return NewContactPoint(
            given.channel, address, preferred=given.preferred, key=address.lower()
        )
    if given.channel == Channel.SOCIAL:
        address = text(given.address, 300)
        return NewContactPoint(
            given.channel, _something(address), preferred=given.preferred, key=address.casefold()
        )
    return _postal(given)


def _postal(given: NewContactPoint) -> NewContactPoint:
    errors = Errors()
    clean: dict[str, str] = {}
    with errors.at("address"):
        clean["address"] = _something(text(given.address, 300))
    with errors.at("locality"):
        clean["locality"] = text(given.locality, 100)
    for field, read in (
        ("postal_code", identifiers.normalise_postal_code),
        ("municipality", identifiers.normalise_municipality),
    ):
        raw = getattr(given, field)
        with errors.at(field):
            clean[field] = read(raw) if raw.strip() else ""
    errors.refuse()
    key = identifiers.folded(" ".join((clean["address"], clean["postal_code"], clean["locality"])))
    return NewContactPoint(given.channel, preferred=given.preferred, key=key[:300], **clean)


def _something(clean: str) -> str:
    if not clean:
        raise Invalid(_("Write the address."))
    return clean


def wishes(given: Wishes) -> Wishes:
    """The wishes, each one known. Raises Invalid with the errors of each field."""
    errors = Errors()
    with errors.at("language"):
        if given.language not in dict(settings.LANGUAGES):
            raise Invalid(_("Choose one of the languages."))
    with errors.at("preferred_channel"):
        if given.preferred_channel and given.preferred_channel not in Channel.values:
            raise Invalid(_("Choose one of the channels."))
    with errors.at("accessibility_needs"):
        if not set(given.accessibility_needs) <= set(Need.values):
            raise Invalid(_("Choose among the accessibility needs."))
    errors.refuse()
    needs = tuple(need for need in Need.values if need in given.accessibility_needs)
    return replace(given, accessibility_needs=needs)

"""An organisation's own data: made by whoever runs the installation, changed by its administrators."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.audit.record import record, record_by_itself
from crm.kit.actor import Actor, Door
from crm.kit.errors import Changed, Invalid, Text
from crm.kit.files import FileRefused, preview, store
from crm.kit.policy import require
from crm.organisations import calendars, dir3, options
from crm.organisations.branding import check_accent
from crm.organisations.models import Layer, OpeningHours, Organisation, Unit, WorkingCalendar
from crm.organisations.permissions import CHANGE_ORGANISATION
from crm.organisations.services.working_time import load_public_holidays

LOGO_EDGE = 512  # pixels
MOST_SEATS = 1_000_000
_CODE = re.compile(r"[A-Z][A-Z0-9-]{1,11}")
_MUNICIPALITY = re.compile(r"(0[1-9]|[1-4][0-9]|5[0-2])[0-9]{3}")  # INE: province and number
_USUAL_HOURS = (time(9), time(14))  # Monday to Friday, until somebody says otherwise


@transaction.atomic
def create_organisation(
    *,
    code: str,
    name: str,
    short_name: str = "",
    dir3_code: str = "",
    region: str | None = None,
    municipality: str | None = None,
    languages: Sequence[str] = ("es",),
    door: Door = Door.COMMAND,
) -> Organisation:
    """There is a new organisation with its first unit and a calendar: the official holidays of its
    region (a code of calendars.REGIONS), its own local ones still to be entered, usual hours.

    For whoever runs the installation; nobody works in it yet.
    """
    organisation = Organisation(code=code.strip().upper())
    errors: dict[str, list[Text]] = {}
    if not _CODE.fullmatch(organisation.code):
        errors["code"] = [_("Use 2 to 12 capital letters, digits or dashes.")]
    elif Organisation.objects.unscoped("codes are unique").filter(code=organisation.code).exists():
        errors["code"] = [_("There is already an organisation with this code.")]
    if region is not None and region not in calendars.REGIONS:
        errors["region"] = [_("There is no such region: use a code such as MD.")]
    if municipality is not None and not _MUNICIPALITY.fullmatch(municipality):
        errors["municipality"] = [_("Use the five digits of the INE, such as 28079.")]
    errors |= _fill(
        organisation,
        name=name,
        short_name=short_name,
        dir3_code=dir3_code,
        accent=organisation.accent,
        languages=languages,
        time_zone="Atlantic/Canary" if region == "CN" else organisation.time_zone,
    )
    if errors:
        raise Invalid(errors=errors)
    organisation.save()
    organisation.calendar = _first_calendar(organisation, region, municipality)
    organisation.save()
    Unit.objects.create(
        organisation=organisation,
        name=organisation.name,
        code=organisation.code,
        dir3_code=organisation.dir3_code,
    )
    record_by_itself(
        CHANGE_ORGANISATION,
        organisation_id=organisation.pk,
        door=door,
        act="created",
        code=organisation.code,
        name=organisation.name,
    )
    return organisation


@transaction.atomic
def set_seats(code: str, seats: int, *, door: Door = Door.COMMAND) -> Organisation:
    """So many people may work in the organisation. Whoever does already goes on, also beyond it.

    For whoever runs the installation: an administrator asks them for more.
    """
    organisation = (
        Organisation.objects.unscoped("the installation's own to decide")
        .select_for_update(of=["self"])
        .get_or_refuse(code=code)
    )
    if not 1 <= seats <= MOST_SEATS:
        raise Invalid(errors={"seats": [_("Write a number from 1 to 1,000,000.")]})
    before, organisation.seat_limit = organisation.seat_limit, seats
    if seats != before:
        organisation.save(update_fields=["seat_limit", "updated_at"])
        record_by_itself(
            CHANGE_ORGANISATION,
            organisation_id=organisation.pk,
            door=door,
            act="changed",
            before={"seats": before},
            after={"seats": seats},
        )
    return organisation


@transaction.atomic
def change_organisation(
    actor: Actor,
    *,
    name: str,
    short_name: str,
    dir3_code: str,
    accent: str,
    languages: Sequence[str],
    time_zone: str,
    calendar_id: UUID | None,
    seen: str = "",
) -> Organisation:
    """The organisation has this name, colour, languages (its own first), time zone and calendar.

    `seen` is the fingerprint of what was corrected; Changed when it is another by now.
    """
    organisation = _lock(actor, seen)
    before = _facts(organisation)
    calendar = None
    if calendar_id is not None:
        calendar = WorkingCalendar.objects.for_actor(actor).filter(uuid=calendar_id).first()
    errors = _fill(
        organisation,
        name=name,
        short_name=short_name,
        dir3_code=dir3_code,
        accent=accent,
        languages=languages,
        time_zone=time_zone,
    )
    if calendar_id is not None and calendar is None:
        errors["calendar"] = [_("Choose one of the calendars of the list.")]
    if errors:
        raise Invalid(errors=errors)
    organisation.calendar = calendar
    organisation.units_version += 1  # time zone and calendar are cached by it
    _save(actor, organisation, before)
    return organisation


@transaction.atomic
def change_options(actor: Actor, changes: Mapping[str, Any], *, seen: str = "") -> Organisation:
    """The organisation has decided these options (crm.organisations.options)."""
    organisation = _lock(actor, seen)
    before = _facts(organisation)
    options.write(organisation, changes)
    _save(actor, organisation, before)
    return organisation


def set_logo(actor: Actor, chunks: Iterable[bytes], filename: str) -> Organisation:
    """The organisation shows this logo, drawn anew from its pixels: no drawing language, no metadata.

    Raises FileRefused for anything but a picture.
    """
    require(actor, CHANGE_ORGANISATION, Organisation.objects.for_actor(actor).get())
    stored = store(chunks, filename)
    picture = None
    if stored.media_type.startswith("image/"):
        picture = preview(stored.path, stored.media_type, edge=LOGO_EDGE)
    if picture is None:
        raise FileRefused("logo_kind", _("Use a picture: PNG, JPEG, GIF or WebP."), stored.name)
    kept = store([picture], "logo.webp")
    return _change_logo(actor, kept.path)


def remove_logo(actor: Actor) -> Organisation:
    """The organisation shows its initials again."""
    return _change_logo(actor, "")


@transaction.atomic
def _change_logo(actor: Actor, path: str) -> Organisation:
    organisation = _lock(actor)
    before = _facts(organisation)
    organisation.logo = path
    _save(actor, organisation, before)
    return organisation


def fingerprint(organisation: Organisation) -> str:
    """Another one as soon as anything that is set of the organisation is another."""
    facts = json.dumps(_facts(organisation), sort_keys=True, default=str)
    return hashlib.sha256(facts.encode()).hexdigest()


def _lock(actor: Actor, seen: str = "") -> Organisation:
    organisation = Organisation.objects.for_actor(actor).select_for_update(of=["self"]).get()
    require(actor, CHANGE_ORGANISATION, organisation)
    if seen and seen != fingerprint(organisation):
        raise Changed(_("Somebody else has changed this. Compare before saving again."))
    return organisation


def _save(actor: Actor, organisation: Organisation, before: Mapping[str, Any]) -> None:
    after = _facts(organisation)
    changed = [fact for fact in after if after[fact] != before[fact]]
    if not changed:
        return
    organisation.save()
    record(
        actor,
        CHANGE_ORGANISATION,
        organisation,
        act="changed",
        before={fact: before[fact] for fact in changed},
        after={fact: after[fact] for fact in changed},
    )


def _fill(
    organisation: Organisation,
    *,
    name: str,
    short_name: str,
    dir3_code: str,
    accent: str,
    languages: Sequence[str],
    time_zone: str,
) -> dict[str, list[Text]]:
    """Set what people type; the errors of each field."""
    errors: dict[str, list[Text]] = {}
    organisation.name, organisation.short_name = (
        " ".join(name.split()),
        " ".join(short_name.split()),
    )
    organisation.languages = list(dict.fromkeys(languages))
    organisation.time_zone = time_zone
    if not 1 <= len(organisation.name) <= 200:
        errors["name"] = [_("Write a name of at most 200 characters.")]
    if len(organisation.short_name) > 60:
        errors["short_name"] = [_("Write at most 60 characters.")]
    if not languages or set(languages) - set(dict(settings.LANGUAGES)):
        errors["languages"] = [_("Choose at least one language of the list.")]
    if time_zone not in available_timezones():
        errors["time_zone"] = [_("Choose one of the list.")]
    try:
        organisation.accent = check_accent(accent)
    except Invalid as error:
        errors["accent"] = [error.message]
    errors |= _fill_dir3(organisation, dir3_code)
    return errors


def _fill_dir3(organisation: Organisation, raw: str) -> dict[str, list[Text]]:
    try:
        organisation.dir3_code = dir3.normalise(raw) if raw.strip() else ""
    except Invalid as error:
        return {"dir3_code": [error.message]}
    others = Organisation.objects.unscoped("DIR3 codes are unique").exclude(pk=organisation.pk)
    if organisation.dir3_code and others.filter(dir3_code=organisation.dir3_code).exists():
        return {"dir3_code": [_("Another organisation has this DIR3 code.")]}
    return {}


def _facts(organisation: Organisation) -> dict[str, Any]:
    return {
        "name": organisation.name,
        "short_name": organisation.short_name,
        "dir3_code": organisation.dir3_code,
        "accent": organisation.accent,
        "logo": organisation.logo,
        "languages": list(organisation.languages),
        "time_zone": organisation.time_zone,
        "calendar": organisation.calendar.code if organisation.calendar else "",
        "options": dict(organisation.options),
    }


def _first_calendar(
    organisation: Organisation, region: str | None, municipality: str | None
) -> WorkingCalendar:
    """A local calendar over the official ones, for the two days that each town hall sets."""
    calendar = WorkingCalendar.objects.create(
        organisation=organisation,
        layer=Layer.LOCAL,
        name=organisation.short_name or organisation.name[:120],
        code=municipality or organisation.code,
        base=load_public_holidays(region),
    )
    opens, closes = _USUAL_HOURS
    OpeningHours.objects.bulk_create(
        OpeningHours(calendar=calendar, weekday=weekday, opens=opens, closes=closes)
        for weekday in range(5)
    )
    return calendar

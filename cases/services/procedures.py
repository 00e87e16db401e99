"""The catalogue of procedures: writing one down, publishing and retiring it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases.fields import check_fields, in_order
from cases.models import CaseType, Procedure, ProcedureText
from cases.permissions import PUBLISH_CASE_TYPE
from cases.ports import bookable
from cases.services.lifecycle import published_version
from cases.services.places import unit_of
from cases.texts import one_line, paragraphs
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, Text
from crm.kit.policy import require

_LIMITS = {"name": 160, "summary": 400, "term": 240, "fee": 240}  # of ProcedureText
Act = Callable[[Actor, str], Procedure]
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a procedure is in one language; `papers` one a line."""

    name: str
    summary: str
    who: str = ""
    papers: str = ""
    term: str = ""
    fee: str = ""

    def kept(self) -> dict[str, str]:
        """In the form in which they are stored."""
        return {
            "name": one_line(self.name),
            "summary": one_line(self.summary),
            "who": paragraphs(self.who),
            "papers": paragraphs(self.papers),
            "term": one_line(self.term),
            "fee": one_line(self.fee),
        }


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that is said of a procedure. UUIDs and codes, as they come through any door."""

    case_type: str
    unit: UUID
    texts: Mapping[str, Words]
    silence: str = Procedure.Silence.NONE
    informs: bool = False
    appointment: bool = False
    booking: str = ""  # code of what is booked; it makes an appointment of it
    form: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def create_procedure(actor: Actor, code: str, said: Description) -> Procedure:
    """The procedure is a draft of the catalogue."""
    require(actor, PUBLISH_CASE_TYPE)
    if not _CODE.fullmatch(code):
        text = _("A code is made of small letters, digits and dashes, 60 at most.")
        raise Invalid(errors={"code": [text]})
    procedure = Procedure(organisation_id=actor.organisation_id, code=code)
    _describe(actor, procedure, said)
    try:
        with transaction.atomic():
            procedure.save(force_insert=True)
    except IntegrityError:
        raise Invalid(
            errors={"code": [_("There is already a procedure with this code.")]}
        ) from None
    _write_texts(actor, procedure, said.texts)
    record(actor, PUBLISH_CASE_TYPE, procedure, created=True)
    return procedure


@transaction.atomic
def change_procedure(
    actor: Actor, code: str, said: Description, *, seen: datetime | None = None
) -> Procedure:
    """The procedure says this from now on, to citizens too when it is published."""
    procedure = _fetch(actor, code)
    if seen is not None and procedure.updated_at != seen:
        raise Changed(_("Somebody else has changed it since you opened it."))
    _describe(actor, procedure, said)
    procedure.save()
    _write_texts(actor, procedure, said.texts)
    record(actor, PUBLISH_CASE_TYPE, procedure)
    return procedure


@transaction.atomic
def publish_procedure(actor: Actor, code: str) -> Procedure:
    """Citizens see the procedure and can apply for it."""
    procedure = _fetch(actor, code)
    published_version(actor, procedure.case_type.code)
    if not procedure.texts.filter(language="es").exists():
        raise Conflict("procedure_without_words", _("It needs its words in Spanish first."))
    return _enter(actor, procedure, Procedure.Status.PUBLISHED)


@transaction.atomic
def retire_procedure(actor: Actor, code: str) -> Procedure:
    """Citizens no longer see the procedure; cases that it opened go on."""
    return _enter(actor, _fetch(actor, code), Procedure.Status.RETIRED)


def _enter(actor: Actor, procedure: Procedure, status: Procedure.Status) -> Procedure:
    if procedure.status != status:
        procedure.status = status
        procedure.save(update_fields=["status", "updated_at"])
        record(actor, PUBLISH_CASE_TYPE, procedure, status=status.value)
    return procedure


def _fetch(actor: Actor, code: str) -> Procedure:
    procedure = (
        Procedure.objects.for_actor(actor)
        .select_related("case_type")
        .select_for_update(of=("self",))
        .get_or_refuse(code=code)
    )
    require(
        actor, PUBLISH_CASE_TYPE, CaseType.objects.for_actor(actor).get(pk=procedure.case_type_id)
    )
    return procedure


def _describe(actor: Actor, procedure: Procedure, said: Description) -> None:
    version = published_version(actor, said.case_type)
    form = in_order(said.form)
    errors: dict[str, list[Text]] = {}
    for problem in check_fields(form):
        errors.setdefault("form", []).append(f"{problem.where}: {problem.message}")
    if not errors and form:
        missing = set(version.bundle.get("fields", {}).get("required", ())) - set(
            form.get("required", ())
        )
        if missing:
            text = _("The kind of case requires these fields, so the form must: %(names)s.")
            errors["form"] = [text % {"names": ", ".join(sorted(missing))}]
    if said.silence not in Procedure.Silence.values:
        errors["silence"] = [_("Choose one of the offered values.")]
    if said.booking not in {"", procedure.booking, *bookable(actor)}:
        errors["booking"] = [_("Choose one of the offered values.")]
    _check_texts(said.texts, errors)
    unit = unit_of(actor, said.unit)
    if errors:
        raise Invalid(errors=errors)
    procedure.case_type, procedure.unit = version.case_type, unit
    procedure.silence, procedure.booking = said.silence, said.booking
    procedure.informs = said.informs
    procedure.appointment = said.appointment or bool(said.booking)
    procedure.form = dict(form)


def _check_texts(texts: Mapping[str, Words], errors: dict[str, list[Text]]) -> None:
    known = dict(settings.LANGUAGES)
    if "es" not in texts:
        errors["es.name"] = [_("This field is required.")]
    for language, words in texts.items():
        if language not in known:
            errors["language"] = [_("Choose one of the offered values.")]
        kept = words.kept()
        for name in ("name", "summary"):
            if not kept[name]:
                errors[f"{language}.{name}"] = [_("This field is required.")]
        for name, limit in _LIMITS.items():
            if len(kept[name]) > limit:
                text = _("Write at most %(limit)s characters.") % {"limit": limit}
                errors[f"{language}.{name}"] = [text]


def _write_texts(actor: Actor, procedure: Procedure, texts: Mapping[str, Words]) -> None:
    """One row for each language; a language that is left out is no longer spoken."""
    rows = {
        row.language: row
        for row in ProcedureText.objects.for_actor(actor).filter(procedure=procedure)
    }
    for language, row in rows.items():
        if language not in texts:
            row.delete()
    for language, words in texts.items():
        row = rows.get(language) or ProcedureText(procedure=procedure, language=language)
        for name, value in words.kept().items():
            setattr(row, name, value)
        row.save()

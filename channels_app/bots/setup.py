"""Choosing the language model that phrases an organisation's answers, and trying whether it does."""

from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from channels_app.bots import phrasing
from channels_app.models import ModelServer
from channels_app.permissions import MANAGE_CHANNELS
from crm.audit.record import record
from crm.integrations import ai
from crm.integrations.language import ModelUnavailable, Passage
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.http import may_be_called
from crm.kit.policy import require


@dataclass(frozen=True, kw_only=True)
class ServerSaid:
    """What an administrator says of the server. An empty key leaves the one that is kept."""

    is_on: bool
    url: str = ""
    model: str = ""
    key: str = ""
    seconds: int = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """What the model made of a question to which the answer is known: its words, or why there are none."""

    text: str = ""
    problem: str = ""


def server_of(actor: Actor) -> ModelServer:
    """The organisation's, as it is kept or as it is while nobody has said anything."""
    found = ModelServer.objects.for_actor(actor).first()
    return found or ModelServer(organisation_id=actor.organisation_id)


@transaction.atomic
def save_server(actor: Actor, said: ServerSaid) -> ModelServer:
    """The answers of the organisation's first level are phrased so from now on, or by nobody."""
    require(actor, MANAGE_CHANNELS)
    row = (ModelServer.objects.for_actor(actor).select_for_update().first()) or ModelServer(
        organisation_id=actor.organisation_id
    )
    made = row.pk is None
    url, model = said.url.strip().rstrip("/"), said.model.strip()
    _check(said.is_on, url, model)
    kept = row.key if url == row.url else ""  # it goes to no other server than it was given for
    row.is_on, row.url, row.seconds = said.is_on, url, said.seconds
    row.model = model if url else ""
    row.key = (said.key or kept) if url else ""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("changed", _("Somebody else has changed it since you opened it.")) from None
    record(actor, MANAGE_CHANNELS, row, act="created" if made else "changed", is_active=row.is_on)
    return row


def try_server(actor: Actor) -> Tried:
    """The model that is kept has been asked something of no citizen's."""
    require(actor, MANAGE_CHANNELS)
    row = server_of(actor)
    model = ai.language_model(row.url, row.model, row.key)
    if model is None:
        return Tried(problem=str(_("There is no server to try.")))
    question = _("When is the office open?")
    passage = Passage(1, _("Opening hours"), _("The office is open from 9:00 to 14:00."))
    try:
        draft = model.draft(phrasing.asked(question, "es"), [passage], seconds=row.seconds)
        tried = Tried(text=draft.text[: phrasing.LONGEST])
        ai.circuit_of(model).succeeded()
    except ModelUnavailable as error:
        tried = Tried(problem=str(_reasons().get(error.code, _("It cannot be reached."))))
    with transaction.atomic():
        record(
            actor, MANAGE_CHANNELS, row if row.pk else None, act="tried", failed=bool(tried.problem)
        )
    return tried


def _check(is_on: bool, url: str, model: str) -> None:
    errors: dict[str, list[Text]] = {}
    if url and not may_be_called(url):
        text = _("Write an address with https://, or one that the operator has allowed.")
        errors["url"] = [text]
    if url and not model:
        errors["model"] = [_("Say which model is asked.")]
    if is_on and not url and not settings.LANGUAGE_MODEL_URL:
        errors["url"] = [
            _("The installation has no server of its own: write the address of yours.")
        ]
    if errors:
        raise Invalid(errors=errors)


def _reasons() -> dict[str, str]:
    return {
        "no_answer": _("It answers, but says not on which text it rests: another model may."),
        "timeout": _("It took too long."),
        "status": _("It refuses. Look at the address, the model and the key."),
        "protocol": _("What it answers is not of this protocol."),
        "too_large": _("What it answers is too large."),
        "address": _("The operator does not allow this address to be called."),
    }

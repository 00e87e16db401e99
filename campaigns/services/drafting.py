"""Verbs before a campaign is sent: write, try, ask for approval, approve or return."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import mailing, segments
from campaigns.models import AllowedDestination, Campaign, Segment, Template, TemplateVersion
from campaigns.permissions import (
    APPROVE_CAMPAIGN,
    DESIGN_CAMPAIGN,
    PREVIEW_RECIPIENTS,
)
from campaigns.rendering import (
    MissingValue,
    Rendered,
    host_of,
    placeholders,
    targets,
    typed,
)
from campaigns.selectors import best_mailboxes
from campaigns.services.templates import latest
from campaigns.services.writing import change, fetch, require_state
from crm.audit.record import record
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Topic
from crm.kit import outbox
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import require

TEST_MAIL = "campaigns.test_mail"
PREVIEWED = 20  # recipients that can be looked at one after the other
LONGEST_WINDOW = timedelta(days=60)
_COUNTED = 1_000  # recipients without a value, counted so far
State = Campaign.State


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign is to be."""

    name: str
    topic: UUID
    segment: UUID
    template: UUID
    send_at: datetime | None
    send_not_after: datetime
    values: Mapping[str, str]
    rate_per_minute: int | None = None
    max_error_rate: int = 10


@transaction.atomic
def create_campaign(actor: Actor, wanted: Wanted) -> Campaign:
    """There is a draft."""
    require(actor, DESIGN_CAMPAIGN)
    row = Campaign(
        organisation_id=actor.organisation_id,
        created_by_id=actor.user_id,
        created_by_name=actor.name[:200],
    )
    _fill(actor, row, wanted)
    row.save()
    record(actor, DESIGN_CAMPAIGN, row, created=True)
    return row


@transaction.atomic
def change_campaign(actor: Actor, campaign: UUID, wanted: Wanted) -> Campaign:
    """The draft reads so. What waits, is approved or was sent cannot be changed."""
    row = fetch(actor, campaign)
    require(actor, DESIGN_CAMPAIGN, row)
    require_state(row, State.DRAFT)
    _fill(actor, row, wanted)
    row.save()
    record(actor, DESIGN_CAMPAIGN, row, changed=True)
    return row


def _fill(actor: Actor, row: Campaign, wanted: Wanted) -> None:
    errors: dict[str, list[Text]] = {}
    row.name = " ".join(wanted.name.split())[:160]
    if not row.name:
        errors["name"] = [_("This field is required.")]
    now = timezone.now()
    if wanted.send_not_after <= max(wanted.send_at or now, now):
        errors["send_not_after"] = [_("It must be later than the moment of sending.")]
    elif wanted.send_not_after > max(wanted.send_at or now, now) + LONGEST_WINDOW:
        errors["send_not_after"] = [_("It must not be later than 60 days after the beginning.")]
    row.topic = Topic.objects.for_actor(actor).get_or_refuse(uuid=wanted.topic, ended_at=None)
    row.segment = Segment.objects.for_actor(actor).get_or_refuse(
        uuid=wanted.segment, archived_at=None
    )
    row.template = Template.objects.for_actor(actor).get_or_refuse(
        uuid=wanted.template, archived_at=None
    )
    row.send_at, row.send_not_after = wanted.send_at, wanted.send_not_after
    row.rate_per_minute, row.max_error_rate = wanted.rate_per_minute, wanted.max_error_rate
    version = latest(row.template)
    row.values = {}
    for hole in placeholders(version.texts if version else {}):
        given = wanted.values.get(hole.name, "").strip() if hole.own else ""
        try:
            if given:
                row.values[hole.name] = typed(hole.type, given)
        except ValueError:
            errors[f"value-{hole.name}"] = [_("It is not a value of this type.")]
    if errors:
        raise Invalid(errors=errors)


def current_version(campaign: Campaign) -> TemplateVersion:
    """The words that would be sent: those approved, or the template's latest."""
    version = campaign.version or latest(campaign.template)
    assert version is not None, "a template is saved with its first version"
    return version


def require_sendable(campaign: Campaign) -> None:
    """Invalid, naming each thing, when something would be missing in somebody's message."""
    version = current_version(campaign)
    problems: list[Text] = [
        _("((%(name)s)) has no value.") % {"name": hole.name}
        for hole in placeholders(version.texts)
        if hole.own and not hole.optional and not campaign.values.get(hole.name)
    ]
    tree = campaign.tree if campaign.tree is not None else campaign.segment.tree
    people = segments.reachable(campaign.organisation_id, tree)
    if not people.exists():
        problems.append(_("Nobody with a mailbox meets the conditions of the audience."))
    problems += _without_town(campaign, version, people)
    try:
        problems += _forbidden(campaign, version)
    except MissingValue as missing:
        problems.append(_("((%(name)s)) has no value.") % {"name": missing.name})
    if problems:
        raise Invalid(
            " ".join(map(str, dict.fromkeys(problems))),
            code="campaign_not_ready",
            errors={"": list(dict.fromkeys(problems))},
        )


def _without_town(campaign: Campaign, version: TemplateVersion, people: Any) -> list[Text]:
    """Of what is known of recipients only the town may be missing: names and organisation never are."""
    needed = {hole.name for hole in placeholders(version.texts) if not hole.optional}
    if "municipality" not in needed:
        return []
    homes = ContactPoint.objects.unscoped("of the campaign's organisation").filter(
        organisation=campaign.organisation_id,
        citizen=OuterRef("citizen"),
        channel=Channel.POST,
        ended_at=None,
    )
    without = people.exclude(Exists(homes.exclude(locality=""))).order_by().values("pk")
    count = without[:_COUNTED].count()
    if not count:
        return []
    text = _(
        "((municipality)): %(count)s recipients have no value, and it has no words to stand in."
        " Write ((municipality|…))."
    )
    return [text % {"count": f"{count}{'+' if count == _COUNTED else ''}"}]


def _forbidden(campaign: Campaign, version: TemplateVersion) -> list[Text]:
    allowed = AllowedDestination.objects.unscoped("of the campaign's organisation").filter(
        organisation=campaign.organisation_id
    )
    hosts = set(allowed.values_list("host", flat=True))
    found: list[Text] = []
    for target in targets(version.texts, campaign.values):
        try:
            host = host_of(target)
        except Invalid as error:
            found.append(error.message)
            continue
        if not any(host == known or host.endswith(f".{known}") for known in hosts):
            found.append(_("Links may not lead to %(host)s.") % {"host": host})
    return found


@transaction.atomic
def submit_campaign(actor: Actor, campaign: UUID) -> Campaign:
    """Somebody else is asked to approve exactly this: words and conditions stand still from now on."""
    row = fetch(actor, campaign)
    require(actor, DESIGN_CAMPAIGN, row)
    require_state(row, State.DRAFT)
    row.version, row.tree = current_version(row), row.segment.tree
    require_sendable(row)
    row.submitted_by_id, row.submitted_by_name = actor.user_id, actor.name[:200]
    row.submitted_at, row.state_reason = timezone.now(), ""
    columns = ("version", "tree", "submitted_by", "submitted_by_name", "submitted_at")
    change(actor, DESIGN_CAMPAIGN, row, State.WAITING, *columns, version=row.version.number)
    return row


@transaction.atomic
def withdraw_campaign(actor: Actor, campaign: UUID) -> Campaign:
    """What was not launched is a draft again, to be changed and approved anew."""
    row = fetch(actor, campaign)
    require(actor, DESIGN_CAMPAIGN, row)
    require_state(row, State.WAITING, State.SCHEDULED, State.NEEDS_ATTENTION)
    row.state_reason = ""
    _forget_approval(row)
    change(actor, DESIGN_CAMPAIGN, row, State.DRAFT, *_APPROVAL, withdrawn=True)
    return row


@transaction.atomic
def approve_campaign(actor: Actor, campaign: UUID) -> Campaign:
    """Somebody other than its authors answers for it: it is sent when its moment comes."""
    row = fetch(actor, campaign)
    require(actor, APPROVE_CAMPAIGN, row)
    require_state(row, State.WAITING)
    if row.send_not_after <= timezone.now():
        raise Conflict("campaign_too_late", _("The last moment for sending it has passed."))
    require_sendable(row)
    row.approved_by_id, row.approved_by_name = actor.user_id, actor.name[:200]
    row.approved_at = timezone.now()
    row.send_at = row.send_at or timezone.now()
    columns = ("approved_by", "approved_by_name", "approved_at", "send_at")
    change(actor, APPROVE_CAMPAIGN, row, State.SCHEDULED, *columns, approved=True)
    return row


@transaction.atomic
def return_campaign(actor: Actor, campaign: UUID, reason: str) -> Campaign:
    """It is a draft again, and its author reads why."""
    row = fetch(actor, campaign)
    require(actor, APPROVE_CAMPAIGN, row)
    require_state(row, State.WAITING)
    row.state_reason = " ".join(reason.split())[:240]
    if not row.state_reason:
        raise Invalid(errors={"reason": [_("State the reason in a few words.")]})
    _forget_approval(row)
    change(actor, APPROVE_CAMPAIGN, row, State.DRAFT, *_APPROVAL, returned=row.state_reason)
    return row


_APPROVAL = ("version", "tree", "approved_by", "approved_by_name", "approved_at")


def _forget_approval(row: Campaign) -> None:
    row.version = row.tree = row.approved_by = row.approved_at = None
    row.approved_by_name = ""


@transaction.atomic
def send_test(actor: Actor, campaign: UUID, language: str, address: str) -> None:
    """A trial is on its way to who asked for it, with the data of nobody."""
    row = fetch(actor, campaign)
    require(actor, DESIGN_CAMPAIGN, row)
    trial(row, language)
    record(actor, DESIGN_CAMPAIGN, row, trial=language)
    payload = {"campaign": row.pk, "language": language, "user": actor.user_id}
    assert address, "an employee has a mailbox"
    outbox.send_later(TEST_MAIL, payload)


def trial(campaign: Campaign, language: str) -> Rendered:
    """The words with made-up data; Invalid, naming it, when a value of the campaign is missing."""
    nobody = Citizen(name="María", surname1="Ejemplo", surname2="Prueba")
    to = mailing.recipient(nobody, language, "Villaejemplo", campaign.organisation)
    try:
        return mailing.words(campaign, current_version(campaign), to)
    except MissingValue as missing:
        text = _("((%(name)s)) has no value.") % {"name": missing.name}
        raise Invalid(text, code="value_missing") from missing


@dataclass(frozen=True, slots=True)
class Preview:
    """A campaign as one recipient will have it."""

    citizen: Citizen
    name: str
    address: str
    refusal: str
    rendered: Rendered | None
    missing: str = ""


@transaction.atomic
def preview_recipient(actor: Actor, campaign: UUID, number: int) -> tuple[Campaign, Preview | None]:
    """What the number-th of some recipients will read, if anything; the look at the person is on record."""
    row = fetch(actor, campaign)
    require(actor, PREVIEW_RECIPIENTS, row)
    tree = row.tree if row.tree is not None else row.segment.tree
    at = max(0, min(number, PREVIEWED - 1))
    found = best_mailboxes(row.organisation_id, tree, row.topic).select_related("citizen")
    points = list(found[at : at + 1])
    if not points:
        return row, None
    point, rendered, missing = points[0], None, ""
    records = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    name = records.get(citizen=point.citizen).shown_name
    record(actor, "viewed", point.citizen, purpose=_("Preview of a campaign"), name=name)
    to = mailing.recipient(
        point.citizen,
        point.language,
        mailing.town_of(row.organisation_id, point.citizen_id),
        row.organisation,
    )
    try:
        rendered = mailing.words(row, current_version(row), to)
    except MissingValue as error:
        missing = error.name
    return row, Preview(point.citizen, name, point.address, point.refusal, rendered, missing)

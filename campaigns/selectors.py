"""Reading campaigns for pages: who would be written to, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Trunc
from django.utils import timezone

from campaigns import segments
from campaigns.models import (
    AgentKind,
    Campaign,
    CampaignRun,
    ClickCount,
    Delivery,
    Hashed,
    ShortLink,
    Suppression,
)
from campaigns.permissions import VIEW_CAMPAIGN
from crm.citizens.models import Channel, CitizenRecord, Consent, ContactPoint, Topic
from crm.kit.actor import Actor
from crm.kit.policy import Decision, decide

BAD_ADDRESS, PROTECTED, WITHDRAWN, NO_CONSENT = (
    "bad_address",
    "protected",
    "withdrawn",
    "no_consent",
)
BUCKETS = 40  # of a chart over time


def mailboxes(organisation_id: int, topic: Topic) -> "QuerySet[ContactPoint]":
    """The organisation's mailboxes with `language` and `refusal`: why nothing about the topic may be sent
    there at this moment, empty when it may. One truth for the launch and for the moment of sending."""
    active = Suppression.objects.unscoped("of the campaign's organisation").filter(
        organisation=organisation_id,
        channel=Channel.EMAIL,
        address_hash=Hashed(OuterRef("address_key")),
        lifted_at=None,
    )
    if not topic.needs_consent:
        active = active.filter(scope=Suppression.Scope.ALL)
    records = CitizenRecord.objects.unscoped("of the campaign's organisation").filter(
        organisation=organisation_id, citizen=OuterRef("citizen")
    )
    points = ContactPoint.objects.unscoped("of the campaign's organisation").filter(
        organisation=organisation_id, channel=Channel.EMAIL, ended_at=None
    )
    refusals = [
        When(Exists(records.filter(protected=True)), then=Value(PROTECTED)),
        When(quality=ContactPoint.Quality.BAD, then=Value(BAD_ADDRESS)),
    ]
    if topic.needs_consent:
        refusals += [
            When(said=Consent.State.WITHDRAWN, then=Value(WITHDRAWN)),
            When(~Q(said=Consent.State.GRANTED) | Q(said=None), then=Value(NO_CONSENT)),
        ]
    return points.annotate(
        said=segments.last_said(topic.pk),
        language=Subquery(records.values("language")[:1]),
        refusal=Coalesce(
            Subquery(active.order_by("pk").values("reason")[:1]),
            Case(*refusals, default=Value(""), output_field=CharField()),
            output_field=CharField(),
        ),
    )


def best_mailboxes(organisation_id: int, tree: Mapping[str, Any], topic: Topic) -> Any:
    """One mailbox for each citizen whom the tree describes: where they may be written to, if anywhere."""
    people = segments.compiled(organisation_id, tree).order_by()
    may = Case(When(refusal="", then=Value(0)), default=Value(1))
    trusted = Case(When(verified_at=None, then=Value(1)), default=Value(0))
    return (
        mailboxes(organisation_id, topic)
        .filter(citizen__in=people.values("citizen"))
        .order_by("citizen_id", may, "-preferred", trusted, "pk")
        .distinct("citizen_id")
    )


def last_run(campaign: Campaign) -> CampaignRun | None:
    """The campaign's run, if it was launched."""
    runs = CampaignRun.objects.unscoped("of a campaign that the caller holds")
    return runs.filter(campaign=campaign).order_by("-number").first()


@dataclass(frozen=True)
class Results:
    """A run in figures: by status, by reason of who was left out, over time, and visits of links."""

    total: int
    by_status: Mapping[str, int]
    by_reason: Mapping[str, int]
    links: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many the mail server took."""
        return sum(self.by_status.get(status, 0) for status in Delivery.LEFT)

    @property
    def waiting(self) -> int:
        """How many are still to be sent."""
        return sum(self.by_status.get(status, 0) for status in Delivery.OPEN)


def results(run: CampaignRun) -> Results:
    """The figures of this moment, counted from the deliveries themselves."""
    rows = Delivery.objects.unscoped("of a run that the caller holds").filter(run=run)
    counted = rows.order_by().values_list("status", "reason").annotate(Count("pk"))
    by_status: dict[str, int] = {}
    by_reason: dict[str, int] = {}
    for status, reason, count in counted:
        by_status[status] = by_status.get(status, 0) + count
        if status in {Delivery.Status.SUPPRESSED, Delivery.Status.FAILED}:
            by_reason[reason] = by_reason.get(reason, 0) + count
    return Results(run.total, by_status, by_reason, link_results(run.campaign_id))


def link_results(campaign: int) -> list[dict[str, Any]]:
    """A campaign's links with their visits, of people and of machines apart."""
    links = ShortLink.objects.unscoped("of a campaign that the caller holds")
    machines = [AgentKind.SCANNER, AgentKind.PREFETCH]
    rows = links.filter(campaign=campaign).annotate(
        people=Coalesce(Sum("counts__count", filter=Q(counts__agent_kind=AgentKind.HUMAN)), 0),
        machines=Coalesce(Sum("counts__count", filter=Q(counts__agent_kind__in=machines)), 0),
        unknown=Coalesce(Sum("counts__count", filter=Q(counts__agent_kind=AgentKind.UNKNOWN)), 0),
    )
    return [
        {
            "link": link,
            "people": link.people,
            "machines": link.machines,
            "unknown": link.unknown,
        }
        for link in rows.order_by("-people", "pk")
    ]


def over_time(run: CampaignRun) -> list[tuple[datetime, int]]:
    """How many left, by the minute, hour or day: whatever gives BUCKETS bars at most."""
    seconds = ((run.finished_at or timezone.now()) - run.started_at).total_seconds()
    unit = next((name for name, size in _UNITS if seconds / size <= BUCKETS), "day")
    rows = Delivery.objects.unscoped("of a run that the caller holds").filter(
        run=run, status__in=Delivery.LEFT
    )
    counted = rows.order_by().annotate(moment=Trunc("settled_at", unit)).values_list("moment")
    return list(counted.annotate(Count("pk")).order_by("moment"))


_UNITS = (("minute", 60), ("hour", 3600), ("day", 86_400))


def visits_by_day(campaign: Campaign) -> list[tuple[Any, int]]:
    """How often people followed the campaign's links, day by day."""
    rows = ClickCount.objects.unscoped("of a campaign that the caller holds").filter(
        link__campaign=campaign, agent_kind=AgentKind.HUMAN
    )
    return list(rows.order_by().values_list("day").annotate(Sum("count")).order_by("day"))


def may_follow(actor: Actor, key: str) -> Decision:
    """Whether the actor may follow a campaign's stream."""
    try:
        uuid = UUID(key)
    except ValueError:
        return Decision(False)
    row = Campaign.objects.for_actor(actor).filter(uuid=uuid).first()
    return decide(actor, VIEW_CAMPAIGN, row) if row else Decision(False)

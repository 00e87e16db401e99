"""Telling people: one row each, as each of them chose, never twice and never of one's own act."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm.accounts.models import Membership, User
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.notices.kinds import NONE, kinds
from crm.notices.models import Choice, Digest, Notification

READ_KEPT = timedelta(days=30)
KEPT = timedelta(days=90)
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class News:
    """What became true: its kind, what it is about, and a key by which it comes once."""

    kind: str
    thing: str
    thing_id: UUID
    key: str
    at: datetime = field(default_factory=timezone.now)
    actor: int | None = None  # the user who did it, who is not told
    actor_name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def done_by(actor: Actor) -> dict[str, Any]:
    """Who did it, as News holds it."""
    return {"actor": actor.user_id, "actor_name": actor.name[:200]}


@transaction.atomic
def notify(organisation: int, people: Iterable[int], news: News) -> int:
    """Each of these employees has the news, who works there now, did not do it themselves and chose to
    hear of it; how many had not had it yet. The caller gives only those who may see what it is about.

    Statements do not grow with the people, but for one number of each one's live stream.
    """
    keys = {key for key in people if key != news.actor}
    wanted = _wanted(organisation, keys, news.kind) if keys else {}
    rows = Notification.objects.unscoped("for whom they concern").filter(organisation=organisation)
    had = rows.filter(key=news.key, user__in=wanted).values_list("user", flat=True)
    fresh = {key: choice for key, choice in wanted.items() if key not in set(had)}
    if not fresh:
        return 0
    Notification.objects.bulk_create(
        [
            Notification(
                organisation_id=organisation,
                user_id=person,
                kind=news.kind,
                thing=news.thing,
                thing_id=news.thing_id,
                key=news.key,
                at=news.at,
                actor_name=news.actor_name,
                data=dict(news.data),
                in_console=console,
                mail=mail,
            )
            for person, (console, mail) in sorted(fresh.items())
        ],
        ignore_conflicts=True,
    )
    ring(key for key, (console, _mail) in fresh.items() if console)
    return len(fresh)


def ring(people: Iterable[int]) -> None:
    """The bells of these people count anew."""
    found = User.objects.filter(pk__in=list(people)).values_list("uuid", flat=True)
    for stream in sorted(f"news:{uuid}" for uuid in found):  # in order: locks cannot cross
        realtime.append(stream, {"news": True})


def _wanted(organisation: int, people: Collection[int], kind: str) -> dict[int, tuple[bool, str]]:
    """Who of them works there and wants to hear of the kind at all: in the console, and by which e-mail."""
    working = Membership.objects.unscoped("whoever is told").in_force()
    here = working.filter(
        organisation=organisation, user__in=people, user__state=User.State.ACTIVE
    ).values_list("user", flat=True)
    usual = kinds[kind]
    found = dict.fromkeys(here, (usual.console, usual.mail))
    chosen = Choice.objects.unscoped("how they want to hear").filter(
        organisation=organisation, user__in=people, kind=kind
    )
    for person, console, mail in chosen.values_list("user", "console", "mail"):
        if person in found:
            found[person] = (console, mail)
    return {key: way for key, way in found.items() if way != (False, NONE)}


def forget_old() -> int:
    """News that were read a month ago, and all of three months ago, are not kept; how many went."""
    now, gone = timezone.now(), 0
    rows = Notification.objects.unscoped("sweeping").order_by("created_at")
    for old in (
        rows.filter(created_at__lt=now - KEPT),
        rows.filter(created_at__lt=now - READ_KEPT, read_at__lt=now - READ_KEPT),
    ):
        while keys := list(old.values_list("pk", flat=True)[:AT_ONCE]):
            gone += Notification.objects.unscoped("sweeping").filter(pk__in=keys).delete()[0]
    Digest.objects.unscoped("sweeping").filter(created_at__lt=now - KEPT).delete()
    return gone

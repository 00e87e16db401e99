"""News by e-mail: what somebody wants at once, by the hour or by the day, in one message sent once at most.

A message is a row of Digest that its news point to from the transaction that owes it: killed anywhere,
the next run owes only what is left. It is written when it leaves, by the rights of that moment.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from email.utils import formataddr
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Min, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from crm.accounts.actors import actor_for
from crm.accounts.models import Absence, User
from crm.kit import outbox
from crm.kit.actor import Door, Origin
from crm.kit.mail import AutomaticMail, post
from crm.notices.kinds import kinds
from crm.notices.models import Digest, Habits, Mail, Notification
from crm.notices.selectors import shown
from crm.organisations.models import Organisation
from crm.organisations.selectors import organisation_calendar

DIGEST_MAIL = "notices.digest"
PEOPLE_AT_ONCE = 500
IN_ONE = 50
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_SERVES_ALL = "a worker writes to each person"


def owe_digests(now: datetime | None = None) -> int:
    """Everybody whose hour it is is owed one message with the news that they want by e-mail; how many."""
    now = now or timezone.now()
    owed = 0
    for organisation, waiting in groupby(_owed(), key=itemgetter(0)):
        habits = Habits.objects.unscoped(_SERVES_ALL).filter(organisation=organisation)
        theirs = {row.user_id: row for row in habits}
        local = now.astimezone(_zone(organisation))
        for _organisation, person, mail, oldest in waiting:
            if _has_waited(theirs.get(person) or Habits(), mail, oldest, local):
                owed += _owe(organisation, person, Mail(mail), now)
    return owed


def _rows(organisation: int, person: int, mail: str) -> "QuerySet[Notification]":
    rows = Notification.objects.unscoped(_SERVES_ALL).filter(
        organisation=organisation, user=person, mail=mail
    )
    return rows.filter(digest=None, read_at=None)


def _owed() -> Iterator[tuple[int, int, str, datetime]]:
    """Whose news wait to be sent, how, and since when the oldest does."""
    waiting = Notification.objects.unscoped(_SERVES_ALL).exclude(mail=Mail.NONE)
    rows = waiting.filter(digest=None, read_at=None).order_by("organisation", "user", "mail")
    people = rows.values_list("organisation", "user", "mail").annotate(oldest=Min("created_at"))
    yield from people.iterator(PEOPLE_AT_ONCE)


def _has_waited(habits: Habits, mail: str, oldest: datetime, local: datetime) -> bool:
    """Whether it may be time: most who wait are passed over by this alone, without a question each."""
    if _is_quiet(habits, local.time()):
        return False
    if mail == Mail.NOW:
        return True
    return oldest <= (local - HOUR if mail == Mail.HOURLY else _last_daily(habits, local))


@transaction.atomic
def _owe(organisation: int, person: int, mail: Mail, now: datetime) -> int:
    user = User.objects.select_for_update(no_key=True).get(pk=person)
    if not _is_time(organisation, user, mail, now):
        return 0
    rows = _rows(organisation, person, mail)
    keys = list(rows.order_by("id").values_list("pk", flat=True))
    if not keys:  # sent or read meanwhile
        return 0
    digest = Digest.objects.create(organisation_id=organisation, user=user, mail=mail)
    rows.filter(pk__in=keys).update(digest=digest)
    outbox.send_later(DIGEST_MAIL, {"digest": digest.pk}, key=str(digest.uuid))
    return 1


def _is_time(organisation: int, user: User, mail: Mail, now: datetime) -> bool:
    """Whether a message may go to the person now: not while they are away, nor in their quiet hours."""
    away = Absence.objects.unscoped(_SERVES_ALL).in_force(now)
    if away.filter(organisation=organisation, user=user).exists():
        return False
    habits = (
        Habits.objects.unscoped(_SERVES_ALL).filter(organisation=organisation, user=user).first()
    )
    habits = habits or Habits()
    local = now.astimezone(_zone(organisation))
    if _is_quiet(habits, local.time()):
        return False
    if mail == Mail.NOW:
        return True
    since = now - HOUR if mail == Mail.HOURLY else _last_daily(habits, local)
    sent = Digest.objects.unscoped(_SERVES_ALL).filter(
        organisation=organisation, user=user, mail=mail, created_at__gt=since
    )
    if sent.exists():
        return False
    if mail == Mail.HOURLY:  # they wait to be together
        return _rows(organisation, user.pk, mail).filter(created_at__lte=now - HOUR).exists()
    return _rows(organisation, user.pk, mail).filter(created_at__lte=since).exists()


def _zone(organisation: int) -> ZoneInfo:
    """By whose clock its people live."""
    found = Organisation.objects.unscoped(_SERVES_ALL).get(pk=organisation)
    return organisation_calendar(found).zone


def _is_quiet(habits: Habits, at: time) -> bool:
    start, end = habits.quiet_from, habits.quiet_to
    if start is None or end is None:
        return False
    return start <= at < end if start < end else at >= start or at < end


def _last_daily(habits: Habits, local: datetime) -> datetime:
    """When the daily message was due last."""
    zone = local.tzinfo
    assert isinstance(zone, ZoneInfo)
    today = datetime.combine(local.date(), habits.daily_at, zone)
    return today if today <= local else today - DAY


# --- What leaves ----------------------------------------------------------------------------------


def send_digest(payload: Mapping[str, Any]) -> None:
    """The mail server has the message, in the person's language; none goes where nothing is left to tell.

    It names no citizen: of each thing its title (a case's number), of each piece of news its kind.
    """
    rows = Digest.objects.unscoped(_SERVES_ALL).select_related("organisation", "user")
    digest = rows.filter(pk=payload["digest"]).first()
    if digest is None:
        return
    actor = actor_for(digest.user, digest.organisation, Origin(Door.TASK))
    if actor is None:  # left or suspended meanwhile
        return
    news = list(digest.news.filter(read_at=None).order_by("-id"))
    with translation.override(digest.user.language):
        seen = shown(actor, {(row.thing, str(row.thing_id)) for row in news})
        told = [
            {
                "title": seen[row.thing, str(row.thing_id)].title,
                "kind": kinds[row.kind].label,
                "actor": row.actor_name,
                "at": row.at,
                "url": f"{settings.PUBLIC_URL}{reverse('notices:open', args=[row.uuid])}",
            }
            for row in news
            if (row.thing, str(row.thing_id)) in seen and row.kind in kinds
        ]
        if told:
            post(_message(digest, told))


def _message(digest: Digest, told: list[dict[str, Any]]) -> EmailMessage:
    subject = ngettext("%(count)s update: %(title)s", "%(count)s updates: %(title)s", len(told))
    titles = list(dict.fromkeys(str(one["title"]) for one in told))
    listed = ", ".join(titles[:3]) + ("…" if len(titles) > 3 else "")
    context = {
        "user": digest.user,
        "organisation": digest.organisation,
        "told": told[:IN_ONE],
        "more": max(0, len(told) - IN_ONE),
        "news_url": f"{settings.PUBLIC_URL}{reverse('notices:list')}",
        "choices_url": f"{settings.PUBLIC_URL}{reverse('notices:choices')}",
    }
    return AutomaticMail(
        subject % {"count": len(told), "title": listed},
        render_to_string("notices/mail/digest.txt", context),
        formataddr((digest.organisation.name, settings.DEFAULT_FROM_EMAIL)),
        [digest.user.email],
    )

"""What each person chose: how they hear of each kind of news, when not, and what is done by itself."""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotFound
from crm.notices.kinds import kinds, switches
from crm.notices.models import Choice, Habits, Mail, Notification


def switched_on(organisation: int, people: Iterable[int], name: str) -> set[int]:
    """Those of them who want that done by itself."""
    keys = set(people)
    rows = Habits.objects.unscoped("what they chose").filter(
        organisation=organisation, user__in=keys, switches__has_key=name
    )
    chosen = {key: bool(said[name]) for key, said in rows.values_list("user", "switches")}
    return {key for key in keys if chosen.get(key, switches[name].default)}


@transaction.atomic
def choose(
    actor: Actor,
    ways: Mapping[str, tuple[bool, str]],
    *,
    daily_at: time | None = None,
    switched: Mapping[str, bool] | None = None,
) -> None:
    """From now on the actor hears of each of these kinds in the console or not, and by such an e-mail;
    Invalid for a kind or way that there is none of. What is left out stays as it is. What waits for an
    e-mail that is no longer wanted waits for none."""
    person = _person(actor)
    wrong = [
        name for name, (_console, mail) in ways.items() if name not in kinds or mail not in Mail
    ]
    wrong += [name for name in switched or () if name not in switches]
    if wrong:
        raise Invalid(errors={name: [_("There is no such choice.")] for name in wrong})
    mine: dict[str, Any] = {"organisation_id": actor.organisation_id, "user": person}
    for name, (console, mail) in ways.items():
        Choice.objects.unscoped("the person's own").update_or_create(
            **mine, kind=name, defaults={"console": console, "mail": mail}
        )
    silent = [name for name, (_console, mail) in ways.items() if mail == Mail.NONE]
    waiting = Notification.objects.unscoped("the person's own").filter(**mine, kind__in=silent)
    waiting.filter(digest=None, read_at=None).exclude(mail=Mail.NONE).update(mail=Mail.NONE)
    habits, _new = Habits.objects.unscoped("the person's own").get_or_create(**mine)
    habits.switches = {**habits.switches, **(switched or {})}
    habits.daily_at = daily_at or habits.daily_at
    habits.save()


@transaction.atomic
def keep_quiet(actor: Actor, start: time | None, end: time | None) -> None:
    """No e-mail comes between these hours; without them, at any."""
    if (start is None) != (end is None):
        raise Invalid(errors={"quiet_to": [_("Say from when and until when, or neither.")]})
    if start is not None and start == end:
        raise Invalid(errors={"quiet_to": [_("It ends before it begins.")]})
    habits, _new = Habits.objects.unscoped("the person's own").get_or_create(
        organisation_id=actor.organisation_id, user=_person(actor)
    )
    habits.quiet_from, habits.quiet_to = start, end
    habits.save()


def _person(actor: Actor) -> User:
    if actor.user_id is None:
        raise NotFound
    return User.objects.select_for_update(no_key=True).get(pk=actor.user_id)

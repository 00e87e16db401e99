"""Reading news: they are read one by one, with all else of the same thing, or all at once."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.notices.models import Notification
from crm.notices.services.telling import ring


@transaction.atomic
def mark_read(actor: Actor, news: UUID, *, together: bool = False) -> Notification:
    """The actor has read a piece of news; `together` with all that there is of the same thing."""
    row = Notification.objects.for_actor(actor).filter(uuid=news, in_console=True).first()
    if row is None:
        raise NotFound
    same = Q(thing=row.thing, thing_id=row.thing_id) if together else Q(pk=row.pk)
    _read(actor, Notification.objects.for_actor(actor).filter(same))
    row.refresh_from_db(fields=["read_at"])
    return row


@transaction.atomic
def mark_all_read(actor: Actor, *, thing: str = "", thing_id: UUID | None = None) -> int:
    """The actor has read all there is, or all of one thing; how many they had not."""
    rows = Notification.objects.for_actor(actor)
    return _read(actor, rows.filter(thing=thing, thing_id=thing_id) if thing_id else rows)


def _read(actor: Actor, rows: "QuerySet[Notification]") -> int:
    """What is read is not sent by e-mail either."""
    count = rows.filter(read_at=None, in_console=True).update(read_at=timezone.now())
    if count and actor.user_id is not None:
        ring([actor.user_id])  # the person's other windows
    return count

"""Subscriptions: who is told what, with which secret, and telling it again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit.record import record
from crm.integrations.models import Subscription, WebhookDelivery
from crm.integrations.outgoing import announce, new_secret
from crm.integrations.permissions import MANAGE_CONNECTIONS
from crm.integrations.ports import topics
from crm.kit import http
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid
from crm.kit.models import uuid7
from crm.kit.policy import require
from crm.kit.secrets import encrypt

TEST = "ventanilla.test"
_AGAIN = (WebhookDelivery.Status.GIVEN_UP, WebhookDelivery.Status.DELIVERED)
MOST_AGAIN = 1_000


@transaction.atomic
def create_subscription(actor: Actor, given: Mapping[str, Any]) -> tuple[Subscription, str]:
    """The other system is told of these events from now on; the secret is returned this once only."""
    require(actor, MANAGE_CONNECTIONS)
    row = Subscription(organisation_id=actor.organisation_id)
    _describe(row, given)
    secret = new_secret()
    row.secret = encrypt(secret)
    row.save()
    record(actor, MANAGE_CONNECTIONS, row, created=True, topics=row.topics, scope=row.scope)
    return row, secret


@transaction.atomic
def change_subscription(
    actor: Actor, subscription: UUID, given: Mapping[str, Any], *, seen: Any = None
) -> Subscription:
    """The other system is told of these events; what is owed already stays as it was."""
    row = _fetch(actor, subscription)
    if seen is not None and row.updated_at != seen:
        raise Changed(
            _("Somebody else has changed this subscription. Compare before saving again.")
        )
    names = ("name", "url", "topics", "scope")
    before = {name: getattr(row, name) for name in names}
    _describe(row, given)
    changed = sorted(name for name in names if before[name] != getattr(row, name))
    row.save()
    record(actor, MANAGE_CONNECTIONS, row, changed=changed, topics=row.topics, scope=row.scope)
    transaction.on_commit(row.circuit.succeeded)
    return row


@transaction.atomic
def rotate_secret(actor: Actor, subscription: UUID) -> str:
    """A new secret signs, shown this once; for a day the old one signs beside it."""
    row = _fetch(actor, subscription)
    secret = new_secret()
    row.old_secret = row.secret
    row.old_secret_until = timezone.now() + Subscription.OLD_SECRET_LASTS
    row.secret = encrypt(secret)
    row.save(update_fields=["secret", "old_secret", "old_secret_until", "updated_at"])
    record(actor, MANAGE_CONNECTIONS, row, rotated=True)
    return secret


@transaction.atomic
def stop_subscription(actor: Actor, subscription: UUID) -> None:
    """It is told nothing; what it is owed already waits, for a month at most."""
    row = _fetch(actor, subscription)
    if row.stopped_at is not None:
        raise Conflict("stopped", _("It is stopped already."))
    row.stopped_at = timezone.now()
    row.save(update_fields=["stopped_at", "updated_at"])
    record(actor, MANAGE_CONNECTIONS, row, stopped=True)


@transaction.atomic
def start_subscription(actor: Actor, subscription: UUID) -> None:
    """It is told again, first what waited."""
    row = _fetch(actor, subscription)
    if row.stopped_at is None:
        raise Conflict("not_stopped", _("It is not stopped."))
    row.stopped_at, row.stopped_reason, row.failing_since = None, "", None
    row.save(update_fields=["stopped_at", "stopped_reason", "failing_since", "updated_at"])
    record(actor, MANAGE_CONNECTIONS, row, started=True)
    transaction.on_commit(row.circuit.succeeded)


@transaction.atomic
def remove_subscription(actor: Actor, subscription: UUID) -> None:
    """It is told nothing more, and its log is gone."""
    row = _fetch(actor, subscription)
    record(actor, MANAGE_CONNECTIONS, row, removed=True)
    row.delete()


@transaction.atomic
def send_test(actor: Actor, subscription: UUID) -> None:
    """It is owed an event that means nothing."""
    row = _fetch(actor, subscription)
    event = f"test-{uuid7()}"
    data = {"text": "This is a test."}
    announce([row], TEST, event=event, subject="test", at=timezone.now(), data=data, content={})
    record(actor, MANAGE_CONNECTIONS, row, tested=event)


@transaction.atomic
def replay(actor: Actor, subscription: UUID, delivery: UUID | None = None) -> int:
    """What has been delivered or given up is sent again with the id that it had: this one, or all that
    was given up; how many."""
    row = _fetch(actor, subscription)
    rows = WebhookDelivery.objects.for_actor(actor).filter(subscription=row)
    if delivery is not None:
        found = rows.select_for_update().get_or_refuse(uuid=delivery)
        if found.status not in _AGAIN:
            raise Conflict("waiting", _("It is waiting to be sent already."))
        chosen = [found.pk]
    else:
        given_up = rows.filter(status=WebhookDelivery.Status.GIVEN_UP).order_by("id")
        chosen = list(given_up.values_list("pk", flat=True)[:MOST_AGAIN])
    again = rows.filter(pk__in=chosen, status__in=_AGAIN).update(
        status=WebhookDelivery.Status.WAITING, tries=0, due_at=timezone.now()
    )
    record(actor, MANAGE_CONNECTIONS, row, replayed=again)
    return again


def _fetch(actor: Actor, subscription: UUID) -> Subscription:
    require(actor, MANAGE_CONNECTIONS)
    rows = Subscription.objects.for_actor(actor).select_for_update(of=("self",))
    return rows.get_or_refuse(uuid=subscription)


def _describe(row: Subscription, given: Mapping[str, Any]) -> None:
    """The row, still to be saved, is as given; Invalid with the errors of each field."""
    row.name = str(given.get("name", row.name)).strip()
    row.url = str(given.get("url", row.url)).strip()
    row.topics = sorted(set(given.get("topics", row.topics or ())))
    row.scope = str(given.get("scope", row.scope))
    errors: dict[str, list[Any]] = {}
    twins = Subscription.objects.unscoped("of the same organisation")
    if not row.name or len(row.name) > 120:
        errors["name"] = [_("Give it a name of up to 120 characters.")]
    elif twins.filter(organisation=row.organisation_id, name=row.name).exclude(pk=row.pk).exists():
        errors["name"] = [_("There is a subscription of this name already.")]
    if not http.may_be_called(row.url) or len(row.url) > 500 or "#" in row.url:
        errors["url"] = [_("Write an address that begins with https://")]
    if not row.topics or not all(topic in topics for topic in row.topics):
        errors["topics"] = [_("Choose among the events offered.")]
    if row.scope not in Subscription.Scope.values:
        errors["scope"] = [_("Choose one of the offered values.")]
    if errors:
        raise Invalid(errors=errors)

"""Abstract bases of all models, and the tables of the house's own plumbing."""

import secrets
import time
import uuid

from django.db import models
from django.db.models.functions import Now

from crm.kit.scoping import ScopedQuerySet


def uuid7() -> uuid.UUID:
    """A time-ordered UUID (RFC 9562 section 5.7): milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


class Base(models.Model):
    """What every row has: a number inside, a UUID outside, and when it was made and changed."""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Owned(Base):
    """A row that belongs to one organisation and is reached through `.for_actor(actor)`."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    organisation_id: int

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class Outbox(models.Model):
    """An effect that a committed transaction owes the world; workers drain it, finished rows go."""

    class Status(models.IntegerChoices):
        PENDING = 0
        LEASED = 1
        DEAD = 2  # given up, or in doubt: last_error says which
        LEAVING = 3  # being handed over: whoever finds it left behind does not know

    topic = models.CharField(max_length=80)
    dedupe_key = models.CharField(max_length=200, null=True)  # noqa: DJ001 - NULL means "no key" to the unique constraint
    payload = models.JSONField()
    status = models.SmallIntegerField(
        db_default=Status.PENDING, default=Status.PENDING, choices=Status
    )
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=64, db_default="", default="")
    attempts = models.SmallIntegerField(db_default=0, default=0)
    last_error = models.TextField(db_default="", default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["topic", "dedupe_key"],
                condition=models.Q(dedupe_key__isnull=False),
                name="outbox_effect_once",
            ),
        ]
        indexes = [
            # the drain's claim: oldest due first
            models.Index(fields=["due_at", "id"], condition=models.Q(status=0), name="outbox_due"),
            # the sweeper's look for leases that ran out
            models.Index(
                fields=["lease_until"],
                condition=models.Q(status__in=[1, 3]),
                name="outbox_leased",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class StreamHead(models.Model):
    """The last sequence number of one live stream; its row lock makes number order commit order."""

    stream = models.CharField(max_length=120, primary_key=True)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.stream}@{self.seq}"


class StreamEvent(models.Model):
    """One numbered patch of a stream, kept a week so that a client can catch up after a break."""

    stream = models.CharField(max_length=120)
    seq = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())
    patch = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "seq"], name="stream_event_number_once"),
        ]
        indexes = [models.Index(fields=["at"], name="stream_event_age")]

    def __str__(self) -> str:
        return f"{self.stream}#{self.seq}"


class IdempotencyKey(models.Model):
    """What was answered to a write that carried an Idempotency-Key, to answer a retry alike."""

    scope = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"

"""Documents that the installation issues: sealed case histories, each with its verification code."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from cases.permissions import VIEW_SPECIAL
from crm.kit.actor import Actor
from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet


class Variant(models.TextChoices):
    """How much of a case a history tells."""

    FULL = "full", _("Full")
    CITIZEN = "citizen", _("For the citizen")
    REDACTED = "redacted", _("With hidden data")


class Status(models.TextChoices):
    """Of the making of a document."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being made")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")


class Work(Owned):
    """Something that a worker makes under a lease: who asked for it, and how far it has come.

    `attempts` is also the fence: a worker that lost its lease finishes nothing.
    """

    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    error = models.CharField(max_length=40, blank=True)  # a code: reporting.failures has its words
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=200)
    lease_until = models.DateTimeField(null=True)  # queued: not before; running: given back after
    attempts = models.SmallIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in (Status.DONE, Status.FAILED)


class IssuedHistoryQuerySet(ScopedQuerySet["IssuedHistory"]):
    """Histories by their case, and by whether what they tell is specially protected."""

    def for_actor(self, actor: Actor) -> "IssuedHistoryQuerySet":
        """Those of the actor's cases; with specially protected documents only where it may see such."""
        rows = self.filter(case__in=Case.objects.for_actor(actor))
        special = actor.reach(VIEW_SPECIAL)
        if special.everywhere:
            return rows
        return rows.filter(Q(special=False) | Q(case__unit_id__in=sorted(special.units)))


class IssuedHistory(Work):
    """A case history: asked for, made by a worker, sealed, kept by its digest, verifiable by code.

    `content` is what it tells, kept from the asking until the document is made, so that a worker
    that dies in between changes nothing.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="histories")
    variant = models.CharField(max_length=10, choices=Variant)
    language = models.CharField(max_length=16, default="es")
    code = models.CharField(max_length=40, unique=True)  # the CSV, normalised
    fingerprint = models.CharField(max_length=64)  # of the content that it tells
    content = models.JSONField(null=True)
    special = models.BooleanField(default=False)  # names specially protected documents
    sha256 = models.CharField(max_length=64, blank=True)  # of the exact bytes issued
    size = models.BigIntegerField(default=0)
    pages = models.IntegerField(default=0)
    seal_level = models.CharField(max_length=10, blank=True)
    timestamp_missing = models.BooleanField(default=False)  # asked for, and nobody gave it
    signer = models.CharField(max_length=200, blank=True)
    issued_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=240, blank=True)

    objects = IssuedHistoryQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("case history")
        verbose_name_plural = _("case histories")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "fingerprint"],
                condition=Q(revoked_at=None),
                name="history_once_while_unchanged",
            ),
            models.CheckConstraint(
                condition=Q(status="done", sha256__regex=r"^[0-9a-f]{64}$", content=None)
                | ~Q(status="done") & Q(content__isnull=False),
                name="history_done_has_bytes",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | ~Q(revoked_reason=""),
                name="history_revoked_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "-created_at"], name="history_of_case"),
            models.Index(fields=["organisation", "-id"], name="history_new"),
            models.Index(
                fields=["lease_until", "id"],
                condition=Q(status__in=["queued", "running"]),
                name="history_to_make",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.variant}"

    @property
    def unit_id(self) -> int:
        """Where its case lies, for policies."""
        return self.case.unit_id

    @property
    def path(self) -> str:
        """Where crm.kit.files keeps its bytes."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"

    @property
    def valid(self) -> bool:
        """Whether it was issued and stands."""
        return self.status == Status.DONE and self.revoked_at is None


class HistoryBatchQuerySet(ScopedQuerySet["HistoryBatch"]):
    """A batch may hold cases of many units: it exists only for who asked for it."""

    def for_actor(self, actor: Actor) -> "HistoryBatchQuerySet":
        """The actor's own."""
        if actor.user_id is None:
            return self.none()
        return self.filter(organisation=actor.organisation_id, requested_by=actor.user_id)


class HistoryBatch(Work):
    """Several histories asked for at once, handed out as one zip."""

    variant = models.CharField(max_length=10, choices=Variant)
    cases = ArrayField(models.UUIDField())
    done = models.IntegerField(default=0)  # cases dealt with, also those left out
    left_out = models.JSONField(default=dict)  # case UUID → code of the reason
    histories = models.ManyToManyField(IssuedHistory, related_name="batches")
    finished_at = models.DateTimeField(null=True)

    objects = HistoryBatchQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("batch of case histories")
        verbose_name_plural = _("batches of case histories")
        indexes = [
            models.Index(
                fields=["lease_until", "id"],
                condition=Q(status__in=["queued", "running"]),
                name="history_batch_to_make",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} {self.pk}"

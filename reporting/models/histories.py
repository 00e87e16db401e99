"""Documents that the installation issues: sealed histories of cases and of people."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Participant
from cases.permissions import VIEW_CASE, VIEW_SPECIAL
from channels_app.models import ConversationCase
from channels_app.permissions import VIEW_CONVERSATION
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_CITIZEN, VIEW_PROTECTED
from crm.kit.actor import Actor
from crm.kit.scoping import ScopedQuerySet
from reporting.models.work import Status, Work


class Variant(models.TextChoices):
    """How much of a case a history tells."""

    FULL = "full", _("Full")
    CITIZEN = "citizen", _("For the citizen")
    REDACTED = "redacted", _("With hidden data")


class IssuedHistoryQuerySet(ScopedQuerySet["IssuedHistory"]):
    """Histories by their case or person, and by whether what they tell is specially protected."""

    def for_actor(self, actor: Actor) -> "IssuedHistoryQuerySet":
        """Those of the actor's cases; with specially protected documents only where it may see such.

        A person's history holds what its asker may see: it exists for them, and for who sees all.
        """
        of_cases = Q(case__in=Case.objects.for_actor(actor))
        of_people = Q(case=None, organisation=actor.organisation_id, citizen__in=_to_open(actor))
        if not all(actor.reach(permission).everywhere for permission in _SEES_ALL):
            of_people &= Q(requested_by=actor.user_id) if actor.user_id else Q(pk__in=[])
        if not actor.holds(VIEW_PROTECTED):  # such a history has their name whole
            of_cases &= Q(variant=Variant.REDACTED) | ~Q(case__in=cases_of_protected(actor))
            of_people &= Q(variant=Variant.REDACTED) | ~beside_protected(actor)
        special = actor.reach(VIEW_SPECIAL)
        if not special.everywhere:
            of_cases &= Q(special=False) | Q(case__unit_id__in=sorted(special.units))
        if not special:
            of_people &= Q(special=False)
        return self.filter(of_cases | of_people)


_SEES_ALL = (VIEW_CASE, VIEW_SPECIAL, VIEW_CONVERSATION)


def cases_of_protected(actor: Actor) -> "models.QuerySet[Case]":
    """The cases of people, or with people in them or in their conversations, who are protected here."""
    records = CitizenRecord.objects.for_actor(actor).filter(protected=True)
    hidden = records.values("citizen")
    part = Participant.objects.for_actor(actor).filter(citizen__in=hidden)
    talks = ConversationCase.objects.unscoped("of cases of the actor")
    talks = talks.filter(conversation__citizen__in=hidden)
    cases = Case.objects.for_actor(actor)
    named = Q(pk__in=part.values("case")) | Q(pk__in=talks.values("case"))
    return cases.filter(Q(citizen__in=hidden) | named)


def beside_protected(actor: Actor) -> Q:
    """Of rows with a citizen those of people in whose cases somebody is protected here."""
    cases = cases_of_protected(actor)
    part = Participant.objects.for_actor(actor).filter(case__in=cases)
    owners = cases.filter(citizen__isnull=False)  # NOT IN a list with NULL is never true
    return Q(citizen__in=owners.values("citizen")) | Q(citizen__in=part.values("citizen"))


def _to_open(actor: Actor) -> "models.QuerySet[CitizenRecord, int]":
    """The citizens whose record here the actor may open."""
    records = CitizenRecord.objects.for_actor(actor)
    if not actor.holds(VIEW_CITIZEN):
        records = records.none()
    if not actor.holds(VIEW_PROTECTED):
        records = records.filter(protected=False)
    return records.values_list("citizen", flat=True)


class IssuedHistory(Work):
    """The history of a case or of a person: asked for, made by a worker, sealed, kept by its digest,
    verifiable by code.

    `content` is what it tells, kept from the asking until the document is made, so that a worker
    that dies in between changes nothing.
    """

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="histories"
    )
    citizen = models.ForeignKey(
        Citizen, on_delete=models.PROTECT, null=True, blank=True, related_name="histories"
    )
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
            models.UniqueConstraint(
                fields=["citizen", "requested_by", "fingerprint"],
                condition=Q(revoked_at=None, case=None),
                name="history_of_person_once_while_unchanged",
            ),
            models.CheckConstraint(
                condition=Q(case__isnull=False, citizen=None) | Q(case=None, citizen__isnull=False),
                name="history_of_a_case_or_a_person",
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
        return f"{self.case or self.uuid} {self.variant}"

    @property
    def unit_id(self) -> int:
        """Where its case lies, for policies."""
        if self.case is None:
            raise AttributeError("a person's history lies in no unit")
        return self.case.unit_id

    @property
    def file_name(self) -> str:
        """What the document is called; it names nobody."""
        return f"{self.case.reference if self.case else self.uuid}-{self.variant}.pdf"

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

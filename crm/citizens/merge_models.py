"""Records that became one, line by line, and who may be the same person. `models` shows them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.kit.ledger import Line, References
from crm.kit.models import Owned

CITIZEN = "citizens.citizen"
references = References(CITIZEN)
"""What points to a citizen. Each room registers its own in its apps.py, in one line each."""


class Merge(Owned):
    """Two records of one person became one: `merged` is known as `survivor` until it is taken back."""

    merged = models.ForeignKey("citizens.Citizen", on_delete=models.PROTECT, related_name="merges")
    survivor = models.ForeignKey(
        "citizens.Citizen", on_delete=models.PROTECT, related_name="merges_in"
    )
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    by_name = models.CharField(max_length=200)
    reason = models.CharField(_("reason"), max_length=240)
    taken = models.JSONField(default=list)  # names of what the survivor took from the merged record
    newest = models.JSONField(default=dict)  # key of the newest row of each kind when it was done
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by_name = models.CharField(max_length=200, blank=True)
    undone_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("merge of records")
        verbose_name_plural = _("merges of records")
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at=None), name="citizen_merged_once"
            ),
            models.CheckConstraint(
                condition=~Q(merged=F("survivor")), name="citizen_merge_of_two_records"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="citizen_merge_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.survivor_id}"


class MergeLine(Line):
    """One column of one row that the merge changed."""

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="lines")

    class Meta:
        verbose_name = _("line of a merge of records")


class DuplicatePair(Owned):
    """Two of an organisation's citizens who may be one person, the one on record first as `one`; or, once
    somebody looked, who are not, which is remembered for ever."""

    class Verdict(models.TextChoices):
        """What was found."""

        OPEN = "open", _("To be looked at")
        DIFFERENT = "different", _("Not the same person")

    one = models.ForeignKey(
        "citizens.Citizen", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    other = models.ForeignKey("citizens.Citizen", on_delete=models.PROTECT, related_name="+")
    score = models.SmallIntegerField()
    reasons = ArrayField(
        models.CharField(max_length=24), default=list
    )  # codes of crm.citizens.matching
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_name = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("likely duplicate")
        verbose_name_plural = _("likely duplicates")
        constraints = [
            models.UniqueConstraint(
                fields=["one", "other", "organisation"], name="duplicate_pair_once"
            ),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="duplicate_pair_in_order"),
            models.CheckConstraint(
                condition=Q(verdict="open", decided_at=None)
                | ~Q(verdict="open") & Q(decided_at__isnull=False),
                name="duplicate_pair_decided_iff_dated",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "-score", "-id"],
                condition=Q(verdict="open"),
                name="duplicate_pair_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.one_id} ~ {self.other_id}: {self.score}"


class DuplicateScan(Owned):
    """How far the look for duplicates has come in an organisation's records, oldest record first."""

    last = models.BigIntegerField(default=0)  # key of the newest record that was looked at
    looked = models.BigIntegerField(default=0)
    found = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("look for duplicates")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(finished_at=None),
                name="duplicate_scan_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.looked}"

"""Cases that became one, and what was split off from one into another, line by line."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from crm.kit.ledger import Line, References
from crm.kit.models import Owned

CASE = "cases.case"
references = References(CASE)
"""What points to a case. Each room registers its own in its apps.py, in one line each."""


class CaseMerge(Owned):
    """What `merged` had belongs to `survivor`; of a split: what `survivor` had belongs to the new case."""

    class Kind(models.TextChoices):
        """Which way rows went."""

        MERGE = "merge", _("Merged")
        SPLIT = "split", _("Split off")

    kind = models.CharField(max_length=5, choices=Kind, default=Kind.MERGE)
    merged = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="merges")
    survivor = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="merges_in")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    by_name = models.CharField(max_length=200)
    reason = models.CharField(_("reason"), max_length=240)
    newest = models.JSONField(default=dict)  # key of the newest row of each kind when it was done
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by_name = models.CharField(max_length=200, blank=True)
    undone_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("merge of cases")
        verbose_name_plural = _("merges of cases")
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=Q(undone_at=None, kind="merge"),
                name="case_merged_once",
            ),
            models.CheckConstraint(
                condition=~Q(merged=F("survivor")), name="case_merge_of_two_cases"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="case_merge_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.survivor_id}"


class CaseMergeLine(Line):
    """One column of one row that the merge or split changed."""

    merge = models.ForeignKey(CaseMerge, on_delete=models.PROTECT, related_name="lines")

    class Meta:
        verbose_name = _("line of a merge of cases")


def merged_into(case: Case) -> Case | None:
    """The case that this one is part of now; None when it stands for itself."""
    found, seen = None, case
    while seen.ended:  # a merged case always is
        rows = CaseMerge.objects.unscoped("a number that leads to another")
        active = rows.filter(merged=seen, kind=CaseMerge.Kind.MERGE, undone_at=None)
        step = active.select_related("survivor").first()
        if step is None:
            break
        found = seen = step.survivor
    return found

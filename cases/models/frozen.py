"""Answers of other systems kept in a case as they were shown: what a decision was based on."""

import hashlib

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from crm.kit.models import uuid7


class FrozenAnswer(models.Model):
    """What another system said of somebody of a case, as an employee was shown it; never altered.

    Only the merge of its case with another may move it. Names are copies: the connection may go.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="frozen", db_index=False)
    citizen = models.ForeignKey("citizens.Citizen", on_delete=models.PROTECT, related_name="+")
    connection = models.UUIDField()
    source = models.CharField(_("source"), max_length=120)
    legal_basis = models.CharField(_("legal basis"), max_length=240, blank=True)
    permission = models.CharField(max_length=80)  # that its readers hold
    purpose = models.CharField(max_length=240)
    records = models.JSONField()
    asked_at = models.DateTimeField()
    obtained_at = models.DateTimeField()
    stale = models.BooleanField(default=False)  # shown because the system did not answer any more
    frozen_at = models.DateTimeField()
    by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    by_name = models.CharField(max_length=200)
    content = models.TextField()  # what the digest is of
    sha256 = models.CharField(max_length=64)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("answer kept in a case")
        verbose_name_plural = _("answers kept in cases")
        constraints = [
            models.UniqueConstraint(fields=["case", "sha256"], name="frozen_answer_once_in_a_case"),
            models.CheckConstraint(
                condition=Q(obtained_at__lte=models.F("frozen_at")), name="frozen_after_obtained"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="as_shown",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["case"]),
            ),
        ]

    def __str__(self) -> str:
        return self.source

    @property
    def intact(self) -> bool:
        """Whether the digest is that of the content."""
        return hashlib.sha256(self.content.encode()).hexdigest() == self.sha256

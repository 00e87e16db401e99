"""What kinds of cases an organisation attends, as versioned definitions."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.kit.models import Base, Owned


class StateCategory(models.IntegerChoices):
    """What a state means, whatever a case type calls it. Work has ended from RESOLVED on."""

    NEW = 0, _("New")
    OPEN = 1, _("In progress")
    WAITING_CITIZEN = 2, _("Waiting for citizen")
    WAITING_THIRD_PARTY = 3, _("Waiting for third party")
    RESOLVED = 4, _("Resolved")
    CLOSED = 5, _("Closed")


class CaseType(Owned):
    """A kind of case of an organisation; its published version says how it is worked."""

    class Nature(models.TextChoices):
        """What the citizen comes with."""

        APPLICATION = "application", _("Application")
        ENQUIRY = "enquiry", _("Enquiry")
        INCIDENT = "incident", _("Incident")
        COMPLAINT = "complaint", _("Complaint")
        SUGGESTION = "suggestion", _("Suggestion")
        APPEAL = "appeal", _("Appeal")
        INFRINGEMENT_REPORT = "infringement_report", _("Infringement report")

    code = models.SlugField(_("code"), max_length=60)
    name = models.CharField(_("name"), max_length=160)
    nature = models.CharField(max_length=20, choices=Nature, default=Nature.APPLICATION)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("case type")
        verbose_name_plural = _("case types")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="case_type_code_once"),
        ]

    def __str__(self) -> str:
        return self.name


class CaseTypeVersion(Base):
    """One version of a case type: states, allowed moves, extra fields and term, as one bundle.

    The bundle's form is read and checked by cases.workflow only. Open cases stay on their version. A
    draft may hold anything; it gets its number when it is published, and from then on never changes.
    """

    class Status(models.TextChoices):
        """Draft → published → retired."""

        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    case_type = models.ForeignKey(CaseType, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(default=0)  # 0: a draft
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    bundle = models.JSONField()
    made_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_by = models.ForeignKey(  # who wrote in the draft last
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_by_name = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("case type version")
        constraints = [
            models.UniqueConstraint(fields=["case_type", "number"], name="case_type_version_once"),
            models.UniqueConstraint(
                fields=["case_type"],
                condition=Q(status="published"),
                name="case_type_one_published",
            ),
            models.UniqueConstraint(
                fields=["case_type"],
                condition=Q(status="draft"),
                name="case_type_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number=0, published_at=None)
                | Q(status__in=["published", "retired"], number__gte=1, published_at__isnull=False),
                name="case_type_version_numbered_when_published",
            ),
            models.CheckConstraint(
                condition=Q(status="retired", retired_at__isnull=False)
                | Q(status__in=["draft", "published"], retired_at=None),
                name="case_type_version_retired_iff_dated",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="kept",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
                func=(
                    "IF TG_OP = 'UPDATE' AND NEW.bundle = OLD.bundle AND NEW.number = OLD.number"
                    " AND NEW.case_type_id = OLD.case_type_id"
                    " AND NEW.published_at = OLD.published_at"
                    " AND (NEW.status = OLD.status"
                    " OR OLD.status = 'published' AND NEW.status = 'retired')"
                    " THEN RETURN NEW; END IF;"
                    " RAISE EXCEPTION 'A published version of a case type is kept as it is';"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_type} v{self.number}" if self.number else f"{self.case_type} (draft)"

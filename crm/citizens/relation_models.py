"""Who is family, guardian or company of whom: told to who attends them, and no right to anything."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.kit.models import Owned


class Kind(models.TextChoices):
    """What the other person is to this one."""

    SPOUSE = "spouse", _("Spouse or partner")
    PARENT = "parent", _("Parent")
    CHILD = "child", _("Child")
    SIBLING = "sibling", _("Sibling")
    COHABITANT = "cohabitant", _("Lives in the same home")
    GUARDIAN = "guardian", _("Guardian")
    WARD = "ward", _("Under their guardianship")
    OFFICER = "officer", _("Administers this company")
    COMPANY = "company", _("Company that they administer")
    EMPLOYER = "employer", _("Employer")
    EMPLOYEE = "employee", _("Employee")


INVERSE = {
    Kind.PARENT: Kind.CHILD,
    Kind.CHILD: Kind.PARENT,
    Kind.GUARDIAN: Kind.WARD,
    Kind.WARD: Kind.GUARDIAN,
    Kind.OFFICER: Kind.COMPANY,
    Kind.COMPANY: Kind.OFFICER,
    Kind.EMPLOYER: Kind.EMPLOYEE,
    Kind.EMPLOYEE: Kind.EMPLOYER,
}


def inverse(kind: str) -> Kind:
    """What this person is to the other."""
    return INVERSE.get(Kind(kind), Kind(kind))


class Source(models.TextChoices):
    """How it is known."""

    DECLARED = "declared", _("Said by the person")
    DOCUMENT = "document", _("Document")
    REGISTER = "register", _("Public register")


class Relation(Owned):
    """`other` is `kind` to `citizen`, as one organisation knows it; the other direction is the inverse.

    Its terms never change: what is no longer so is ended, with the reason.
    """

    citizen = models.ForeignKey(
        "citizens.Citizen", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    other = models.ForeignKey("citizens.Citizen", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    remarks = models.CharField(_("remarks"), max_length=240, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    recorded_by_name = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("relation between people")
        verbose_name_plural = _("relations between people")
        constraints = [
            models.UniqueConstraint(
                fields=["citizen", "other", "kind", "organisation"],
                condition=Q(ended_at=None),
                name="relation_once",
            ),
            models.CheckConstraint(condition=~Q(citizen=F("other")), name="relation_between_two"),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gte=F("valid_from")),
                name="relation_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_reason="")
                | Q(ended_at__isnull=False) & ~Q(ended_reason=""),
                name="relation_ended_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["citizen", "organisation"], name="relation_of_citizen")]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="same_terms",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    exclude=["citizen", "other", "ended_at", "ended_reason", "updated_at"]
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

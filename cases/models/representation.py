"""What was done in a case through a representative, and by which mandate."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.application import AccessCode
from cases.models.case import Case, Event, ThroughCase
from crm.citizens.models import Act, Citizen, Mandate
from crm.kit.models import Base


class Representation(Base):
    """Something that was done in a case, or told of it, through a representative; never deleted, so that
    who acted by which mandate stays readable when the mandate has long ended."""

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="representations", db_index=False
    )
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="representation")
    mandate = models.ForeignKey(
        Mandate, on_delete=models.PROTECT, related_name="representations", db_index=False
    )
    # plain keys: who is merged into another takes them along
    holder = models.ForeignKey(Citizen, on_delete=models.PROTECT, related_name="+", db_index=False)
    act = models.CharField(max_length=10, choices=Act)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("act through a representative")
        verbose_name_plural = _("acts through representatives")
        indexes = [
            models.Index(fields=["case", "-id"], name="representation_of_case"),
            models.Index(fields=["holder", "case"], name="representation_by_holder"),
            models.Index(fields=["mandate", "-id"], name="representation_by_mandate"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="stands", fields=["case", "event", "mandate", "act"]),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.act}"


class RepresentativeAccess(Base):
    """For whom a code was sent: a representative follows the case by a code of their own mailbox."""

    code = models.OneToOneField(AccessCode, on_delete=models.PROTECT, related_name="through")
    holder = models.ForeignKey(Citizen, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("access of a representative")
        verbose_name_plural = _("accesses of representatives")
        indexes = [models.Index(fields=["holder"], name="representative_access")]

    def __str__(self) -> str:
        return f"{self.code}"

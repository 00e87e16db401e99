"""Macros: several acts on a case under one name, and what became of each time that one was run."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.answers import Audience, SharedQuerySet
from cases.models.case import Case, ThroughCase
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class Macro(Owned):
    """A list of acts with what each takes (`cases.services.macro_steps`): done all, or none."""

    audience = models.CharField(_("Who has it"), max_length=12, choices=Audience)
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, related_name="+"
    )
    unit_id: int | None
    name = models.CharField(_("Name"), max_length=80)
    case_types = models.JSONField(default=list)  # codes; none: of every type
    states = models.JSONField(default=list)  # categories, or states of those types; none: in all
    steps = models.JSONField()  # [{"act": code, and what it takes}]
    uses = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = SharedQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="unit", unit__isnull=False)
                | (~Q(audience="unit") & Q(unit=None)),
                name="macro_of_a_unit_names_it",
            ),
            models.CheckConstraint(
                condition=Q(audience="own", owner__isnull=False)
                | (~Q(audience="own") & Q(owner=None)),
                name="macro_of_ones_own_has_an_owner",
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(steps=[]), name="macro_does_something"
            ),
            models.UniqueConstraint(
                fields=["organisation", "owner", "unit", "name"],
                condition=Q(retired_at=None),
                nulls_distinct=False,
                name="macro_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MacroKeyQuerySet(ScopedQuerySet["MacroKey"]):
    """A person's own keys."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the actor; a machine has none."""
        return self.filter(user=actor.user_id, macro__organisation=actor.organisation_id)


class MacroKey(models.Model):
    """The key by which a person runs a macro: « m » and this sign."""

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    macro = models.ForeignKey(Macro, on_delete=models.CASCADE, related_name="keys")
    sign = models.CharField(max_length=1)

    objects = MacroKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("key of a macro")
        constraints = [
            models.UniqueConstraint(fields=["user", "macro"], name="macro_key_once"),
            models.CheckConstraint(
                condition=Q(sign__regex=r"^[a-z0-9]$"), name="macro_key_is_a_sign"
            ),
        ]

    def __str__(self) -> str:
        return self.sign


class MacroRun(Base):
    """A macro was run on a case: its name and acts as they were then. Its UUID is that of the batch."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="macro_runs")
    macro = models.ForeignKey(Macro, on_delete=models.PROTECT, related_name="runs")
    name = models.CharField(max_length=80)
    steps = models.JSONField()  # in words

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("run of a macro")
        triggers = [
            pgtrigger.Protect(name="run_stays", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return self.name

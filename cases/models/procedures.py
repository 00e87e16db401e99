"""The catalogue of procedures: what a citizen can ask of an organisation, and how."""

from typing import Self

import pghistory
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.catalogue import CaseType
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


@pghistory.track()
class Procedure(Owned):
    """Something that citizens can apply for; its words are in ProcedureText, one row a language.

    Its legal term is its case type's. Its request form is a JSON Schema, as case types have them.
    """

    class Status(models.TextChoices):
        """Only what is published is seen by citizens."""

        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    class Silence(models.TextChoices):
        """What it means when the term passes without an answer (Ley 39/2015 art. 24)."""

        GRANTED = "granted", _("Granted by silence")
        DENIED = "denied", _("Denied by silence")
        NONE = "none", _("No effect")

    code = models.SlugField(_("code"), max_length=60)
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="procedures"
    )
    unit_id: int
    case_type = models.ForeignKey(CaseType, on_delete=models.PROTECT, related_name="procedures")
    form = models.JSONField(default=dict, blank=True)
    silence = models.CharField(max_length=8, choices=Silence, default=Silence.NONE)
    # whether the letter of art. 21.4 goes by itself when an application is filed
    informs = models.BooleanField(default=False, db_default=False)
    appointment = models.BooleanField(default=False)
    booking = models.CharField(max_length=60, blank=True)  # code of what is booked (cases.ports)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)

    class Meta:
        verbose_name = _("procedure")
        verbose_name_plural = _("procedures")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="procedure_code_once"),
            models.CheckConstraint(
                condition=Q(booking="") | Q(appointment=True),
                name="procedure_booking_is_an_appointment",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ThroughProcedure(ScopedQuerySet["ProcedureText"]):
    """Rows that exist for an actor when their procedure does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the organisation's procedures."""
        return self.filter(procedure__organisation=actor.organisation_id)


@pghistory.track(exclude=["search"])
class ProcedureText(Base):
    """What a procedure is in one language."""

    procedure = models.ForeignKey(Procedure, on_delete=models.PROTECT, related_name="texts")
    language = models.CharField(max_length=16)
    name = models.CharField(_("name"), max_length=160)
    summary = models.CharField(max_length=400)
    who = models.TextField(blank=True)
    papers = models.TextField(blank=True)  # one a line
    term = models.CharField(max_length=240, blank=True)  # what the case type's term does not say
    fee = models.CharField(max_length=240, blank=True)
    search = models.GeneratedField(
        expression=SearchVector("name", weight="A", config="es")
        + SearchVector("summary", weight="B", config="es")
        + SearchVector("who", "papers", weight="C", config="es"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ThroughProcedure.as_manager()

    class Meta:
        verbose_name = _("words of a procedure")
        constraints = [
            models.UniqueConstraint(
                fields=["procedure", "language"], name="procedure_text_once_per_language"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="procedure_text_has_a_name"),
        ]
        indexes = [GinIndex(fields=["search"], name="procedure_text_search")]

    def __str__(self) -> str:
        return self.name

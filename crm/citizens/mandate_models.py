"""Who may act for whom: mandates, and the professionals who act for many.

A mandate belongs to the organisation that examined its proof and answers for it (Ley 39/2015 art. 5.5):
another does not see it and records its own.
"""

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.kit.files import Scan
from crm.kit.models import Owned

YEARS_OF_REGISTERED = 5  # Ley 39/2015 art. 6.6


class Scope(models.TextChoices):
    """For what somebody may act (Ley 39/2015 art. 6.4, Orden ISM/189/2021 art. 2)."""

    GENERAL = "general", _("General")
    MATTER = "matter", _("By matter")
    PROCEDURE = "procedure", _("By procedure")


class Act(models.TextChoices):
    """What a holder may do for the grantor (Ley 39/2015 art. 5.3 and 5.4)."""

    INFORM = "inform", _("Be told how things stand")
    FILE = "file", _("Apply, declare and add papers")
    NOTIFY = "notify", _("Receive notifications")
    WITHDRAW = "withdraw", _("Withdraw applications and waive rights")


class Proof(models.TextChoices):
    """By what the mandate is proved (Ley 39/2015 art. 5.4)."""

    PUBLIC_DEED = "public_deed", _("Public deed")
    APUD_ACTA_IN_PERSON = "apud_acta", _("Apud acta, in person")
    APUD_ACTA_ELECTRONIC = "apud_acta_online", _("Apud acta, electronic")
    REGISTERED = "registered", _("Power in the electronic register")
    RED = "red", _("RED authorisation")
    LEGAL = "legal", _("Legal representation (parents, guardian, administrator)")
    PRIVATE = "private", _("Private document, confirmed by voice")


class Assurance(models.IntegerChoices):
    """How sure it is that the grantor said so."""

    LOW = 1, _("Low")
    SUBSTANTIAL = 2, _("Substantial")
    HIGH = 3, _("High")


class End(models.TextChoices):
    """How a mandate ended before its last day."""

    REVOKED = "revoked", _("Revoked")
    RENOUNCED = "renounced", _("Renounced")


@pghistory.track()
class AuthorisedProfessional(Owned):
    """Somebody authorised to act for many through RED, by their number there."""

    citizen = models.ForeignKey(
        "citizens.Citizen", on_delete=models.PROTECT, related_name="authorisations", db_index=False
    )
    number = models.CharField(_("RED authorisation number"), max_length=12)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("authorised professional")
        verbose_name_plural = _("authorised professionals")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "number"],
                condition=Q(ended_at=None),
                name="professional_number_once",
            ),
            models.UniqueConstraint(
                fields=["citizen", "organisation"],
                condition=Q(ended_at=None),
                name="professional_once",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=r"^[0-9]{1,12}$"), name="professional_has_a_number"
            ),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.number


@pghistory.track(exclude=["terms"])
class Mandate(Owned):
    """The grantor lets the holder act for them, within a scope and for a time. Its row is never deleted
    and its terms never change: what changes is a new mandate."""

    # plain keys: who is merged into another takes their mandates along
    grantor = models.ForeignKey(
        "citizens.Citizen", on_delete=models.PROTECT, related_name="mandates_given", db_index=False
    )
    holder = models.ForeignKey(
        "citizens.Citizen", on_delete=models.PROTECT, related_name="mandates_held", db_index=False
    )
    professional = models.ForeignKey(
        AuthorisedProfessional,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="mandates",
        db_index=False,
    )
    scope = models.CharField(_("scope"), max_length=10, choices=Scope)
    covers = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    acts = ArrayField(models.CharField(max_length=10, choices=Act))
    proof = models.CharField(_("proof"), max_length=18, choices=Proof)
    proof_number = models.CharField(_("number of the proof"), max_length=60, blank=True)
    remarks = models.CharField(_("remarks"), max_length=240, blank=True)
    assurance = models.SmallIntegerField(_("assurance"), choices=Assurance)
    granted_on = models.DateField(_("granted on"))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)  # its last day
    recorded_by = models.CharField(max_length=200)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(max_length=10, choices=End, blank=True)
    ended_reason = models.CharField(max_length=240, blank=True)
    ended_by = models.CharField(max_length=200, blank=True)
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    expiry_told_at = models.DateTimeField(null=True, blank=True)
    # what it lets do, as one text for the exclusion below: kept by a trigger
    terms = models.TextField(editable=False, default="")

    class Meta:
        verbose_name = _("mandate")
        verbose_name_plural = _("mandates")
        indexes = [
            models.Index(fields=["grantor", "holder"], name="mandate_between"),
            models.Index(fields=["organisation", "holder", "-id"], name="mandate_of_holder"),
            models.Index(
                fields=["professional", "-id"],
                condition=Q(professional__isnull=False),
                name="mandate_of_professional",
            ),
            # the sweep of those that end soon
            models.Index(
                fields=["valid_until"],
                condition=Q(ended_at=None, expiry_told_at=None),
                name="mandate_expiring",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(grantor=F("holder")), name="mandate_between_two"),
            models.CheckConstraint(
                condition=Q(valid_from__gte=F("granted_on"))
                & (Q(valid_until=None) | Q(valid_until__gte=F("valid_from"))),
                name="mandate_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(scope=Scope.GENERAL, covers=[])
                | Q(scope__in=[Scope.MATTER, Scope.PROCEDURE]) & ~Q(covers=[]),
                name="mandate_says_what_it_covers",
            ),
            models.CheckConstraint(
                condition=~Q(acts=[]) & Q(acts__contained_by=list(Act.values)),
                name="mandate_allows_something",
            ),
            models.CheckConstraint(
                condition=~Q(
                    proof__in=[
                        Proof.APUD_ACTA_IN_PERSON,
                        Proof.APUD_ACTA_ELECTRONIC,
                        Proof.REGISTERED,
                    ]
                )
                | Q(
                    valid_until__isnull=False,
                    valid_until__lte=Func(
                        F("granted_on"),
                        template=f"(%(expressions)s + interval '{YEARS_OF_REGISTERED} years')",
                        output_field=models.DateTimeField(),
                    ),
                ),
                name="mandate_registered_five_years",
            ),
            models.CheckConstraint(
                condition=Q(proof=Proof.RED, professional__isnull=False)
                | ~Q(proof=Proof.RED) & Q(professional=None),
                name="mandate_red_of_a_professional",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_how="", ended_reason="", ended_by="")
                | Q(ended_at__isnull=False, ended_how__in=list(End.values))
                & ~Q(ended_reason="")
                & ~Q(ended_by=""),
                name="mandate_ended_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(verified_at=None, verified_by="")
                | Q(verified_at__isnull=False) & ~Q(verified_by=""),
                name="mandate_verified_by_somebody",
            ),
            ExclusionConstraint(
                name="mandate_equal_once_at_a_time",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    ("grantor", RangeOperators.EQUAL),
                    ("holder", RangeOperators.EQUAL),
                    ("terms", RangeOperators.EQUAL),
                    (
                        Func(
                            F("valid_from"),
                            F("valid_until"),  # none: without end
                            Value("[]"),
                            function="daterange",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(ended_at=None),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="terms_stand",
                fields=[
                    *("organisation", "professional", "scope", "covers", "acts", "proof"),
                    *("granted_on", "valid_from", "valid_until", "replaces"),
                ],
            ),
            pgtrigger.Protect(
                name="ended_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at"
                ),
            ),
            pgtrigger.Trigger(
                name="terms_as_text",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=(
                    "NEW.terms := NEW.scope || ':' || array_to_string(ARRAY(SELECT DISTINCT"
                    " unnest(NEW.covers) ORDER BY 1), ',') || ':' || array_to_string(ARRAY("
                    "SELECT DISTINCT unnest(NEW.acts) ORDER BY 1), ','); RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.pk}"  # no names: this ends in logs


class MandatePaper(Owned):
    """The document that proves a mandate, kept by its digest."""

    mandate = models.ForeignKey(
        Mandate, on_delete=models.PROTECT, related_name="papers", db_index=False
    )
    name = models.CharField(_("name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    scan = models.CharField(max_length=12, choices=Scan)
    added_by = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("proof of a mandate")
        verbose_name_plural = _("proofs of mandates")
        indexes = [
            models.Index(fields=["mandate", "-id"], name="mandate_paper"),
            models.Index(fields=["sha256"], name="mandate_paper_digest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["mandate", "sha256"], name="mandate_paper_once"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="mandate_paper_has_a_digest"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where crm.kit.files keeps its bytes."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"

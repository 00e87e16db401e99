"""What employees fill in about mandates."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.citizens.mandate_ports import choices
from crm.citizens.mandates import last_day
from crm.citizens.models import Act, Assurance, End, Mandate, Proof, Scope
from crm.citizens.permissions import VERIFY_MANDATE
from crm.citizens.services.mandates import NewMandate
from crm.kit.actor import Actor
from crm.kit.errors import DomainError
from crm.kit.forms import DateField, ServiceForm

_CODES = {Scope.MATTER: "matters", Scope.PROCEDURE: "procedures"}


class PaperForm(ServiceForm):
    """A file that proves a mandate."""

    paper = forms.FileField(label=_("Document that proves it"), required=False)

    @property
    def upload(self) -> "UploadedFile[Any] | None":
        """What was sent."""
        found: UploadedFile[Any] | None = self.cleaned_data["paper"]
        return found


class TermsForm(PaperForm):
    """For what somebody may act, by which proof, and for how long."""

    scope = forms.ChoiceField(
        label=_("Scope"), choices=Scope.choices, widget=forms.RadioSelect, initial=Scope.MATTER
    )
    matters = forms.MultipleChoiceField(
        label=_("Matters"), widget=forms.CheckboxSelectMultiple, required=False
    )
    procedures = forms.MultipleChoiceField(
        label=_("Procedures"), widget=forms.CheckboxSelectMultiple, required=False
    )
    acts = forms.MultipleChoiceField(
        label=_("What it lets them do"),
        choices=Act.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=[Act.INFORM, Act.FILE],
    )
    proof = forms.ChoiceField(label=_("Proof"), choices=Proof.choices)
    proof_number = forms.CharField(
        label=_("Number of the proof"),
        max_length=60,
        required=False,
        help_text=_("Protocol of the notary, or entry in the register of powers."),
    )
    remarks = forms.CharField(
        label=_("Remarks"),
        max_length=240,
        required=False,
        help_text=_("Of a private document: when and how the grantor confirmed it by voice."),
    )
    granted_on = DateField(label=_("Granted on"))
    valid_from = DateField(
        label=_("Valid from"), required=False, help_text=_("If it is left empty: from that day.")
    )
    valid_until = DateField(
        label=_("Last day"),
        required=False,
        help_text=_("What is inscribed in a register is valid for five years at most."),
    )
    checked = forms.BooleanField(
        label=_("I have checked the proof: the mandate counts from now on"), required=False
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for scope, name in _CODES.items():
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = list(choices(actor, scope).items())
        today = timezone.localdate()
        self.fields["granted_on"].initial = today
        self.fields["valid_until"].initial = last_day(today)
        self.order_fields(
            [
                *("citizen", "scope", "matters", "procedures", "acts", "proof", "proof_number"),
                *("paper", "remarks", "granted_on", "valid_from", "valid_until", "checked"),
            ]
        )
        if not actor.holds(VERIFY_MANDATE):
            del self.fields["checked"]

    def said(self) -> dict[str, Any]:
        """The terms, as the verb takes them."""
        data = self.cleaned_data
        names = ("scope", "acts", "proof", "proof_number", "remarks")
        days = ("granted_on", "valid_from", "valid_until")
        codes = data[_CODES[data["scope"]]] if data["scope"] in _CODES else ()
        return {**{name: data[name] for name in (*names, *days)}, "covers": codes}

    def refused(self, error: DomainError) -> None:
        """What is wrong with what it covers stands at the list that was asked."""
        self.places = {
            "holder": "citizen",
            "covers": _CODES.get(self.cleaned_data.get("scope", ""), "scope"),
        }
        super().refused(error)


class NewMandateForm(TermsForm):
    """A mandate of the person of the page."""

    citizen = forms.UUIDField(label=_("Who acts for them"), required=False)

    def new(self) -> NewMandate:
        """The mandate, as the verb takes it; nobody chosen is nobody on record."""
        return NewMandate(holder=self.cleaned_data["citizen"] or UUID(int=0), **self.said())


class ExtendForm(PaperForm):
    """The same for longer, by a proof of its own."""

    granted_on = DateField(label=_("Granted on"))
    valid_until = DateField(label=_("Last day"))
    proof_number = forms.CharField(label=_("Number of the proof"), max_length=60, required=False)

    def __init__(self, mandate: Mandate, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["granted_on"].initial = today
        self.fields["valid_until"].initial = last_day(today)
        self.fields["proof_number"].initial = mandate.proof_number
        self.order_fields(["granted_on", "valid_until", "proof_number", "paper"])


class EndForm(ServiceForm):
    """How a mandate ends before its last day, and why."""

    places = {"how": "how"}
    how = forms.ChoiceField(
        label=_("Who ends it"),
        choices=[
            (End.REVOKED, _("The grantor revokes it")),
            (End.RENOUNCED, _("The holder renounces it")),
        ],
        widget=forms.RadioSelect,
        initial=End.REVOKED,
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=240, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class VerifyForm(PaperForm):
    """That the proof has been checked, and how sure it is."""

    assurance = forms.TypedChoiceField(
        label=_("Assurance"), choices=Assurance.choices, coerce=int, widget=forms.RadioSelect
    )


class ProfessionalForm(ServiceForm):
    """The number by which somebody acts for many."""

    number = forms.CharField(
        label=_("RED authorisation number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class ManyForm(TermsForm):
    """Mandates of many grantors for one professional, from a file with a number in each line."""

    file = forms.FileField(
        label=_("Grantors"),
        help_text=_(
            "A CSV or text file: the identification number first in each line, 1,000 at most."
        ),
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self.fields["proof"].initial = Proof.RED
        self.fields["scope"].initial = Scope.GENERAL
        self.fields["valid_until"].initial = None
        del self.fields["paper"]
        self.order_fields(["file", *self.fields])

"""What a citizen types on the way to an appointment; the rules themselves are the services'."""

from datetime import UTC, datetime
from uuid import UUID

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.citizens.models import Need
from crm.kit.errors import Invalid
from crm.kit.forms import YEARS, ServiceForm
from scheduling.services import Person

_START = "%Y%m%dT%H%MZ"


def written_start(moment: datetime) -> str:
    """A time as addresses and forms carry it."""
    return moment.astimezone(UTC).strftime(_START)


def read_start(text: str) -> datetime:
    """The time again; Invalid when it is none."""
    try:
        moment = datetime.strptime(text, _START).replace(tzinfo=UTC)
        if moment.year not in YEARS:  # no calendar of ours reaches so far
            raise ValueError(text)
        return moment
    except ValueError:
        raise Invalid(errors={"start": [_("Choose a time.")]}) from None


class BookingForm(ServiceForm):
    """A form that, sent twice, books once: by its `key`."""

    key = forms.CharField(max_length=36, widget=forms.HiddenInput, required=False)

    def clean_key(self) -> UUID | None:
        """The key; what is none counts for nothing."""
        try:
            return UUID(self.cleaned_data["key"])
        except ValueError:
            return None


class PersonForm(BookingForm):
    """Who books for themselves."""

    name = forms.CharField(
        label=_("Name and surnames"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.CharField(
        label=_("Email"),
        max_length=254,
        help_text=_("We will send you a code there to confirm the appointment."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "class": "p-short"}),
    )
    needs = forms.MultipleChoiceField(
        label=_("Do you need anything to be attended well?"),
        choices=Need.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    subject = forms.CharField(
        label=_("What is it about?"),
        max_length=240,
        required=False,
        help_text=_("In a few words. Do not write about your health or other private matters."),
    )
    consent = forms.BooleanField(
        label=_("I agree that my data are used to keep this appointment and remind me of it"),
        required=False,
    )
    start = forms.CharField(max_length=20, widget=forms.HiddenInput)

    def person(self) -> Person:
        """As the verb takes it."""
        given = self.cleaned_data
        return Person(
            name=given["name"],
            email=given["email"],
            phone=given["phone"],
            language=get_language() or "es",
            needs=given["needs"],
            subject=given["subject"],
        )


class CodeForm(ServiceForm):
    """The code that was sent."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("Eight figures, in two groups of four."),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "class": "p-short"}
        ),
    )


class FindForm(CodeForm):
    """A reference and its code."""

    reference = forms.CharField(
        label=_("Reference"),
        max_length=20,
        help_text=_("Eight letters and figures, such as 7K4F-29QX."),
        widget=forms.TextInput(
            attrs={"autocapitalize": "characters", "spellcheck": "false", "class": "p-short"}
        ),
    )
    field_order = ("reference", "code")


class SendCodeForm(ServiceForm):
    """Where the code is to be sent again."""

    reference = forms.CharField(label=_("Reference"), max_length=20)
    email = forms.CharField(label=_("Email"), max_length=254)

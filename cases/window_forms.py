"""What citizens fill in on the public pages: an application, and how they follow it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.fields import Fields
from cases.forms import DataForm
from cases.numbers import reference as number_of
from cases.services.filing import Applicant
from crm.kit.models import uuid7


class ApplicationForm(DataForm):
    """An application: who applies, what the procedure asks, and what they want."""

    name = forms.CharField(
        label=gettext_lazy("First name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    surname1 = forms.CharField(
        label=gettext_lazy("First surname"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    surname2 = forms.CharField(
        label=gettext_lazy("Second surname"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "additional-name"}),
    )
    identifier = forms.CharField(
        label=gettext_lazy("Number of your DNI, NIE or passport"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("We will check it with you before we decide."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.CharField(
        label=gettext_lazy("Email address"),
        max_length=254,
        help_text=gettext_lazy("The receipt goes there, and the code to follow your application."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    request = forms.CharField(
        label=gettext_lazy("What you ask for"),
        max_length=8_000,
        help_text=gettext_lazy("In your own words. Tell us whatever may help."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    agree = forms.BooleanField(
        label=gettext_lazy("I have read how my data are used, and what I say is true.")
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    OWN = ("name", "surname1", "surname2", "identifier", "email", "phone")

    def __init__(self, data: Mapping[str, Any] | None = None, *, fields: Fields) -> None:
        super().__init__(data, initial={"key": uuid7()})
        self.add_data_fields(fields, {})

    def applicant_fields(self) -> list[forms.BoundField]:
        """Those about the person, for the template."""
        return [self[name] for name in self.OWN]

    def applicant(self) -> Applicant:
        """Who applies, as typed."""
        return Applicant(**{name: self.cleaned_data.get(name, "") for name in self.OWN})

    def key_or_new(self) -> UUID:
        """The key that the page came with."""
        key = self.cleaned_data.get("key")
        return key if isinstance(key, UUID) else uuid7()


class ReferenceForm(forms.Form):
    """Which case somebody wants to follow."""

    reference = forms.CharField(
        label=gettext_lazy("Number of your case"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    number = forms.CharField(
        label=gettext_lazy("Your identification number, if you act for somebody else"),
        max_length=30,
        required=False,
        help_text=gettext_lazy(
            "Leave it empty for your own case. We send the code to your own email address if a mandate"
            " that we know of lets you know about it."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, organisation: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        example = number_of(organisation, timezone.localdate().year, 123)
        text = _("It stands on your receipt, for example %(example)s.") % {"example": example}
        self.fields["reference"].help_text = text


class CodeForm(ReferenceForm):
    """The code that came by e-mail."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=12,
        help_text=gettext_lazy("Six digits, in the message that we have sent you."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reference"].widget = forms.HiddenInput()
        del self.fields["number"]

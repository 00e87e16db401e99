"""What is typed on the citizens' pages; the rules themselves are the services' (checking.py)."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.citizens.checking import ADDRESSABLE, Names, NewContactPoint, NewIdentifier, Wishes
from crm.citizens.looks import Period
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Identifier, Need
from crm.citizens.relation_models import Kind, Source
from crm.citizens.services.records import WISHES
from crm.citizens.services.related import NewRelation
from crm.citizens.story import Sieve
from crm.kit.errors import DomainError
from crm.kit.forms import Correction, DateField, DateInput, ServiceForm

NOT_SAID = [("", "—")]


def _one_of(label: Any, choices: Iterable[tuple[str, Any]], **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices), **more)


class NamesForm(Correction):
    """What a person is called."""

    kind = _one_of(
        _("Kind of person"),
        Citizen.Kind.choices,
        widget=forms.RadioSelect,
        initial=Citizen.Kind.NATURAL,
    )
    name = forms.CharField(
        label=_("Name"), max_length=150, help_text=_("Of a company or body, its whole name.")
    )
    surname1 = forms.CharField(label=_("First surname"), max_length=100, required=False)
    surname2 = forms.CharField(label=_("Second surname"), max_length=100, required=False)
    birth_date = DateField(label=_("Date of birth"), required=False)

    def names(self) -> Names:
        """As the services take them."""
        fields = ("kind", "name", "surname1", "surname2", "birth_date")
        return Names(**{field: self.cleaned_data[field] for field in fields})

    @staticmethod
    def of_citizen(citizen: Citizen) -> dict[str, Any]:
        """What the form shows at first of somebody on record."""
        return {
            "kind": citizen.kind,
            "name": citizen.name,
            "surname1": citizen.surname1,
            "surname2": citizen.surname2,
            "birth_date": citizen.birth_date,
            "seen": citizen.updated_at.isoformat(),
        }


class WishesForm(Correction):
    """How a person is to be attended."""

    language = _one_of(_("Language"), settings.LANGUAGES, initial=settings.LANGUAGE_CODE)
    preferred_channel = _one_of(
        _("Preferred channel"), [*NOT_SAID, *Channel.choices], required=False
    )
    accessibility_needs = forms.MultipleChoiceField(
        label=_("Accessibility needs"),
        choices=Need.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def wishes(self) -> Wishes:
        """As the services take them."""
        return Wishes(**{field: self.cleaned_data[field] for field in WISHES})

    @staticmethod
    def of_record(record: CitizenRecord) -> dict[str, Any]:
        """What the form shows at first of an organisation's record."""
        said = {field: getattr(record, field) for field in WISHES}
        return {**said, "seen": record.updated_at.isoformat()}


class ValidityForm(Correction):
    """From when until when a paper says that its number is valid."""

    valid_from = forms.DateField(label=_("Valid from"), required=False, widget=DateInput())
    valid_until = forms.DateField(label=_("Valid until"), required=False, widget=DateInput())

    @staticmethod
    def of_number(number: Identifier) -> dict[str, Any]:
        """What the form shows at first of a number on record."""
        return {
            "valid_from": number.valid_from,
            "valid_until": number.valid_until,
            "seen": number.updated_at.isoformat(),
        }


class IdentifierForm(ServiceForm):
    """A number that identifies a person."""

    kind = _one_of(_("Kind"), Identifier.Kind.choices)
    value = forms.CharField(label=_("Identification number"), max_length=64)
    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        required=False,
        help_text=_("Two letters; only for passports and foreign numbers."),
    )
    valid_from = forms.DateField(label=_("Valid from"), required=False, widget=DateInput())
    valid_until = forms.DateField(  # that of a DNI without end is 9999-01-01
        label=_("Valid until"), required=False, widget=DateInput()
    )

    def identifier(self) -> NewIdentifier:
        """As the services take it."""
        return NewIdentifier(**self.cleaned_data)


class ContactPointForm(Correction):
    """A telephone, mailbox or address of a person."""

    channel = _one_of(_("Channel"), [(channel.value, channel.label) for channel in ADDRESSABLE])
    address = forms.CharField(
        label=_("Telephone, email or address"),
        max_length=300,
        help_text=_("A telephone of another country begins with + and its code."),
    )
    postal_code = forms.CharField(label=_("Postal code"), max_length=10, required=False)
    locality = forms.CharField(label=_("Town"), max_length=100, required=False)
    municipality = forms.CharField(label=_("Municipality (INE code)"), max_length=6, required=False)
    quality = _one_of(
        _("Quality"),
        ContactPoint.Quality.choices,
        initial=ContactPoint.Quality.UNSURE,
        help_text=_("How far it can be trusted to reach the person."),
    )
    preferred = forms.BooleanField(label=_("Preferred of its channel"), required=False)

    def contact_point(self) -> NewContactPoint:
        """As the services take it; the quality goes apart."""
        apart = ("quality", "seen")
        return NewContactPoint(
            **{name: value for name, value in self.cleaned_data.items() if name not in apart}
        )

    @staticmethod
    def of_point(point: ContactPoint) -> dict[str, Any]:
        """What the form shows at first of a contact point on record."""
        shown = (name for name in ContactPointForm.base_fields if name != "seen")
        said = {name: getattr(point, name) for name in shown}
        return {**said, "seen": point.updated_at.isoformat()}


class NewCitizenForm(NamesForm, WishesForm):
    """A person to be registered: names, a number, how to reach them, how to attend them."""

    identifier_kind = _one_of(_("Kind of number"), Identifier.Kind.choices)
    identifier_value = forms.CharField(
        label=_("Identification number"), max_length=64, required=False
    )
    identifier_country = forms.CharField(
        label=_("Country"),
        max_length=2,
        required=False,
        help_text=_("Two letters; only for passports and foreign numbers."),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )
    email = forms.CharField(
        label=_("Email"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "email"}),
    )
    address = forms.CharField(label=_("Postal address"), max_length=300, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=10, required=False)
    locality = forms.CharField(label=_("Town"), max_length=100, required=False)
    municipality = forms.CharField(label=_("Municipality (INE code)"), max_length=6, required=False)

    def identifiers(self) -> list[NewIdentifier]:
        """The number, if one was given."""
        data = self.cleaned_data
        if not data["identifier_value"]:
            return []
        return [
            NewIdentifier(
                data["identifier_kind"],
                data["identifier_value"],
                data["identifier_country"] or "ES",
            )
        ]

    def contact_points(self) -> list[NewContactPoint]:
        """Those that were given; their order is that of `places`."""
        return [point for point, _field in self._points()]

    def _points(self) -> list[tuple[NewContactPoint, str]]:
        data = self.cleaned_data
        points = []
        if data["phone"]:
            points.append((NewContactPoint(Channel.PHONE, data["phone"], preferred=True), "phone"))
        if data["email"]:
            points.append((NewContactPoint(Channel.EMAIL, data["email"], preferred=True), "email"))
        if any(data[field] for field in ("address", "postal_code", "locality", "municipality")):
            post = NewContactPoint(
                Channel.POST,
                data["address"],
                data["postal_code"],
                data["municipality"],
                data["locality"],
                preferred=True,
            )
            points.append((post, "address"))
        return points

    def refused(self, error: DomainError) -> None:
        """Show the service's errors at their fields: its places are those that were filled in."""
        self.places = {"identifiers.0": "identifier_value"}
        for place, (_point, field) in enumerate(self._points()):
            self.places[f"contact_points.{place}"] = field
            for part in ("address", "postal_code", "locality", "municipality"):
                self.places[f"contact_points.{place}.{part}"] = part
        super().refused(error)


class ReasonForm(ServiceForm):
    """Why something is done: one of the usual reasons, or another in one's own words."""

    reason = forms.CharField(
        label=_("Reason"), max_length=240, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class PurposeForm(forms.Form):
    """Why a person's record is opened: one of the usual reasons, or another in one's own words."""

    OTHER = "other"

    usual = forms.ChoiceField(label=_("Reason for access"), widget=forms.RadioSelect)
    other = forms.CharField(label=_("Another reason"), max_length=240, required=False)
    next = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, usual: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["usual"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            *((reason, reason) for reason in usual),
            (self.OTHER, _("Another reason")),
        ]

    def clean(self) -> dict[str, Any]:
        """The reason is the one chosen, or what was written instead."""
        data = super().clean() or self.cleaned_data
        own_words = data.get("usual") == self.OTHER
        if own_words and not data.get("other"):
            self.add_error("other", _("State the reason for access. It will be logged."))
        data["reason"] = data.get("other") if own_words else data.get("usual")
        return data


class SieveForm(forms.Form):
    """What of a person's timeline is wanted; what cannot be understood asks for anything."""

    canal = forms.ChoiceField(required=False, choices=Channel.choices)
    desde = forms.DateField(required=False)
    hasta = forms.DateField(required=False)
    abiertos = forms.BooleanField(required=False)

    def sieve(self) -> Sieve:
        """It as the story takes it."""
        told = self.cleaned_data
        return Sieve(
            channel=told.get("canal", ""),
            since=told.get("desde"),
            until=told.get("hasta"),
            going_on=told.get("abiertos", False),
        )


class PeriodForm(forms.Form):
    """The days of a report; what cannot be understood asks for any."""

    desde = forms.DateField(required=False)
    hasta = forms.DateField(required=False)

    def period(self) -> Period:
        """They as the report takes them."""
        self.is_valid()
        told = self.cleaned_data
        return Period(told.get("desde"), told.get("hasta"))


class RelationForm(ServiceForm):
    """Who is family, guardian or company of the person of the page."""

    citizen = forms.UUIDField(label=_("The other person"), required=False)
    kind = forms.ChoiceField(label=_("What they are to the person"), choices=Kind.choices)
    source = forms.ChoiceField(label=_("How it is known"), choices=Source.choices)
    remarks = forms.CharField(label=_("Remarks"), max_length=240, required=False)
    valid_from = DateField(label=_("Valid from"), required=False)
    valid_until = DateField(label=_("Last day"), required=False)

    def new(self) -> NewRelation:
        """It, as the verb takes it; nobody chosen is nobody on record."""
        told = dict(self.cleaned_data)
        return NewRelation(other=told.pop("citizen") or UUID(int=0), **told)


class EndRelationForm(ServiceForm):
    """Why it is no longer so."""

    reason = forms.CharField(label=_("Reason"), max_length=240)

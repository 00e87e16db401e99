"""Forms of the room; the verbs check again what matters."""

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.integrations import mapping
from crm.integrations.models import Connection, Subscription
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.integrations.ports import topics
from crm.kit.forms import Correction, ServiceForm
from crm.kit.policy import catalogue


class ConnectionForm(Correction):
    """How another system is asked."""

    name = forms.CharField(label=_("Name"), max_length=120)
    base_url = forms.CharField(
        label=_("Address of the system"),
        max_length=300,
        widget=forms.URLInput,
        help_text=_("For example https://registro.example.org/api"),
    )
    path = forms.CharField(
        label=_("Path"),
        max_length=300,
        help_text=_("With {number} where the person's number goes: /personas/{number}"),
    )
    authentication = forms.ChoiceField(
        label=_("How we say who we are"), choices=Connection.Authentication.choices
    )
    header = forms.CharField(
        label=_("Name of that header"),
        max_length=60,
        required=False,
        help_text=_("Only for a key in a header of its own, such as X-Api-Key"),
    )
    secret = forms.CharField(
        label=_("Key"),
        max_length=500,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Kept encrypted and never shown again. Leave it empty to keep the present one."
        ),
    )
    records_at = forms.CharField(
        label=_("Where the list stands in the answer"), max_length=120, required=False
    )
    fields_shown = forms.CharField(
        label=_("What is shown"),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("One a line: Label = place.in.the.answer"),
    )
    legal_basis = forms.CharField(
        label=_("Legal basis"),
        max_length=240,
        help_text=_("The rule with its article, for example: Ley 39/2015, art. 28.2"),
    )
    permission = forms.ChoiceField(
        label=_("Right that its readers hold"),
        required=False,
        help_text=_("Beside the one to see what connected systems say."),
    )
    seconds = forms.IntegerField(label=_("Seconds to wait"), min_value=1, max_value=10, initial=3)
    retries = forms.IntegerField(label=_("Further tries"), min_value=0, max_value=3, initial=1)
    cache_seconds = forms.IntegerField(
        label=_("Seconds that an answer counts as fresh"),
        min_value=0,
        max_value=86_400,
        initial=300,
    )
    keep_hours = forms.IntegerField(
        label=_("Hours that an answer is kept for when the system fails"),
        min_value=0,
        max_value=168,
        initial=24,
    )
    is_active = forms.BooleanField(
        label=_("Ask it on the page of a person"), required=False, initial=True
    )

    places = {"fields": "fields_shown"}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["permission"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = sorted(
            ((one.name, str(capfirst(str(one.sentence)))) for one in catalogue.values()),
            key=lambda choice: (choice[0] != CONSULT_SYSTEMS, choice[1]),
        )

    def given(self) -> dict[str, object]:
        """What the verb takes."""
        data = dict(self.cleaned_data)
        data["fields"] = data.pop("fields_shown")
        data["permission"] = data["permission"] or CONSULT_SYSTEMS
        del data["seen"]
        return data

    @staticmethod
    def of(row: Connection) -> dict[str, object]:
        """What the form says of a connection: everything but its secret."""
        names = ("name", "base_url", "path", "authentication", "header", "records_at", "seconds")
        more = (
            *("retries", "cache_seconds", "keep_hours", "is_active"),
            *("legal_basis", "permission"),
        )
        return {
            **{name: getattr(row, name) for name in (*names, *more)},
            "fields_shown": mapping.as_lines(row.fields),
            "seen": row.updated_at.isoformat(),
        }


class TryForm(ServiceForm):
    """Whom to ask about in a test."""

    number = forms.CharField(
        label=_("Identification number to ask about"),
        max_length=40,
        help_text=_("Use a made-up one of the other system's test data."),
    )


class SubscriptionForm(Correction):
    """Who is told what."""

    name = forms.CharField(label=_("Name"), max_length=120)
    url = forms.CharField(
        label=_("Address that receives the events"), max_length=500, widget=forms.URLInput
    )
    topics = forms.MultipleChoiceField(label=_("Events"), widget=forms.CheckboxSelectMultiple)
    scope = forms.ChoiceField(
        label=_("How much it is told"),
        choices=Subscription.Scope.choices,
        widget=forms.RadioSelect,
        initial=Subscription.Scope.IDENTIFIERS,
        help_text=_("Whoever needs the content can read it by API, where each look is recorded."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["topics"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(topic.name, str(topic.label)) for topic in topics.values()]

    @staticmethod
    def of(row: Subscription) -> dict[str, object]:
        """What the form says of a subscription."""
        return {
            **{name: getattr(row, name) for name in ("name", "url", "topics", "scope")},
            "seen": row.updated_at.isoformat(),
        }

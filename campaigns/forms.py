"""What is typed on the campaigns' pages; the rules themselves are the services'."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Segment, Template
from campaigns.rendering import TYPES, Placeholder, placeholders
from campaigns.services.drafting import Wanted
from campaigns.services.templates import latest
from crm.citizens.models import Topic
from crm.kit.actor import Actor
from crm.kit.forms import DateInput, ServiceForm

USUAL_WINDOW = timedelta(days=3)


class MomentInput(forms.DateTimeInput):
    """A moment by the browser's own calendar and clock."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class CampaignForm(ServiceForm):
    """A campaign: to whom, about what, with which words, when."""

    name = forms.CharField(label=_("Name"), max_length=160)
    topic = forms.TypedChoiceField(label=_("Topic"), coerce=UUID)
    segment = forms.TypedChoiceField(label=_("Audience"), coerce=UUID)
    template = forms.TypedChoiceField(
        label=_("Template"),
        coerce=UUID,
        help_text=_("Another template may ask for other values: save to see them."),
    )
    send_at = forms.DateTimeField(
        label=_("Send from"),
        required=False,
        widget=MomentInput,
        help_text=_("Without it, as soon as it is approved."),
    )
    send_not_after = forms.DateTimeField(
        label=_("Do not send after"),
        widget=MomentInput,
        help_text=_("What has not left by then is not sent any more."),
    )
    rate_per_minute = forms.IntegerField(
        label=_("Messages per minute, at most"), required=False, min_value=1, max_value=100_000
    )
    max_error_rate = forms.IntegerField(
        label=_("Pause when more than this percentage fails"),
        min_value=1,
        max_value=100,
        initial=10,
    )

    def __init__(
        self, *args: Any, actor: Actor, campaign: Campaign | None = None, **kwargs: Any
    ) -> None:
        kwargs["initial"] = _initial(campaign)
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("topic", Topic.objects.for_actor(actor).filter(ended_at=None)),
            ("segment", Segment.objects.for_actor(actor).filter(archived_at=None)),
            ("template", Template.objects.for_actor(actor).filter(archived_at=None)),
        ):
            choices = [(str(row.uuid), str(row)) for row in rows.order_by("name")]
            self.fields[name].choices = [("", "—"), *choices]  # type: ignore[attr-defined]
        self.holes = self._holes(actor, campaign)
        for hole in self.holes:
            value = campaign.values.get(hole.name, "") if campaign else ""
            self.fields[f"value-{hole.name}"] = _value_field(hole, value)

    def _holes(self, actor: Actor, campaign: Campaign | None) -> Sequence[Placeholder]:
        """The campaign's own placeholders in the words of the chosen template."""
        chosen: object = (
            self.data.get("template") if self.is_bound else self.initial.get("template")
        )
        try:
            rows = Template.objects.for_actor(actor).filter(uuid=UUID(str(chosen)))
        except ValueError:
            return []
        row = rows.first()
        version = latest(row) if row else None
        return [hole for hole in placeholders(version.texts if version else {}) if hole.own]

    def wanted(self) -> Wanted:
        """What the form asks for."""
        said = self.cleaned_data
        return Wanted(
            name=said["name"],
            topic=said["topic"],
            segment=said["segment"],
            template=said["template"],
            send_at=said["send_at"],
            send_not_after=said["send_not_after"],
            values={hole.name: str(said[f"value-{hole.name}"] or "") for hole in self.holes},
            rate_per_minute=said["rate_per_minute"],
            max_error_rate=said["max_error_rate"],
        )


def _initial(campaign: Campaign | None) -> dict[str, Any]:
    if campaign is None:
        return {"send_not_after": timezone.localtime() + USUAL_WINDOW, "max_error_rate": 10}
    return {
        "name": campaign.name,
        "topic": campaign.topic.uuid,
        "segment": campaign.segment.uuid,
        "template": campaign.template.uuid,
        "send_at": campaign.send_at,
        "send_not_after": campaign.send_not_after,
        "rate_per_minute": campaign.rate_per_minute,
        "max_error_rate": campaign.max_error_rate,
    }


def _value_field(hole: Placeholder, value: str) -> forms.Field:
    label = f"(({hole.name})) · {TYPES[hole.type]}"
    widgets: dict[str, forms.Widget] = {
        "date": DateInput(),
        "link": forms.URLInput(attrs={"placeholder": "https://"}),
        "number": forms.TextInput(attrs={"inputmode": "decimal"}),
    }
    return forms.CharField(
        label=label,
        max_length=400,
        required=False,
        initial=value,
        widget=widgets.get(hole.type, forms.TextInput()),
    )


class SegmentForm(ServiceForm):
    """The audience's name; its conditions are read by campaigns.builder."""

    name = forms.CharField(label=_("Name"), max_length=120)


class TemplateForm(ServiceForm):
    """A template: its words in the organisation's languages and those that it already has."""

    name = forms.CharField(label=_("Name"), max_length=120)

    def __init__(
        self, *args: Any, languages: Sequence[str], template: Template | None = None, **kwargs: Any
    ) -> None:
        version = latest(template) if template else None
        texts = version.texts if version else {}
        kwargs["initial"] = {"name": template.name if template else ""}
        super().__init__(*args, **kwargs)
        known = dict(settings.LANGUAGES)
        codes = [*languages, *texts, *known]
        self.languages = [code for code in dict.fromkeys(codes) if code in known]
        self.first = self.languages[0]
        for code in self.languages:
            words = texts.get(code, {})
            self.fields[f"subject-{code}"] = forms.CharField(
                label=_("Subject"),
                max_length=150,
                required=code == self.first,
                initial=words.get("subject", ""),
            )
            self.fields[f"body-{code}"] = forms.CharField(
                label=_("Message"),
                max_length=20_000,
                required=code == self.first,
                initial=words.get("body", ""),
                widget=forms.Textarea(attrs={"rows": 12}),
            )

    def parts(self) -> list[dict[str, Any]]:
        """The fields by language, for the page."""
        return [
            {
                "code": code,
                "subject": self[f"subject-{code}"],
                "body": self[f"body-{code}"],
                "open": code == self.first
                or bool(self[f"subject-{code}"].value() or self[f"body-{code}"].value()),
            }
            for code in self.languages
        ]

    def texts(self) -> dict[str, dict[str, str]]:
        """The words of those languages in which something is written."""
        said = self.cleaned_data
        found = {
            code: {"subject": said[f"subject-{code}"], "body": said[f"body-{code}"]}
            for code in self.languages
        }
        return {code: words for code, words in found.items() if any(words.values())}


class TopicForm(ServiceForm):
    """A topic, and what it is called in other languages."""

    name = forms.CharField(label=_("Name"), max_length=120)
    message_class = forms.ChoiceField(
        label=_("Kind of message"),
        choices=Topic.MessageClass,
        initial=Topic.MessageClass.INFORMATIONAL,
        help_text=_("The informational is sent only to who said that they want it."),
    )


class HostForm(ServiceForm):
    """A host that links may lead to."""

    host = forms.CharField(
        label=_("Host"), max_length=253, help_text=_("For instance, www.example.org.")
    )

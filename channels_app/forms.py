"""What is typed where chats and queues are set up; the rules themselves are the services'."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.bots.first_level import SETTING as ASSISTANT
from channels_app.models import ChannelAccount, ContactReason, PauseReason, Queue, WrapUpCode
from channels_app.services.setup import LONGEST_CONSENT, LONGEST_NAME, MOST_ROOM
from crm.kit.forms import Correction, ServiceForm
from crm.kit.templatetags.ui import own_name

Choices = Iterable[tuple[str, Any]]
NONE = ("", "—")


class ByLanguage(Correction):
    """A form that asks for the same words in each of the organisation's languages."""

    def __init__(self, *args: Any, languages: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.languages = list(languages)

    def ask(self, field: str, label: Any, place: str, **control: Any) -> None:
        """Fields for the words: of the first language, which must say it, before the field `place`; of
        the others at the end."""
        names = []
        for language in self.languages:
            name = f"{field}_{language}"
            said = f"{label} ({own_name(language)})" if len(self.languages) > 1 else label
            required = language == self.languages[0]
            self.fields[name] = forms.CharField(label=said, required=required, **control)
            names.append(name)
        order = [name for name in self.fields if name not in names]
        at = order.index(place)
        self.order_fields([*order[:at], names[0], *order[at:], *names[1:]])

    def said_in(self, field: str) -> dict[str, str]:
        """The words by language."""
        return {one: self.cleaned_data[f"{field}_{one}"] for one in self.languages}


def _by_language(field: str, texts: Any) -> dict[str, str]:
    return {f"{field}_{language}": text for language, text in (texts or {}).items()}


class ChatForm(ByLanguage):
    """A web chat."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, help_text=_("As citizens read it")
    )
    unit = forms.ChoiceField(label=_("Unit"))
    queue = forms.ChoiceField(
        label=_("Queue"), help_text=_("For whoever writes for a reason that names no other")
    )
    allowed_origins = forms.CharField(
        label=_("Sites that may show it, one a line"),
        required=False,
        max_length=10_000,
        help_text=_("Such as https://www.example.org; browsers refuse every other site."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    assistant = forms.BooleanField(
        label=_("The assistant answers first"),
        required=False,
        help_text=_("It says that it is a machine and answers only from published articles."),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False)

    def __init__(self, *args: Any, units: Choices, queues: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = [NONE, *units]  # type: ignore[attr-defined]
        self.fields["queue"].choices = [NONE, *queues]  # type: ignore[attr-defined]
        self.ask(
            "consent",
            _("What people agree to before they write"),
            "assistant",
            max_length=LONGEST_CONSENT,
            widget=forms.Textarea(attrs={"rows": 4}),
        )
        # the text stands in all its languages together, after what is switched on and off
        self.order_fields(["name", "unit", "queue", "allowed_origins", "assistant", "is_active"])

    @staticmethod
    def of(row: ChannelAccount) -> dict[str, Any]:
        """What the fields hold at first."""
        newest = row.consent_texts.order_by("-version").first()
        return {
            "name": row.name,
            "unit": str(row.unit.uuid),
            "queue": str(row.queue.uuid) if row.queue else "",
            "allowed_origins": "\n".join(row.allowed_origins),
            "assistant": bool(row.settings.get(ASSISTANT)),
            "is_active": row.is_active,
            "seen": row.updated_at.isoformat(),
            **_by_language("consent", newest.texts if newest else {}),
        }

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        data = self.cleaned_data
        return {
            **{name: data[name] for name in ("name", "assistant", "is_active")},
            "unit": UUID(data["unit"]),
            "queue": UUID(data["queue"]),
            "allowed_origins": data["allowed_origins"].splitlines(),
            "consent": self.said_in("consent"),
        }


class QueueForm(ByLanguage):
    """A queue."""

    unit = forms.ChoiceField(
        label=_("Unit"), help_text=_("Its people read the conversations of the queue.")
    )
    calendar = forms.ChoiceField(
        label=_("Calendar"),
        required=False,
        help_text=_("The hours in which it is attended. Without one, those of the unit."),
    )
    case_type = forms.ChoiceField(
        label=_("Case type"),
        required=False,
        help_text=_("What a message left out of hours becomes; without one, none can be left."),
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=0,
        max_value=99,
        initial=50,
        help_text=_("The lower number is served first."),
    )
    offer_seconds = forms.IntegerField(
        label=_("Seconds to accept"), min_value=5, max_value=600, initial=30
    )
    wrap_up_seconds = forms.IntegerField(
        label=_("Seconds to wrap up"), min_value=0, max_value=3_600, initial=120
    )
    target_seconds = forms.IntegerField(
        label=_("Answer within, in seconds"), min_value=1, max_value=86_400, initial=180
    )
    max_waiting = forms.IntegerField(
        label=_("Most who may wait"),
        min_value=0,
        max_value=10_000,
        initial=0,
        help_text=_("0: as many as come. Beyond it people leave a message instead."),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False)

    def __init__(
        self, *args: Any, units: Choices, calendars: Choices, case_types: Choices, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = [NONE, *units]  # type: ignore[attr-defined]
        self.fields["calendar"].choices = [NONE, *calendars]  # type: ignore[attr-defined]
        self.fields["case_type"].choices = [NONE, *case_types]  # type: ignore[attr-defined]
        self.ask("name", _("Name"), "unit", max_length=LONGEST_NAME)

    @staticmethod
    def of(row: Queue) -> dict[str, Any]:
        """What the fields hold at first."""
        plain = (
            *("priority", "offer_seconds", "wrap_up_seconds", "target_seconds", "max_waiting"),
            "is_active",
        )
        return {
            **{name: getattr(row, name) for name in plain},
            "unit": str(row.unit.uuid),
            "calendar": str(row.calendar.uuid) if row.calendar else "",
            "case_type": str(row.case_type.uuid) if row.case_type else "",
            "seen": row.updated_at.isoformat(),
            **_by_language("name", row.names),
        }

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        data = self.cleaned_data
        chosen = {
            name: UUID(data[name]) if data[name] else None
            for name in ("unit", "calendar", "case_type")
        }
        plain = {name: data[name] for name in data if not name.startswith("name_")}
        return {**plain, **chosen, "names": self.said_in("name")}


class WordForm(ByLanguage):
    """Something that people choose by its name."""

    position = forms.IntegerField(
        label=_("Place in the list"), min_value=0, max_value=1_000, initial=0
    )
    is_active = forms.BooleanField(label=_("In use"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask("name", _("Name"), "position", max_length=LONGEST_NAME)

    @staticmethod
    def of(row: WrapUpCode | PauseReason | ContactReason) -> dict[str, Any]:
        """What the fields hold at first."""
        return {
            "position": row.position,
            "is_active": row.is_active,
            "seen": row.updated_at.isoformat(),
            **_by_language("name", row.names),
        }

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        data = self.cleaned_data
        plain = {name: data[name] for name in ("position", "is_active")}
        return {**plain, "names": self.said_in("name")}


class ReasonForm(WordForm):
    """Why somebody writes, and where that leads."""

    queue = forms.ChoiceField(label=_("Queue"), help_text=_("Where it leads"))

    def __init__(self, *args: Any, queues: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["queue"].choices = [NONE, *queues]  # type: ignore[attr-defined]

    @staticmethod
    def of(row: Any) -> dict[str, Any]:
        """What the fields hold at first."""
        return {**WordForm.of(row), "queue": str(row.queue.uuid)}

    def given(self) -> dict[str, Any]:
        """As the verb takes it."""
        return {**super().given(), "queue": UUID(self.cleaned_data["queue"])}


class MemberForm(ServiceForm):
    """Who serves a queue."""

    person = forms.ChoiceField(label=_("Person"))
    room = forms.IntegerField(
        label=_("Conversations at once"),
        min_value=1,
        max_value=MOST_ROOM,
        initial=3,
        help_text=_("Of all the queues that they serve"),
    )

    def __init__(self, *args: Any, people: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [NONE, *people]  # type: ignore[attr-defined]

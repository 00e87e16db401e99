"""The form of a canned answer: whose it is, where it fits, its words by language."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import answers, selectors
from cases.forms import unit_choices
from cases.models import Audience, CannedAnswer
from cases.parts.messages import LONGEST_TEXT
from cases.permissions import WRITE_ARTICLE
from cases.services.answers import Answer
from cases.studio_forms.workflow import CATEGORY_WORDS
from cases.workflow import Workflow
from crm.citizens.models import Channel
from crm.kit.actor import Actor
from crm.kit.forms import ServiceForm
from crm.kit.templatetags.ui import own_name

TEXT = "text_"


class AnswerForm(ServiceForm):
    """A canned answer; what is wrong with it the verb says."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    code = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=40,
        help_text=gettext_lazy("What one writes after “/”: small letters, digits and dashes."),
    )
    audience = forms.ChoiceField(label=gettext_lazy("Who has it"), widget=forms.RadioSelect)
    unit = forms.TypedChoiceField(
        label=gettext_lazy("Unit"), coerce=UUID, empty_value=None, required=False
    )
    case_types = forms.MultipleChoiceField(
        label=gettext_lazy("Case types"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("None: it fits in all of them."),
    )
    states = forms.MultipleChoiceField(
        label=gettext_lazy("States"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("None: it fits in every state."),
    )
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Channels"),
        choices=Channel.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("None: it fits whatever way the case came in."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, actor: Actor, answer: CannedAnswer | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.languages = [code for code, _name in settings.LANGUAGES]
        for language in self.languages:
            self.fields[TEXT + language] = forms.CharField(
                label=_("Text in %(language)s") % {"language": own_name(language)},
                required=False,
                max_length=LONGEST_TEXT,
                widget=forms.Textarea(attrs={"rows": 9, "lang": language}),
            )
        self._offer("audience", self._audiences(actor, answer))
        units = unit_choices(selectors.all_units(actor))
        self._offer("unit", [("", "—"), *units])
        names = answers.type_names(actor)
        named = self._named("case_types")
        self._offer("case_types", [*names.items(), *((one, one) for one in named - set(names))])
        known = answers.workflows(actor, sorted(named & set(names)))
        self._offer("states", self._states(known))
        if not actor.holds(WRITE_ARTICLE):
            del self.fields["unit"]

    def _offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _named(self, name: str) -> set[str]:
        given = self.data.getlist(name) if self.is_bound else self.initial.get(name, ())  # type: ignore[attr-defined]
        return set(given)

    def _audiences(self, actor: Actor, answer: CannedAnswer | None) -> list[tuple[str, Any]]:
        own = (Audience.OWN.value, Audience.OWN.label)
        shared = [(one.value, one.label) for one in (Audience.UNIT, Audience.ORGANISATION)]
        if answer is not None:
            return [own] if answer.audience == Audience.OWN else shared
        mine = [own] if answers.may_write_own(actor) else []
        return [*mine, *(shared if actor.holds(WRITE_ARTICLE) else [])]

    def _states(self, known: Mapping[str, Workflow]) -> list[tuple[str, Any]]:
        """The categories, then the own states of the types that are named; what is kept stays chosen."""
        offered: dict[str, Any] = dict(CATEGORY_WORDS)
        for workflow in known.values():
            for code, state in workflow.states.items():
                offered.setdefault(code, state.name)
        for code in self._named("states"):
            offered.setdefault(code, code)
        return list(offered.items())

    def texts(self) -> list[tuple[str, str, forms.BoundField, bool]]:
        """By language: its code, its own name, its field, and whether it has words."""
        return [
            (code, own_name(code), self[TEXT + code], bool(self[TEXT + code].value()))
            for code in self.languages
        ]

    def answer(self) -> Answer:
        """What the form says."""
        said = self.cleaned_data
        return Answer(
            code=said["code"],
            name=said["name"],
            audience=said["audience"],
            unit=said.get("unit") if said["audience"] == Audience.UNIT else None,
            case_types=said["case_types"],
            states=said["states"],
            channels=said["channels"],
            texts={code: said[TEXT + code] for code in self.languages if said[TEXT + code].strip()},
        )


def initial_of(given: Answer, version: int) -> dict[str, Any]:
    """What the form of an answer begins with."""
    words = {TEXT + language: text for language, text in given.texts.items()}
    where = {name: getattr(given, name) for name in ("case_types", "states", "channels")}
    return {
        "name": given.name,
        "code": given.code,
        "audience": given.audience,
        "unit": given.unit,
        "version": version,
        **where,
        **words,
    }

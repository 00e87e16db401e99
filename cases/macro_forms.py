"""The forms of macros: the editor with its steps, and what is asked when one is run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import answers, macros, selectors
from cases.clocks import SUSPENDS
from cases.forms import MoveForm, unit_choices
from cases.macro_words import LABELS
from cases.models import Audience, CannedAnswer, Case, CaseTypeVersion, Macro
from cases.permissions import SHARE_VIEW
from cases.services.macro_steps import LONG, SHORT, STEPS
from cases.services.macros import MOST_STEPS, Planned, Said
from cases.studio_forms.workflow import CATEGORY_WORDS
from cases.workflow import of_version
from crm.kit.actor import Actor
from crm.kit.errors import DomainError, Invalid
from crm.kit.forms import ServiceForm

Choices = Sequence[tuple[Any, Any]]


class MacroForm(ServiceForm):
    """A macro with its steps, each as fields `sN.argument`; what is wrong with it the verb says."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
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
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        actor: Actor,
        acts: Sequence[str],
        macro: Macro | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.acts = actor, list(acts)[:MOST_STEPS]
        self._offer("audience", self._audiences(macro))
        self._offer("unit", [("", "—"), *unit_choices(selectors.units_where(actor, SHARE_VIEW))])
        self._offer("case_types", list(answers.type_names(actor).items()))
        self._offer("states", self._states())
        offers = self._offers()
        for number, act in enumerate(self.acts, start=1):
            step = STEPS[act]
            for name in (*step.wants, *step.may):
                field = _argument(name, offers.get(name))
                if name in step.wants and name not in offers:
                    field.help_text = _("Empty: whoever runs it is asked.")
                self.fields[f"s{number}.{name}"] = field

    def _offer(self, name: str, choices: Choices) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _audiences(self, macro: Macro | None) -> list[tuple[str, Any]]:
        own = [(Audience.OWN.value, Audience.OWN.label)]
        reach = self.actor.reach(SHARE_VIEW)
        units = [(Audience.UNIT.value, Audience.UNIT.label)] if reach else []
        whole = [(Audience.ORGANISATION.value, Audience.ORGANISATION.label)]
        shared = [*units, *(whole if reach.everywhere else [])]
        if macro is not None:
            return own if macro.audience == Audience.OWN else shared
        return [*(own if answers.may_write_own(self.actor) else []), *shared]

    def _states(self) -> list[tuple[str, Any]]:
        offered: dict[str, Any] = dict(CATEGORY_WORDS)
        bound = self.is_bound
        given = self.data.getlist if bound else lambda name: self.initial.get(name, ())  # type: ignore[attr-defined]
        for workflow in answers.workflows(self.actor, list(given("case_types"))).values():
            for code, state in workflow.states.items():
                offered.setdefault(code, state.name)
        for code in given("states"):
            offered.setdefault(code, code)
        return list(offered.items())

    def _offers(self) -> dict[str, Choices]:
        """What steps choose among."""
        actor, wanted = self.actor, {name for act in self.acts for name in STEPS[act].wants}
        people = selectors.people_of(actor) if "person" in wanted else ()
        known = answers.answers(actor).filter(status=CannedAnswer.Status.PUBLISHED)
        shared = known.order_by("name") if "answer" in wanted else ()
        return {
            "person": [("", "—"), *((str(one.uuid), one.full_name) for one in people)],
            "unit": [("", "—"), *unit_choices(selectors.all_units(actor))],
            "priority": [("", "—"), *Case.Priority.choices],
            "move": [("", "—"), *(_moves(actor) if "move" in wanted else ())],
            "answer": [
                ("", "—"),
                *((str(one.uuid), f"/{one.code} · {one.name}") for one in shared),
            ],
            "ground": [
                ("", "—"),
                *((code, f"{code}: {one.words}") for code, one in SUSPENDS.items()),
            ],
        }

    def steps(self) -> list[tuple[int, str, Any, list[forms.BoundField]]]:
        """For the template: each step with its act, in words, and its fields."""
        return [
            (number, act, LABELS[act], [self[f"s{number}.{name}"] for name in _taken(act)])
            for number, act in enumerate(self.acts, start=1)
        ]

    def said(self) -> Said:
        """What the form says."""
        given = self.cleaned_data
        return Said(
            name=given["name"],
            audience=given["audience"],
            unit=given.get("unit") if given["audience"] == Audience.UNIT else None,
            case_types=given["case_types"],
            states=given["states"],
            steps=[
                {"act": act, **{name: given[f"s{number}.{name}"] for name in _taken(act)}}
                for number, act in enumerate(self.acts, start=1)
            ],
        )

    def refused(self, error: DomainError) -> None:
        """What the verb says of a step stands at its field."""
        if isinstance(error, Invalid):
            errors = {
                f"s{name.removeprefix('steps.')}" if name.startswith("steps.") else name: texts
                for name, texts in error.errors.items()
            }
            error = Invalid(errors=errors)
        super().refused(error)


def initial_of(macro: Macro) -> dict[str, Any]:
    """What the form of a macro begins with."""
    steps = {
        f"s{number}.{name}": value
        for number, step in enumerate(macro.steps, start=1)
        for name, value in step.items()
    }
    return {
        "name": macro.name,
        "audience": macro.audience,
        "unit": macro.unit.uuid if macro.unit else None,
        "case_types": macro.case_types,
        "states": macro.states,
        "version": macro.version,
        **steps,
    }


def acts_given(data: Mapping[str, Any]) -> list[str]:
    """The acts of the steps that a form was sent with."""
    given: Iterable[str] = data.getlist("act")  # type: ignore[attr-defined]
    return [act for act in given if act in STEPS]


def _taken(act: str) -> tuple[str, ...]:
    return (*STEPS[act].wants, *STEPS[act].may)


def _argument(name: str, choices: Choices | None) -> forms.Field:
    label = str(macros.ARGUMENTS[name])
    if choices is not None:
        return forms.ChoiceField(label=label, choices=choices, required=False)
    if name in LONG:
        area = forms.Textarea(attrs={"rows": 3})
        return forms.CharField(label=label, max_length=LONG[name], widget=area, required=False)
    return forms.CharField(label=label, max_length=SHORT[name], required=False)


def _moves(actor: Actor) -> list[tuple[str, str]]:
    """The moves of the types in use, each once, with the types that have it."""
    rows = CaseTypeVersion.objects.filter(
        case_type__organisation=actor.organisation_id,
        case_type__is_active=True,
        status=CaseTypeVersion.Status.PUBLISHED,
    ).select_related("case_type")
    found: dict[str, tuple[str, list[str]]] = {}
    for row in rows.order_by("case_type__name"):
        for move in of_version(row.bundle).moves:
            found.setdefault(move.code, (move.name, []))[1].append(row.case_type.name)
    most = 2
    told = {
        code: f"{name} ({', '.join(types[:most])}{'…' if len(types) > most else ''})"
        for code, (name, types) in found.items()
    }
    return sorted(told.items(), key=lambda pair: pair[1])


# --- Running --------------------------------------------------------------------------------------


class AskForm(forms.Form):
    """What a step that is no move asks of whoever runs it."""

    def __init__(self, *args: Any, asks: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in asks:
            self.fields[name] = _argument(name, None)
            self.fields[name].required = True

    def own_fields(self) -> list[forms.BoundField]:
        """All of them."""
        return list(self)


def ask_form(plan: Planned, data: Any = None) -> "MoveForm | AskForm":
    """The form of what a step asks on the case as it stands when its turn comes."""
    assert plan.case is not None
    prefix = f"s{plan.number}"
    if plan.act != "move":
        return AskForm(data, asks=plan.asks, prefix=prefix)
    workflow = of_version(plan.case.type_version.bundle)
    move = workflow.move(plan.move)
    assert move is not None
    return MoveForm(
        data, case=plan.case, move=move, asks=plan.asks, workflow=workflow, prefix=prefix
    )


def told_by(form: "MoveForm | AskForm") -> dict[str, Any]:
    """What was answered, as the step takes it."""
    given = {
        name: value
        for name, value in form.cleaned_data.items()
        if name != "version" and not name.startswith("data.")
    }
    if isinstance(form, MoveForm):
        given["data"] = form.cleaned_case_data()
    return given

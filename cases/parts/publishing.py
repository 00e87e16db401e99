"""What a designer should know before publishing, though cases could be worked with it. Pure.

What makes work impossible is found by `cases.workflow.check`; here is what is likely a mistake, and may
be published knowingly.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from cases.fields import I18N, ORDER, SECTIONS, Fields
from cases.models import StateCategory
from cases.parts.conditions import WHEN
from cases.parts.named import Problem, objects
from cases.workflow import State, Workflow
from crm.kit.policy import catalogue

Bundle = Mapping[str, Any]
_ENDED = StateCategory.RESOLVED


def advise(
    bundle: Bundle, workflow: Workflow, *, languages: Sequence[str], held: Collection[str]
) -> list[Problem]:
    """Everything of note in a checked bundle: `languages` are those that it should be read in besides the
    one it was written in, `held` the permissions that some role of the organisation has."""
    found = [
        *_dead_ends(bundle, workflow),
        *_moves_of_nobody(workflow, held),
        *_later_fields(workflow),
    ]
    for language in languages:
        found += _untranslated(bundle, language)
    return [Problem(one.where, one.message, blocks=False) for one in found]


def _dead_ends(bundle: Bundle, workflow: Workflow) -> Iterator[Problem]:
    """States from which work can never end."""
    ends = {code for code, state in workflow.states.items() if state.category >= _ENDED}
    grown = True
    while grown:
        more = {
            source
            for move in workflow.moves
            if move.target in ends
            for source in move.sources
            if source not in ends
        }
        grown = bool(more)
        ends |= more
    for place, item in objects(bundle["states"]):
        state: State = workflow.states[item["code"]]
        if state.code in ends:
            continue
        if workflow.moves_from(state.code):
            text = _("From the state “%(name)s” no way leads to one in which work has ended.")
        else:
            text = _("No move leaves the state “%(name)s”, in which work goes on.")
        yield Problem(f"states[{place}]", text % {"name": state.said})


def _moves_of_nobody(workflow: Workflow, held: Collection[str]) -> Iterator[Problem]:
    for place, move in enumerate(workflow.moves):
        if move.permission not in held:
            text = _("Nobody may make the move “%(name)s”: no role may %(permission)s.")
            sentence = catalogue[move.permission].sentence
            told = text % {"name": move.said, "permission": sentence}
            yield Problem(f"moves[{place}].permission", told)


def _later_fields(workflow: Workflow) -> Iterator[Problem]:
    """Conditions on what is asked only further down, as the sections order it."""
    order = [field for section in workflow.fields.sections for field in section.fields]
    place = {field.name: number for number, field in enumerate(order)}
    for field in order:
        for condition in field.when:
            if place[condition.field] > place[field.name]:
                text = _("It depends on “%(name)s”, which is asked only after it.")
                name = workflow.fields.label_of(condition.field)
                yield Problem(f"fields.properties.{field.name}.x-when", text % {"name": name})


def _untranslated(bundle: Bundle, language: str) -> Iterator[Problem]:
    for where, said, spoken in _texts(bundle, language):
        if said and not spoken:
            text = _("“%(text)s” is not translated (%(language)s).")
            short = said if len(said) <= 60 else f"{said[:59]}…"
            yield Problem(where, text % {"text": short, "language": language})


def _texts(bundle: Bundle, language: str) -> Iterator[tuple[str, str, str]]:
    """Every text that somebody reads: where its translation would stand, the text, the translation."""
    for part in ("states", "moves", "roles", "results", "messages"):
        for place, item in objects(bundle.get(part)):
            names = item.get("names", {})
            yield f"{part}[{place}].names.{language}", item["name"], names.get(language, "")
    for place, item in objects(bundle.get("messages")):
        where = f"messages[{place}].texts.{language}"
        yield where, item["text"], item.get("texts", {}).get(language, "")
    fields = bundle.get("fields") or {}
    properties = fields.get("properties", {})
    for name in fields.get(ORDER, properties):
        yield from _of_field(f"fields.properties.{name}", properties[name], language)
    for place, section in objects(fields.get(SECTIONS)):
        yield from _of_field(f"fields.{SECTIONS}[{place}]", section, language)


def _of_field(where: str, item: Mapping[str, Any], language: str) -> Iterator[tuple[str, str, str]]:
    spoken = item.get(I18N, {}).get(language, {})
    for key in ("title", "description"):
        yield f"{where}.{I18N}.{language}.{key}", str(item.get(key, "")), spoken.get(key, "")
    labels = spoken.get("labels", {})
    for value, label in item.get("x-labels", {}).items():
        yield f"{where}.{I18N}.{language}.labels.{value}", label, labels.get(value, "")


# --- What procedures ask ------------------------------------------------------------------------


def form_problems(
    code: str, form: Mapping[str, Any], before: Fields, after: Fields
) -> Iterable[Problem]:
    """What is wrong between a procedure's own form and a type's fields as they are to be: what the type
    newly requires and the form does not, and what the form asks for a field that is going."""
    asked = Fields(form)
    demanded = {field.name: field.schema.get(WHEN) for field in asked if field.required}
    for field in after:
        when = demanded.get(field.name)
        asked_alike = field.name in demanded and when in (None, field.schema.get(WHEN))
        if field.required and not asked_alike:
            text = _(
                "It is required, but the form of the procedure “%(code)s” does not require it."
            )
            yield Problem(f"fields.properties.{field.name}", text % {"code": code})
    for field in before:
        if after.get(field.name) is None and asked.get(field.name) is not None:
            text = _("“%(name)s” is removed, but the form of the procedure “%(code)s” asks it.")
            told = text % {"name": field.label, "code": code}
            yield Problem("fields.properties", told, blocks=False)

"""What the values of each field of cases mean: choices, codes, units, dates, citizens."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.lists import ALL, ENDED, NOBODY, OPEN, is_reference
from cases.models import Case, Confidentiality, EventKind, Measure, StateCategory
from cases.query.asking import (
    UUID_FORM,
    Asking,
    Choice,
    Person,
    chosen,
    offered,
    people_offered,
    person,
    words_shown,
)
from crm.citizens.models import Channel
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.vocabulary import words_of
from crm.kit.query import (
    OFFERED,
    Offer,
    Period,
    Value,
    Wrong,
    folded,
    in_spanish,
    period_of,
    proposing,
)

_BELOW = "/*"

WORK = (
    Choice(OPEN, "open", "abierto", gettext_lazy("All open"), ("abiertos", "abierta", "abiertas")),
    Choice(ENDED, "ended", "terminado", gettext_lazy("Ended"), ("terminados", "terminada")),
    Choice(ALL, "all", "todos", gettext_lazy("All cases"), ("todo", "todas", "any")),
)
CATEGORIES = tuple(
    Choice(category, code, spanish, category.label, (category.name.lower(),))
    for category, code, spanish in (
        (StateCategory.NEW, "new", "nuevo"),
        (StateCategory.OPEN, "in-progress", "en-trámite"),
        (StateCategory.WAITING_CITIZEN, "waiting-citizen", "espera-ciudadano"),
        (StateCategory.WAITING_THIRD_PARTY, "waiting-third-party", "espera-tercero"),
        (StateCategory.RESOLVED, "resolved", "resuelto"),
        (StateCategory.CLOSED, "closed", "cerrado"),
    )
)
PRIORITIES = tuple(
    Choice(priority, priority.name.lower(), spanish, priority.label)
    for priority, spanish in zip(Case.Priority, ("baja", "normal", "alta", "urgente"), strict=True)
)
CONFIDENTIALITY = tuple(
    Choice(level, level.name.lower(), spanish, level.label)
    for level, spanish in zip(
        Confidentiality, ("público", "interno", "confidencial", "protegido"), strict=True
    )
)
CHANNELS = tuple(
    Choice(channel.value, channel.value.replace("_", "-"), spanish, channel.label)
    for channel, spanish in zip(
        Channel,
        [
            "teléfono",
            "chat",
            "whatsapp",
            "redes",
            "correo-e",
            "sms",
            "vídeo",
            "presencial",
            "correo-postal",
            "formulario",
        ],
        strict=True,
    )
)
LANGUAGES = tuple(Choice(code, code, "", name) for code, name in settings.LANGUAGES)
HAS = tuple(
    Choice(code, code, spanish, label)
    for code, spanish, label in (
        ("assignee", "responsable", gettext_lazy("Assignee")),
        ("citizen", "persona", gettext_lazy("Citizen")),
        ("due", "plazo", gettext_lazy("Due date")),
        ("suspension", "suspensión", gettext_lazy("Legal deadline suspended")),
        ("outcome", "resultado", gettext_lazy("Outcome")),
        ("place", "lugar", gettext_lazy("Place on the map")),
        ("documents", "documentos", gettext_lazy("Documents")),
        ("messages", "mensajes", gettext_lazy("Messages")),
        ("notes", "notas", gettext_lazy("Internal notes")),
        ("links", "vínculos", gettext_lazy("Linked cases")),
        ("participants", "participantes", gettext_lazy("Participants")),
    )
)
TASKS = tuple(
    Choice(code, code, spanish, label)
    for code, spanish, label in (
        ("open", "abiertas", gettext_lazy("Some to do")),
        ("late", "vencidas", gettext_lazy("Some late")),
        ("mine", "mías", gettext_lazy("Some of mine")),
        ("none", "ninguna", gettext_lazy("None to do")),
    )
)
TRANSFERS = tuple(
    Choice(code, code, spanish, label)
    for code, spanish, label in (
        ("offered", "ofrecido", gettext_lazy("Offered to another unit")),
        ("received", "recibido", gettext_lazy("Received by a transfer")),
        ("expired", "vencido", gettext_lazy("A transfer expired")),
        ("none", "ninguno", gettext_lazy("Never offered nor received")),
    )
)
EVENTS = tuple(
    Choice(kind.value, kind.value.replace("_", "-"), spanish, kind.label)
    for kind, spanish in zip(
        EventKind,
        (
            *("abierto", "importado", "editado", "asignado", "devuelto", "movido"),
            *("unidad-cambiada", "confidencialidad-cambiada", "anotado", "mensaje", "adjuntado"),
            *("retirado", "vinculado", "desvinculado", "participante-añadido"),
            *("participante-retirado", "plazo-suspendido", "plazo-reanudado", "plazo-ampliado"),
            *("plazo-recalculado", "objetivo-en-riesgo", "objetivo-incumplido"),
            *("objetivo-recalculado", "informado", "documentación-pedida"),
            "petición-terminada",
            *("tarea-añadida", "tarea-cambiada", "tarea-hecha", "tarea-aprobada"),
            *("tarea-no-aprobada", "tarea-cancelada", "tarea-retomada", "papel-anotado"),
            "migrado",
            *("traslado-ofrecido", "traslado-devuelto", "traslado-rechazado", "traslado-vencido"),
            *("traslado-retirado", "trasladado", "recibido", "consultado", "consulta-comentada"),
            *("consulta-respondida", "consulta-declinada", "consulta-ampliada"),
            "consulta-retirada",
            *("unido", "unido-aquí", "unión-deshecha", "dividido", "segregado"),
            "macro-ejecutada",
            "respuesta-incorporada",
        ),
        strict=True,
    )
)

DANGER, MISSED, PAUSED, RUNNING = "danger", "missed", "paused", "running"
SERVICE = tuple(
    Choice(code, code, spanish, label)
    for code, spanish, label in (
        (DANGER, "en-riesgo", gettext_lazy("In danger or late")),
        (MISSED, "incumplido", gettext_lazy("One was missed")),
        (PAUSED, "en-pausa", gettext_lazy("They stand still")),
        (RUNNING, "en-curso", gettext_lazy("One runs")),
    )
)
SILENCE = tuple(
    Choice(code, code, spanish, label)
    for code, spanish, label in (
        ("granted", "estimatorio", gettext_lazy("Granted by silence")),
        ("denied", "desestimatorio", gettext_lazy("Denied by silence")),
        ("expired", "caducado", gettext_lazy("Expired by silence")),
        ("none", "sin-efecto", gettext_lazy("No effect")),
        ("any", "cualquiera", gettext_lazy("Any of them")),
    )
)
MEASURES = (
    Choice("", "any", "alguno", gettext_lazy("Any of them"), ("alguna",)),
    *(
        Choice(code, code.replace("_", "-"), spanish, label)
        for (code, label), spanish in zip(
            Measure.choices,
            ("primera-respuesta", "siguiente-respuesta", "resolución"),
            strict=True,
        )
    ),
)

Read = Callable[[Asking, Value], Any]
Offers = Callable[[Asking, str], Iterable[Offer]]


def one_of(choices: Sequence[Choice]) -> tuple[Read, Offers]:
    """How a value of a fixed list is read and offered."""

    def read(_asking: Asking, value: Value) -> Any:
        message = _("“%(value)s” is no value of this field.") % {"value": value.text}
        return chosen(value, choices, message).value

    return read, lambda _asking, begun: offered(choices, begun)


# --- State, type --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """Work that goes on or has ended, or states by their codes."""

    work: str = ""
    codes: tuple[str, ...] = ()


def state(asking: Asking, value: Value) -> State:
    """Open, ended, all, or the state of that code or name."""
    if not value.quoted:
        for choice in WORK:
            if folded(value.text) in map(folded, choice.words):
                return State(work=str(choice.value))
    return State(codes=state_codes(asking, value))


def state_codes(asking: Asking, value: Value) -> tuple[str, ...]:
    """The codes of the states so called."""
    if value.text in asking.states:
        return (value.text,)
    wanted = folded(value.text)
    found = [
        code
        for code, names in asking.states.items()
        if wanted == folded(code) or wanted in map(folded, names)
    ]
    if found:
        return tuple(sorted(found))
    message = _("No case type has a state “%(value)s”.") % {"value": value.text}
    states = {word: code for code, names in asking.states.items() for word in (code, *names)}
    raise proposing(value, message, {**states, **words_shown(WORK)})


def states_offered(asking: Asking, begun: str) -> Iterable[Offer]:
    """Open, ended, all, and the states of the organisation."""
    yield from offered(WORK, begun)
    yield from state_codes_offered(asking, begun)


def state_codes_offered(asking: Asking, begun: str) -> Iterable[Offer]:
    """The states of the organisation that begin like that."""
    for code, names in sorted(asking.states.items()):
        if any(folded(word).startswith(begun) for word in (code, *names)):
            yield Offer(code, ", ".join(sorted(names)))


@dataclass(frozen=True, slots=True)
class Kind:
    """A case type."""

    key: int
    code: str


def case_type(asking: Asking, value: Value) -> Kind:
    """The case type of that code or name."""
    wanted = folded(value.text)
    for kind in asking.types:
        if value.text == kind.code:
            return Kind(kind.pk, kind.code)
    for kind in asking.types:
        if wanted in (folded(kind.code), folded(kind.name)):
            return Kind(kind.pk, kind.code)
    message = _("There is no case type “%(value)s”.") % {"value": value.text}
    codes = {word: kind.code for kind in asking.types for word in (kind.code, kind.name)}
    raise proposing(value, message, codes)


def types_offered(asking: Asking, begun: str) -> Iterable[Offer]:
    """The case types whose code or a word of whose name begins like that."""
    for kind in asking.types:
        words = [kind.code, kind.name, *kind.name.split()]
        if any(folded(word).startswith(begun) for word in words):
            yield Offer(kind.code, kind.name)


# --- Units --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Units:
    """A unit, alone or with all under it."""

    keys: frozenset[int]
    uuid: UUID
    alone: bool


def unit(asking: Asking, value: Value) -> Units:
    """The unit of that code or name, with all under it when « /* » follows; « mine »: where one works."""
    alone = not value.text.endswith(_BELOW)
    text = value.text.removesuffix(_BELOW)
    nodes = asking.tree.nodes
    wanted = folded(text)
    found = [node for node in nodes if node.code == text] or [
        node for node in nodes if wanted and wanted in (folded(node.code), folded(node.name))
    ]
    if not found and not value.quoted and wanted in ("mine", "mia", "mi"):
        found = [node for node in nodes if node.id == asking.actor.home_unit_id]
        if not found:
            raise Wrong(value.start, value.end, _("You work in no unit: write its code."))
    if len(found) == 1:
        root = found[0]
        keys = frozenset({root.id}) if alone else asking.tree.below([root.id])
        return Units(keys, UUID(root.uuid), alone)
    if found:
        message = _("Several units are called “%(value)s”: write its code.") % {"value": text}
        codes = tuple(node.code for node in found[:3])
        raise Wrong(value.start, value.end, message, codes)
    message = _("There is no unit “%(value)s”.") % {"value": text}
    seen = {word: node.code for node in asking.units_seen() for word in (node.code, node.name)}
    raise proposing(value, message, seen)


def units_offered(asking: Asking, begun: str) -> Iterable[Offer]:
    """The units whose cases the actor may see; those with others under them also with all of these."""
    parents = {node.parent_id for node in asking.tree.nodes}
    for node in asking.units_seen():
        words = [node.code, node.name, *node.name.split()]
        if any(folded(word).startswith(begun) for word in words):
            yield Offer(node.code, node.name)
            if node.id in parents:
                label = _("%(unit)s and all under it") % {"unit": node.name}
                yield Offer(f"{node.code}{_BELOW}", label)


# --- Dates --------------------------------------------------------------------------------------


def date_of(*, ahead: bool) -> Read:
    """How a date is read: a duration without a sign counts ahead or back."""

    def read(asking: Asking, value: Value) -> Period:
        found = period_of(folded_date(value.text), asking.now, ahead=ahead)
        if found is None:
            message = _(
                "“%(value)s” is no date. Write it as 2026-01-31, 7d, last-week or 2026-01..2026-03."
            )
            known = {text: text for text in OFFERED[in_spanish()]}
            raise proposing(value, message % {"value": value.text}, known)
        if found.by(value.sign or ":") is None:
            message = _("“%(value)s” is one moment: ask what is before or after it, with < or >.")
            raise Wrong(value.start, value.end, message % {"value": value.text})
        return found

    return read


def folded_date(text: str) -> str:
    """A date as periods are written: without capitals and accents."""
    return f"{'-' if text.startswith('-') else ''}{folded(text)}"


def dates_offered(_asking: Asking, begun: str) -> Iterable[Offer]:
    """Words for days, weeks and months."""
    for text in OFFERED[in_spanish()]:
        if folded(text).startswith(begun):
            yield Offer(text)


# --- People -------------------------------------------------------------------------------------


def assignee(asking: Asking, value: Value) -> Person:
    """Who has the case; « nobody » is possible."""
    if not value.quoted and folded(value.text) in (NOBODY, "nadie"):
        return Person(None)
    return person(asking, value)


def assignees_offered(asking: Asking, begun: str) -> Iterable[Offer]:
    """Nobody, oneself and the others."""
    nobody = "nadie" if in_spanish() else NOBODY
    if nobody.startswith(begun):
        yield Offer(nobody)
    yield from people_offered(asking, begun)


def citizen(asking: Asking, value: Value) -> UUID | tuple[str, ...]:
    """A citizen by UUID, or the words of their name where the actor may look for citizens."""
    if UUID_FORM.fullmatch(value.text):
        return UUID(value.text)
    if not asking.actor.holds(VIEW_CITIZEN):
        message = _("None of your roles finds citizens by their name.")
        raise Wrong(value.start, value.end, message)
    if any(sign.isdigit() for sign in value.text):
        message = _("Here citizens are found by name; by number with the search at the top.")
        raise Wrong(value.start, value.end, message)
    words = tuple(words_of(value.text))
    if not words:
        raise Wrong(value.start, value.end, _("Write a name or surname of the citizen."))
    return words


# --- Words --------------------------------------------------------------------------------------


def as_written(_asking: Asking, value: Value) -> str:
    """The text itself."""
    return value.text


def reference(_asking: Asking, value: Value) -> str:
    """The number of a case."""
    if not is_reference(value.text):
        message = _("A case number looks like CODE-2026-0000123.")
        raise Wrong(value.start, value.end, message)
    return value.text.upper()

"""A thing of a draft in one line, as the lists of the studio tell it. Pure."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from cases.designing import Bundle, codes_and_names
from cases.parts.results import NOMINATIONS
from cases.studio_forms.base import term_in
from cases.studio_forms.conditions import conditions_offered, conditions_written
from cases.studio_forms.kinds import KINDS, kind_of
from cases.studio_forms.workflow import CATEGORY_WORDS
from cases.targets import MEASURES
from cases.type_words import key_name, shown
from cases.workflow import OUTCOME, REASON
from crm.kit.policy import catalogue

LONGEST_LINE = 90


def told(slug: str, item: Mapping[str, Any], bundle: Bundle) -> str:
    """What the thing says beside its name."""
    tell = _TELLERS.get(slug)
    return " · ".join(filter(None, tell(item, bundle))) if tell else ""


def name_of(slug: str, item: Mapping[str, Any]) -> str:
    """What the thing is called; "" when it has no name yet."""
    if slug == "compromisos":
        within = f" ({item['within']})" if isinstance(item.get("within"), str) else ""
        measure = MEASURES.get(str(item.get("measure")))
        return f"{measure}{within}" if measure else ""
    return str(item.get("name") or item.get("title") or "")


def _field(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    words = [str(KINDS[kind_of(item)])]
    if item.get("required"):
        words.append(_("must be answered"))
    sections = dict(codes_and_names("secciones", bundle))
    if item.get("x-section") in sections:
        words.append(_("in “%(name)s”") % {"name": sections[item["x-section"]]})
    boxes = conditions_written(item.get("x-when"))
    if boxes:
        offered = dict(conditions_offered(bundle, item.get("code")))
        said = "; ".join(offered.get(box, box.partition(":")[2]) for box in boxes)
        words.append(_("asked when %(conditions)s") % {"conditions": said})
    return words


def _section(item: Mapping[str, Any], _bundle: Bundle) -> list[str]:
    return [str(item.get("description") or "")]


def _state(item: Mapping[str, Any], _bundle: Bundle) -> list[str]:
    words = CATEGORY_WORDS.get(str(item.get("category")))
    return [str(words) if words else ""]


def _move(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    states = dict(codes_and_names("estados", bundle))
    asked = {REASON: _("a reason"), OUTCOME: _("how it ended")}
    asked |= dict(codes_and_names("campos", bundle))
    sources = item.get("from") if isinstance(item.get("from"), list) else []
    way = f"{', '.join(states.get(str(code), '?') for code in sources or ())} → {states.get(str(item.get('to')), '?')}"
    right = catalogue.get(str(item.get("permission")))
    named = item.get("requires")
    names = [asked.get(str(name), "?") for name in named] if isinstance(named, list) else []
    return [
        way,
        _("needs: %(permission)s") % {"permission": right.sentence} if right else "",
        _("Asks for: %(fields)s") % {"fields": ", ".join(names)} if names else "",
    ]


def _role(item: Mapping[str, Any], _bundle: Bundle) -> list[str]:
    most = item.get("most")
    return [_("at most %(count)s") % {"count": most} if most else ""]


def _result(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    usual = bundle.get("retention")
    said = {**usual, **item} if isinstance(usual, Mapping) else item
    term, fate = term_in(said.get("term")), NOMINATIONS.get(str(said.get("nomination")))
    return [term.words if term else "", str(fate) if fate else ""]


def _paper(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    states = dict(codes_and_names("estados", bundle))
    origins = {"citizen": _("From the citizen"), "administration": _("From an administration")}
    return [
        origins.get(str(item.get("from")), ""),
        _("required") if item.get("required") else "",
        _("before “%(name)s”") % {"name": states[item["by"]]} if item.get("by") in states else "",
    ]


def _task(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    states, term = dict(codes_and_names("estados", bundle)), term_in(item.get("term"))
    when = states.get(str(item.get("when")))
    return [
        _("when the case comes to “%(name)s”") % {"name": when}
        if when
        else _("when the case is opened"),
        term.words if term else "",
        _("with approval") if item.get("approval") else "",
    ]


def _message(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    moves = dict(codes_and_names("pasos", bundle))
    named = item.get("moves") if isinstance(item.get("moves"), list) else []
    names = ", ".join(moves.get(str(code), "?") for code in named or ())
    text = str(item.get("text") or "").strip().partition("\n")[0]
    return [
        _("first after: %(moves)s") % {"moves": names} if names else "",
        text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…",
    ]


def _target(item: Mapping[str, Any], bundle: Bundle) -> list[str]:
    wanted = item.get("for")
    told = [
        f"{key_name(key)}: {shown('service', key, value, bundle)}"
        for key, value in (wanted.items() if isinstance(wanted, Mapping) else ())
    ]
    if item.get("warn"):
        told.append(_("warning: %(when)s") % {"when": item["warn"]})
    return told or [_("for every case")]


_TELLERS = {
    "campos": _field,
    "secciones": _section,
    "estados": _state,
    "pasos": _move,
    "intervinientes": _role,
    "resultados": _result,
    "documentos": _paper,
    "tareas": _task,
    "mensajes": _message,
    "compromisos": _target,
}

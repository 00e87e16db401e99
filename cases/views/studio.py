"""The studio of one case type: a page for each part of its draft, and what is wrong in each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import services
from cases.designing import (
    CLOCKS,
    GENERAL,
    KEEPING,
    LOTS,
    NEW,
    Found,
    Lot,
    known_lots,
    problems_found,
)
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services import designing
from cases.services.catalogue import newest_version, type_seen
from cases.services.studio import draft_seen
from cases.studio_forms import FORMS
from cases.studio_forms.base import ItemForm
from cases.studio_forms.whole import ClockForm, GeneralForm, InitialForm, KeepingForm
from cases.studio_words import name_of, told
from cases.workflow import check
from cases.workflow_picture import Picture, draw
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import NotFound
from crm.kit.forms import Correction
from crm.organisations.models import Organisation, Unit

SUMMARY, PUBLISH, PREVIEW = "resumen", "publicar", "vista"
GET_OR_POST = ["GET", "POST"]
WITH_UNITS = ("tareas", "compromisos")  # the lists whose things name units
WRITTEN_FIRST = "es"  # names are written in it; the others are translations


@dataclass
class Studio:
    """A case type on its designer's desk."""

    row: CaseType
    draft: CaseTypeVersion | None
    newest: CaseTypeVersion | None
    languages: list[str]
    problems: list[Found]
    here: str = ""

    @property
    def bundle(self) -> Mapping[str, Any]:
        """What the pages show: the draft, else what was published last."""
        version = self.draft or self.newest
        return version.bundle if version else {}

    @property
    def in_force(self) -> bool:
        """Whether new cases can be opened by it."""
        return self.newest is not None and self.newest.status == CaseTypeVersion.Status.PUBLISHED

    @property
    def blocking(self) -> int:
        """How many problems stand in the way of publishing."""
        return sum(problem.blocks for problem in self.problems)

    @cached_property
    def parts(self) -> list[dict[str, Any]]:
        """The pages of the parts, each with how many problems it has."""
        titles: dict[str, tuple[Any, str, str]] = {
            GENERAL: (_("General"), "settings", reverse("cases:studio_general", args=[self.code])),
        }
        for slug, lot in known_lots().items():
            if slug in FORMS and slug != "secciones":
                address = reverse("cases:studio_list", args=[self.code, slug])
                titles[slug] = (lot.title, lot.icon, address)
        clocks = reverse("cases:studio_clocks", args=[self.code])
        titles[CLOCKS] = (_("Deadlines"), "clock", clocks)
        keeping = reverse("cases:studio_keeping", args=[self.code])
        titles[KEEPING] = (_("Confidentiality and keeping"), "lock", keeping)
        return [
            {
                "slug": slug,
                "title": title,
                "icon": icon,
                "url": url,
                "problems": sum(_page_of(one) == slug for one in self.problems),
            }
            for slug, (title, icon, url) in titles.items()
        ]

    @property
    def code(self) -> str:
        """The type's code."""
        return self.row.code

    @property
    def seen(self) -> str:
        """What discarding or publishing the draft compares it with."""
        return draft_seen(self.draft) if self.draft else ""

    def wrong_with(self, slug: str, key: str) -> list[Found]:
        """The problems of one thing."""
        return [one for one in self.problems if (one.slug, one.key) == (slug, key)]

    def to_do(self) -> list[dict[str, Any]]:
        """Every problem with the address of the very field."""
        return [
            {"problem": one, "url": _address(self.code, one), "part": self._title(one)}
            for one in self.problems
        ]

    def _title(self, problem: Found) -> Any:
        page = _page_of(problem)
        titles = {part["slug"]: part["title"] for part in self.parts}
        return titles.get(page, _("Definition"))


def _page_of(problem: Found) -> str:
    return "campos" if problem.slug == "secciones" else problem.slug


def _address(code: str, problem: Found) -> str:
    slug, key = problem.slug, problem.key
    field = f"#id_{problem.field}" if problem.field else ""
    if slug == GENERAL:
        return reverse("cases:studio_general", args=[code]) + field
    if slug == CLOCKS:
        return reverse("cases:studio_clocks", args=[code]) + field
    if slug == KEEPING:
        return reverse("cases:studio_keeping", args=[code]) + field
    if slug not in LOTS:
        return reverse("cases:type", args=[code])
    if key:
        return reverse("cases:studio_item", args=[code, slug, key]) + field
    return reverse("cases:studio_list", args=[code, slug]) + field


def studio_of(request: ActorRequest, code: str, here: str) -> Studio:
    """The type as it stands now, with everything that publishing would say of its draft."""
    actor = request.actor
    row = CaseType.objects.for_actor(actor).get_or_refuse(code=code)
    draft, newest = services.draft_of(actor, code), newest_version(row)
    organisation = Organisation.objects.for_actor(actor).get()
    languages = [one for one in organisation.languages if one != WRITTEN_FIRST]
    if draft is not None:
        found = problems_found(draft.bundle, services.problems_of(actor, draft))
    else:
        found = problems_found(newest.bundle, check(newest.bundle)) if newest else []
    return Studio(row, draft, newest, languages, found, here)


def page(
    request: ActorRequest,
    studio: Studio,
    template: str,
    status: int = HTTPStatus.OK,
    **context: Any,
) -> HttpResponse:
    """A page of the studio."""
    given = {"studio": studio, "type": studio.row, "here": studio.here, **context}
    return render(request, f"cases/studio/{template}.html", given, status=status)


# --- The whole ----------------------------------------------------------------------------------


@require_GET
@needs(PUBLISH_CASE_TYPE)
def summary(request: ActorRequest, code: str) -> HttpResponse:
    """Where the type stands: its workflow as a picture, what is wrong, its versions."""
    studio = studio_of(request, code, SUMMARY)
    if studio.draft is None and studio.newest is None:  # its draft was discarded
        services.start_draft(request.actor, code)
        studio = studio_of(request, code, SUMMARY)
    versions = studio.row.versions.exclude(number=0).order_by("-number")
    context: dict[str, Any] = {
        "picture": draw(studio.bundle),
        "moves": _rows(studio, LOTS["pasos"]),
        "states": _rows(studio, LOTS["estados"]),
        "versions": versions,
    }
    return page(request, studio, "summary", **context)


@require_POST
@needs(PUBLISH_CASE_TYPE)
def discard(request: ActorRequest, code: str) -> HttpResponse:
    """The draft is thrown away, as it was when the page was made."""
    services.discard_draft(request.actor, code, seen=request.POST.get("seen") or None)
    messages.success(request, _("The draft has been discarded. What is in force has not changed."))
    return HttpResponseRedirect(reverse("cases:types"))


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def general(request: ActorRequest, code: str) -> HttpResponse:
    """Name, nature, whether cases are opened. These hold at once."""
    studio = studio_of(request, code, GENERAL)

    def now() -> dict[str, Any]:
        row = CaseType.objects.for_actor(request.actor).get_or_refuse(code=code)
        seen = type_seen(row, newest_version(row))
        return {
            "name": row.name,
            "nature": row.nature,
            "is_active": row.is_active,
            "seen": seen,
        }

    form = GeneralForm(request.POST or None, initial=now())

    def change() -> None:
        said = form.cleaned_data
        services.change_case_type(
            request.actor,
            code,
            name=said["name"],
            nature=said["nature"],
            is_active=said["is_active"],
            seen=said["seen"],
        )

    def show(status: int) -> HttpResponse:
        return page(request, studio, "general", status, form=form)

    return _answer(request, form, change, now, show, ("cases:studio_general", code), GENERAL)


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def clocks(request: ActorRequest, code: str) -> HttpResponse:
    """The legal term."""
    studio = studio_of(request, code, CLOCKS)
    form = ClockForm(request.POST or None, bundle=studio.bundle)

    def change() -> None:
        designing.write_part(
            request.actor, code, "term", form.term(), seen=form.cleaned_data["seen"]
        )

    def now() -> Mapping[str, Any]:
        return ClockForm(bundle=studio_of(request, code, CLOCKS).bundle).initial

    def show(status: int) -> HttpResponse:
        return page(request, studio, "clocks", status, form=form)

    return _answer(request, form, change, now, show, ("cases:studio_clocks", code), CLOCKS)


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def keeping(request: ActorRequest, code: str) -> HttpResponse:
    """Who may see new cases, and what usually becomes of their files."""
    studio = studio_of(request, code, KEEPING)
    form = KeepingForm(request.POST or None, bundle=studio.bundle)

    def change() -> None:
        designing.write_parts(request.actor, code, form.parts(), seen=form.cleaned_data["seen"])

    def now() -> Mapping[str, Any]:
        return KeepingForm(bundle=studio_of(request, code, KEEPING).bundle).initial

    def show(status: int) -> HttpResponse:
        return page(request, studio, "keeping", status, form=form)

    return _answer(request, form, change, now, show, ("cases:studio_keeping", code), KEEPING)


# --- Lists of things ----------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def things(request: ActorRequest, code: str, lot: str) -> HttpResponse:
    """One list of the draft, in its order; of states also which of them is the first."""
    kept = _lot(lot)
    studio = studio_of(request, code, kept.slug)
    form = InitialForm(request.POST or None, bundle=studio.bundle) if lot == "estados" else None
    if form is None:
        if request.method == "POST":
            raise NotFound
        return _list(request, studio, kept)

    def change() -> None:
        said = form.cleaned_data
        designing.write_part(request.actor, code, "initial", said["first_state"], seen=said["seen"])

    def now() -> Mapping[str, Any]:
        return InitialForm(bundle=studio_of(request, code, kept.slug).bundle).initial

    def show(status: int) -> HttpResponse:
        return _list(request, studio, kept, status, form=form)

    return _answer(request, form, change, now, show, ("cases:studio_list", code, lot), lot)


def _list(
    request: ActorRequest, studio: Studio, lot: Lot, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    lists = [(lot, _rows(studio, lot))]
    if lot.slug == "campos" and "secciones" in FORMS:
        lists.append((LOTS["secciones"], _rows(studio, LOTS["secciones"])))
    whole = [one for one in studio.problems if one.slug == lot.slug and not one.key]
    picture = draw(studio.bundle) if lot.slug in ("estados", "pasos") else Picture()
    given = {"lot": lot, "lists": lists, "whole": whole, "picture": picture, **context}
    return page(request, studio, "list", status, **given)


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def thing(request: ActorRequest, code: str, lot: str, key: str) -> HttpResponse:
    """One thing of a list, or a new one; saved whole, or by itself as one goes from field to field."""
    kept = _lot(lot)
    studio = studio_of(request, code, "campos" if lot == "secciones" else kept.slug)
    item = _item(studio, kept, key)

    def made(data: Any, of: Studio, said: Mapping[str, Any] | None) -> ItemForm:
        units = _units(request) if kept.slug in WITH_UNITS else ()
        kind = FORMS[kept.slug]
        return kind(data, item=said, bundle=of.bundle, languages=of.languages, units=units)

    form = made(request.POST or None, studio, item)

    def write() -> None:
        seen = form.cleaned_data["seen"]
        designing.write_thing(request.actor, code, kept, key, form.item(), seen=seen)

    def now() -> Mapping[str, Any]:
        fresh = studio_of(request, code, studio.here)
        return made(None, fresh, _item(fresh, kept, key)).initial

    def show(status: int) -> HttpResponse:
        context = {
            "lot": kept,
            "form": form,
            "key": key,
            "new": key == NEW,
            "item": item,
            "name": name_of(kept.slug, item or {}),
            "wrong": studio.wrong_with(kept.slug, key),
            "others": _others(studio, kept, key),
        }
        return page(request, studio, "item", status, **context)

    then: tuple[str, ...] = ("cases:studio_list", code, "campos" if lot == "secciones" else lot)
    if request.POST.get("then") == "another":
        then = ("cases:studio_item", code, lot, NEW)
    return _answer(request, form, write, now, show, then, studio.here)


@require_POST
@needs(PUBLISH_CASE_TYPE)
def order(request: ActorRequest, code: str, lot: str, key: str) -> HttpResponse:
    """The thing goes one place up or down; the list is shown as it stands then."""
    kept = _lot(lot)
    by = {"up": -1, "down": 1}.get(request.POST.get("to", ""), 0)
    designing.move_thing(request.actor, code, kept, key, by)
    if not request.htmx:
        return HttpResponseRedirect(_home(code, lot))
    studio = studio_of(request, code, kept.slug)
    context: dict[str, Any] = {"list_lot": kept, "rows": _rows(studio, kept), "stands": key}
    return page(request, studio, "_things", **context)


@require_POST
@needs(PUBLISH_CASE_TYPE)
def remove(request: ActorRequest, code: str, lot: str, key: str) -> HttpResponse:
    """The thing is taken out of the draft."""
    kept = _lot(lot)
    designing.remove_thing(request.actor, code, kept, key)
    messages.success(request, _("It has been taken out of the draft."))
    return HttpResponseRedirect(_home(code, lot))


def _home(code: str, lot: str) -> str:
    return reverse("cases:studio_list", args=[code, "campos" if lot == "secciones" else lot])


def _units(request: ActorRequest) -> list[tuple[str, str]]:
    """The units that work can go to."""
    units = Unit.objects.for_actor(request.actor).filter(closed_on=None)
    return list(units.order_by("name").values_list("code", "name"))


def _lot(slug: str) -> Lot:
    lot = known_lots().get(slug)
    if lot is None or slug not in FORMS:
        raise NotFound
    return lot


def _item(studio: Studio, lot: Lot, key: str) -> dict[str, Any] | None:
    if key == NEW:
        return None
    found = lot.find(studio.bundle, key)
    if found is None:
        raise NotFound(_("It is not in the draft any more."))
    return found[1]


def _rows(studio: Studio, lot: Lot) -> list[dict[str, Any]]:
    keyed = lot.keyed(studio.bundle)
    return [
        {
            "key": key,
            "item": item,
            "name": name_of(lot.slug, item) or _("(without a name)"),
            "told": told(lot.slug, item, studio.bundle),
            "category": item.get("category", ""),
            "first": lot.slug == "estados" and item.get("code") == studio.bundle.get("initial"),
            "number": number + 1,
            "top": number == 0,
            "bottom": number == len(keyed) - 1,
            "wrong": studio.wrong_with(lot.slug, key),
            "url": reverse("cases:studio_item", args=[studio.code, lot.slug, key]),
        }
        for number, (key, item) in enumerate(keyed)
    ]


def _others(studio: Studio, lot: Lot, key: str) -> dict[str, Any]:
    """What stands before and after the thing, to go on from one to the next."""
    rows = _rows(studio, lot)
    place = next((number for number, row in enumerate(rows) if row["key"] == key), None)
    if place is None:
        return {}
    return {
        "before": rows[place - 1] if place else None,
        "after": rows[place + 1] if place + 1 < len(rows) else None,
    }


# --- Saving -------------------------------------------------------------------------------------

SAVED = gettext_lazy("Saved in the draft.")


def _answer(
    request: ActorRequest,
    form: Correction,
    write: Callable[[], object],
    now: Callable[[], Mapping[str, Any]],
    show: Callable[[int], HttpResponse],
    then: Sequence[str],
    here: str,
) -> HttpResponse:
    """Show the form, or save it: as a page that leads on, or by itself beside what is being typed."""
    if request.method == "GET":
        return show(HTTPStatus.OK)
    status = form.saved(write, now)
    name, *args = then
    if request.htmx:
        fresh = studio_of(request, args[0], here)
        seen = now()["seen"] if status == HTTPStatus.OK else form["seen"].value()
        context = {"form": form, "saved": status == HTTPStatus.OK, "seen": seen}
        return page(request, fresh, "_saved", status, **context)
    if status != HTTPStatus.OK:
        return show(status)
    messages.success(request, SAVED)
    return HttpResponseRedirect(reverse(name, args=args))

"""Canned answers: those that fit a case, for its composer; their list and editor in the console."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import answers as reading
from cases import selectors
from cases.answer_forms import TEXT, AnswerForm, initial_of
from cases.models import AnswerVersion, Audience, CannedAnswer, Case
from cases.permissions import CHANGE_CASE, VIEW_CASE, WRITE_ARTICLE
from cases.services import answers as verbs
from cases.workflow import of_version
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, DomainError, Invalid
from crm.kit.policy import Decision
from crm.kit.templatetags.ui import own_name

STATUSES = CannedAnswer.Status.choices
AUDIENCES = Audience.choices


# --- In the composer of a case --------------------------------------------------------------------


@require_GET
@needs(CHANGE_CASE)
def offers(request: ActorRequest, case: UUID) -> HttpResponse:
    """The answers that fit the case, each as it would read there, in the language asked for."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "answers")
    language = request.GET.get("idioma", "")
    known = dict(settings.LANGUAGES)
    language = language if language in known else row.language
    found = reading.offered(request.actor, row, text=request.GET.get("q", ""), language=language)
    return JsonResponse(offers_told(found, language))


def offers_told(found: Sequence[reading.Offer], language: str) -> dict[str, Any]:
    """As answers.js reads them."""
    return {
        "language": language,
        "languages": [{"code": code, "name": own_name(code)} for code, _name in settings.LANGUAGES],
        "items": [_offer(one) for one in found],
    }


def _offer(one: reading.Offer) -> dict[str, Any]:
    said = one.said
    note = ""
    if said.fell_back:
        note = _("Only in %(language)s") % {"language": own_name(said.language)}
    return {
        "id": str(one.answer.uuid),
        "code": one.answer.code,
        "name": one.answer.name,
        "where": one.answer.unit.name if one.answer.unit else one.answer.get_audience_display(),
        "language": said.language,
        "note": note,
        "text": said.text,
        "missing": [{"name": left.name, "label": left.label} for left in said.missing],
        "files": one.files,
    }


# --- The list -------------------------------------------------------------------------------------


@require_GET
@needs(None)
def answer_list(request: ActorRequest) -> HttpResponse:
    """The answers by short name, with filters."""
    actor = request.actor
    asked = {
        "text": request.GET.get("q", "").strip()[:100],
        "status": _known(request, "estado", CannedAnswer.Status.values),
        "audience": _known(request, "de", Audience.values),
        "case_type": request.GET.get("tipo", "")[:60],
        "missing": _known(request, "falta", dict(settings.LANGUAGES)),
    }
    page = reading.page(actor, **asked, after=request.GET.get("after", ""))
    query = request.GET.copy()
    query.pop("after", None)
    context = {
        "answers": [_row(row) for row in page.rows],
        "after": page.after,
        "query": query.urlencode(),
        "asked": asked,
        "filtered": any(asked.values()),
        "types": reading.type_names(actor).items(),
        "statuses": STATUSES,
        "audiences": AUDIENCES,
        "languages": [(code, own_name(code)) for code, _name in settings.LANGUAGES],
        "may_write": reading.may_write_own(actor) or actor.holds(WRITE_ARTICLE),
    }
    part = "cases/answers.html#rows" if request.htmx and page.rows else "cases/answers.html"
    return render(request, part, context)


def _known(request: ActorRequest, name: str, values: Any) -> str:
    given = request.GET.get(name, "")
    return given if given in values else ""


def _row(row: Any) -> dict[str, Any]:
    texts = row.newest_texts or {}
    return {
        "answer": row,
        "languages": [own_name(code) for code, _name in settings.LANGUAGES if code in texts],
        "missing": [own_name(code) for code, _name in settings.LANGUAGES if code not in texts],
        "draft": row.draft_number,
    }


# --- The editor -----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@needs(None)
def new_answer(request: ActorRequest) -> HttpResponse:
    """A new answer, perhaps beginning with what another says (`desde`)."""
    actor = request.actor
    form = AnswerForm(request.POST or None, actor=actor, initial=_beginning(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = verbs.create_answer(actor, form.answer())
        except Invalid as error:
            form.refused(error)
        else:
            messages.success(request, _saved(made))
            return HttpResponseRedirect(reverse("cases:answer", args=[made.uuid]))
    return _page(request, form, None)


@require_http_methods(["GET", "POST"])
@needs(None)
def answer(request: ActorRequest, answer: UUID) -> HttpResponse:
    """One answer with its versions; saving writes a draft, of one's own what is offered at once."""
    actor = request.actor
    row = reading.answers(actor).get_or_refuse(uuid=answer)
    given = verbs.answer_as_given(row)
    initial = initial_of(given, row.version)
    form = AnswerForm(request.POST or None, actor=actor, answer=row, initial=initial)
    if request.method == "POST":
        status = form.saved(
            lambda: verbs.change_answer(
                actor, answer, form.answer(), version=form.cleaned_data["version"]
            ),
            lambda: {**initial, "seen": ""},
        )
        if status == 200:
            messages.success(request, _saved(row))
            return HttpResponseRedirect(reverse("cases:answer", args=[answer]))
        data = form.data.copy()  # type: ignore[attr-defined] # saving again puts it over theirs
        data["version"] = row.version
        form.data = data
        return _page(request, form, row, status)
    return _page(request, form, row)


def _beginning(request: ActorRequest) -> dict[str, Any]:
    actor = request.actor
    usual = Audience.OWN if reading.may_write_own(actor) else Audience.ORGANISATION
    try:
        other = UUID(request.GET.get("desde", ""))
    except ValueError:
        return {"audience": usual}
    row = reading.answers(actor).get_or_refuse(uuid=other)
    return {**initial_of(verbs.answer_as_given(row), 0), "audience": usual, "unit": None}


def _saved(row: CannedAnswer) -> str:
    if row.audience == Audience.OWN:
        return _("The answer has been saved: you find it by “/%(code)s”.") % {"code": row.code}
    return _("The draft has been saved. It is offered once somebody publishes it.")


def _page(
    request: ActorRequest, form: AnswerForm, row: CannedAnswer | None, status: int = 200
) -> HttpResponse:
    actor = request.actor
    versions = list(row.versions.order_by("-number")[:20]) if row else []
    named_types = list(form["case_types"].value() or ())
    names = reading.known_names(actor, named_types)
    sample = _sample(actor, named_types)
    context = {
        "form": form,
        "answer": row,
        "versions": versions,
        "draft": any(one.status == AnswerVersion.Status.DRAFT for one in versions),
        "publish": reading.may_publish(actor, row) if row else None,
        "change": reading.may_change(actor, row) if row else Decision(True),
        "names": names.items(),
        "files": list(row.files.order_by("pk")) if row else [],
        "sample": sample.reference if sample else "",
        "preview": _preview(sample, _texts(form)),
        "max_bytes": verbs.MOST_BYTES,
        "max_size": f"{verbs.MOST_BYTES // (1024 * 1024)} MB",
    }
    if form.is_bound and form.errors and status == 200:
        status = 422
    return render(request, "cases/answer.html", context, status=status)


def _texts(form: AnswerForm) -> dict[str, str]:
    said = {code: str(form[TEXT + code].value() or "") for code in form.languages}
    return {code: text for code, text in said.items() if text.strip()}


@require_POST
@needs(None)
def preview(request: ActorRequest) -> HttpResponse:
    """What is being written, as it would read on the newest case that it is for."""
    form = AnswerForm(request.POST, actor=request.actor)
    sample = _sample(request.actor, form["case_types"].value() or ())
    context = {
        "preview": _preview(sample, _texts(form)),
        "sample": sample.reference if sample else "",
    }
    return render(request, "cases/_answer_preview.html", context)


def _sample(actor: Actor, case_types: Any) -> Case | None:
    """The newest case that the actor may see, of these types if any are named."""
    if not actor.holds(VIEW_CASE):
        return None
    rows = Case.objects.for_actor(actor)
    if case_types:
        rows = rows.filter(case_type__code__in=list(case_types))
    newest = rows.order_by("-opened_at", "-pk").values_list("uuid", flat=True).first()
    if newest is None:
        return None
    case = selectors.case_of(actor, newest)
    record_part(actor, case, "answers")
    return case


def _preview(case: Case | None, texts: dict[str, str]) -> list[dict[str, Any]]:
    """By language, as it reads on the case; without one, as it is written."""
    workflow = of_version(case.type_version.bundle) if case else None
    found = []
    for code, text in texts.items():
        said = reading.rendered({code: text}, code, case).text if case else text
        left = reading.unfilled(said, workflow)
        found.append({"code": code, "language": own_name(code), "text": said, "missing": left})
    return found


# --- Acts -----------------------------------------------------------------------------------------


def _act(request: ActorRequest, answer: UUID, perform: Any, said: str) -> HttpResponse:
    reading.answers(request.actor).get_or_refuse(uuid=answer)
    try:
        perform()
    except (Invalid, Conflict) as error:
        for text in _told(error):
            messages.error(request, text)
    else:
        messages.success(request, said)
    return HttpResponseRedirect(reverse("cases:answer", args=[answer]))


def _told(error: DomainError) -> list[str]:
    errors = error.errors if isinstance(error, Invalid) else {}
    return [str(text) for texts in errors.values() for text in texts] or [str(error.message)]


@require_POST
@needs(None)
def publish_answer(request: ActorRequest, answer: UUID) -> HttpResponse:
    """« Publicar »."""
    said = _("The answer has been published: it is offered from now on.")
    return _act(request, answer, lambda: verbs.publish_answer(request.actor, answer), said)


@require_POST
@needs(None)
def retire_answer(request: ActorRequest, answer: UUID) -> HttpResponse:
    """« Retirar »."""
    said = _("The answer is retired: it is offered no more.")
    return _act(request, answer, lambda: verbs.retire_answer(request.actor, answer), said)


@require_POST
@needs(None)
def add_file(request: ActorRequest, answer: UUID) -> HttpResponse:
    """A file goes with the answer."""
    incoming = request.FILES.get("file")

    def perform() -> None:
        if incoming is None:
            raise Invalid(errors={"file": [_("Choose a file.")]})
        verbs.add_file(request.actor, answer, incoming.chunks(), incoming.name or "")

    return _act(request, answer, perform, _("The file goes with the answer."))


@require_POST
@needs(None)
def remove_file(request: ActorRequest, answer: UUID, file: UUID) -> HttpResponse:
    """A file goes no more with the answer."""
    said = _("The file goes no more with the answer.")
    return _act(request, answer, lambda: verbs.remove_file(request.actor, answer, file), said)

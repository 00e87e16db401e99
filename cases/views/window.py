"""The public pages of an organisation: its procedures, its answers, applying, and following a case."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases import catalogue, knowledge, plain, tasklists
from cases.forms import show_errors
from cases.markup import as_html
from cases.models import Case, Message, PapersRequest
from cases.ports import booking_address
from cases.services import access, drafts, filing
from cases.silence import Silence, procedure_of, silence
from cases.window_forms import ApplicationForm, CodeForm, ReferenceForm
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.citizens.models import Citizen
from crm.kit import files
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Invalid, NotFound
from crm.kit.tries import count_try
from crm.kit.web import client_ip, counted_by, request_id
from crm.organisations.models import Organisation
from crm.organisations.services import calendar_for

GET_OR_POST = ["GET", "HEAD", "POST"]
SESSION = "window_cases"  # the cases that this browser may see, each until a moment
THROUGH = "window_through"  # of those, as whose representative: case → who they are
_AFTER_FILING, _AFTER_CODE = 2 * 3600, 30 * 60  # seconds
_PAPERS_KEPT = 2 * 3600  # seconds that papers wait for a corrected form
_FILED_AN_HOUR = 30  # from one address: an office may lend its computer
_ANSWERS = 5
_TOO_MANY = gettext_lazy("Too many applications were sent from here. Wait a while and try again.")


@require_safe
def index(request: HttpRequest, organisation: str) -> HttpResponse:
    """The catalogue, and what some plain words find in it and among the answers."""
    place = _organisation(organisation)
    visitor = visitor_of(request, place)
    text = request.GET.get("q", "")[: catalogue.LONGEST_SEARCH].strip()
    language = language_of()
    procedures = catalogue.find(visitor, text, language)
    articles = knowledge.find(visitor, text, language)
    context = {
        "q": text,
        "procedures": procedures.found,
        "articles": articles.found[:_ANSWERS],
        "related": {"procedures": procedures.related, "articles": articles.related},
    }
    return _page(request, place, "index", context)


@require_safe
def procedure(request: HttpRequest, organisation: str, code: str) -> HttpResponse:
    """What a procedure is, who may ask for it, with which papers, and how long it takes."""
    place = _organisation(organisation)
    visitor = visitor_of(request, place)
    shown = catalogue.one(visitor, code, language_of())
    articles = knowledge.published(visitor).filter(article__procedures=shown.procedure)
    context = {
        "shown": shown,
        "articles": _in_language(list(articles)),
        "book": booking_address(visitor, shown.procedure),
    }
    return _page(request, place, "procedure", context)


@require_safe
def article(request: HttpRequest, organisation: str, code: str) -> HttpResponse:
    """An answer, with the procedures that it speaks of."""
    place = _organisation(organisation)
    visitor = visitor_of(request, place)
    version = knowledge.one(visitor, code, language_of())
    about = catalogue.published(visitor).filter(articles=version.article)
    context = {
        "version": version,
        "body": as_html(version.body),
        "procedures": catalogue.shown(about, language_of()),
    }
    return _page(request, place, "article", context)


@require_http_methods(GET_OR_POST)
def apply(request: HttpRequest, organisation: str, code: str) -> HttpResponse:
    """The request form of a procedure; what was typed and sent stays when something is wrong."""
    place = _organisation(organisation)
    visitor = visitor_of(request, place)
    shown = catalogue.one(visitor, code, language_of())
    sent = request.method == "POST"
    form = ApplicationForm(request.POST if sent else None, fields=shown.fields)
    papers: list[files.Stored] = []
    if sent:
        count_try(
            "application",
            counted_by(visitor.origin.ip),
            most=_FILED_AN_HOUR,
            seconds=3600,
            message=_TOO_MANY,
        )
        good = form.is_valid()
        papers = _papers(request, visitor, form)
        if good and not form.errors:
            try:
                filed = filing.file_application(
                    visitor,
                    code,
                    key=form.key_or_new(),
                    applicant=form.applicant(),
                    answers=form.cleaned_case_data(),
                    request=form.cleaned_data["request"],
                    papers=papers,
                    language=language_of(),
                )
            except Invalid as error:
                show_errors(form, error)
            else:
                _let_see(request, filed.case.uuid, _AFTER_FILING)
                return _to("receipt", place, case=filed.case.uuid)
    context = {
        "shown": shown,
        "form": form,
        "papers": papers,
        "kept": signing.dumps([_packed(one) for one in papers], salt=SESSION) if papers else "",
        "max_bytes": settings.FILES_MAX_BYTES,
        "max_size": f"{settings.FILES_MAX_BYTES // (1024 * 1024)} MB",
    }
    return _page(request, place, "apply", context, _status(form))


@require_safe
def receipt(request: HttpRequest, organisation: str, case: UUID) -> HttpResponse:
    """The receipt, to be printed or kept, for the browser that filed it."""
    place = _organisation(organisation)
    visitor = _require_seen(request, visitor_of(request, place), case)
    shown = filing.receipt_of(visitor, case)
    return _page(request, place, "receipt", {"receipt": shown, "case": shown.case})


@require_http_methods(GET_OR_POST)
def follow(request: HttpRequest, organisation: str) -> HttpResponse:
    """Asks for the number, then for the code; the same words whether there is such a case or not."""
    place = _organisation(organisation)
    visitor = visitor_of(request, place)
    if request.method != "POST":
        return _page(request, place, "follow", {"form": ReferenceForm(organisation=place.code)})
    if "code" not in request.POST:
        form = ReferenceForm(request.POST, organisation=place.code)
        if not form.is_valid():
            return _page(request, place, "follow", {"form": form}, _status(form))
        reference = form.cleaned_data["reference"].strip().upper()
        access.request_code(visitor, reference, form.cleaned_data["number"])
        return _page(request, place, "code", {"form": CodeForm(initial={"reference": reference})})
    form = CodeForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        followed = access.redeem_code(visitor, said["reference"], said["code"])
        if followed is not None:
            request.session.cycle_key()
            _let_see(request, followed.case.uuid, _AFTER_CODE, through=followed.holder)
            return _to("case", place, case=followed.case.uuid)
        text = _(
            "The code is not right, or it is of no use any more. Look at it again, or ask for another."
        )
        form.add_error("code", text)
    return _page(request, place, "code", {"form": form}, _status(form))


@require_safe
def case(request: HttpRequest, organisation: str, case: UUID) -> HttpResponse:
    """How a case stands, what happens next, and what was said in it."""
    place = _organisation(organisation)
    visitor = visitor_of(request, place)
    visitor = _require_seen(request, visitor, case)
    row = (
        Case.objects.for_actor(visitor)
        .select_related("case_type", "type_version", "unit__organisation")
        .get_or_refuse(uuid=case)
    )
    record(visitor, "viewed", row, part="public")
    said = Message.objects.for_actor(visitor).filter(case=row).order_by("created_at", "pk")
    context = {
        "case": row,
        "behalf": visitor.on_behalf_of,
        "told": plain.told(row),
        "steps": plain.steps(row),
        "papers": [] if row.ended else tasklists.missing_of_citizen(visitor, row),
        "silence": plain.silence_told(_silence(row)),
        "asked": PapersRequest.objects.for_actor(visitor).filter(case=row, ended_on=None).first(),
        "today": timezone.now().astimezone(calendar_for(row.unit).zone).date(),
        "messages_said": [one for one in said if one.state != Message.State.FAILED],
    }
    return _page(request, place, "case", context)


@require_POST
def leave(request: HttpRequest, organisation: str) -> HttpResponse:
    """This browser sees no case any more: for computers that others use, too."""
    place = _organisation(organisation)
    request.session.pop(SESSION, None)
    request.session.pop(THROUGH, None)
    messages.success(request, _("You have left. Nobody can see your case here now."))
    return _to("index", place)


# --- Inside -------------------------------------------------------------------------------------


def _silence(row: Case) -> Silence | None:
    return silence(row, procedure_of(row), calendar_for(row.unit), timezone.now())


def visitor_of(request: HttpRequest, organisation: Organisation) -> Actor:
    """Whoever stands at the public window: nobody known, acting by the organisation's own pages."""
    origin = Origin(Door.PUBLIC, request_id(request), client_ip(request))
    return system_actor(organisation, origin, str(_("Public pages")))


def language_of() -> str:
    """The language that the page is read in, as we call it."""
    current = (get_language() or settings.LANGUAGE_CODE).lower()
    return current if current in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _organisation(code: str) -> Organisation:
    rows = Organisation.objects.unscoped("its public pages are everybody's").filter(is_active=True)
    return rows.get_or_refuse(code__iexact=code)


def _page(
    request: HttpRequest,
    organisation: Organisation,
    name: str,
    context: Mapping[str, Any],
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    return render(
        request,
        f"cases/window/{name}.html",
        {**context, "organisation": organisation, "code": organisation.code},
        status=status,
    )


def _to(name: str, organisation: Organisation, **ids: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(
        reverse(f"cases:window_{name}", kwargs={"organisation": organisation.code, **ids})
    )


def _status(form: ApplicationForm | ReferenceForm) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK


def _let_see(
    request: HttpRequest, case: UUID, seconds: int, *, through: Citizen | None = None
) -> None:
    seen = request.session.get(SESSION, {})
    request.session[SESSION] = {**seen, str(case): time.time() + seconds}
    others = {key: one for key, one in request.session.get(THROUGH, {}).items() if key != str(case)}
    request.session[THROUGH] = others | ({str(case): str(through.uuid)} if through else {})


def _require_seen(request: HttpRequest, visitor: Actor, case: UUID) -> Actor:
    """NotFound unless this browser filed the case a short while ago or gave its code; for who represents
    its citizen, the visitor who speaks for them, or Refused when they may be told no more."""
    if request.session.get(SESSION, {}).get(str(case), 0) < time.time():
        raise NotFound(_("It cannot be seen here any more. Ask for a code to follow it."))
    holder = request.session.get(THROUGH, {}).get(str(case))
    if holder is None:
        return visitor
    row = Case.objects.for_actor(visitor).select_related("citizen").get_or_refuse(uuid=case)
    return access.may_be_told(visitor, row, UUID(holder))


def _in_language(versions: list[Any]) -> list[Any]:
    """One of each article: in the reader's language, else in Spanish, else in any."""
    found: dict[str, Any] = {}
    wanted = (language_of(), language_of().split("-")[0], "es")
    for version in versions:
        row, known = version.article, found.get(version.article.code)
        if known is None or _place(row.language, wanted) < _place(known.article.language, wanted):
            found[row.code] = version
    return sorted(found.values(), key=lambda version: version.title)


def _place(language: str, wanted: tuple[str, ...]) -> int:
    return wanted.index(language) if language in wanted else len(wanted)


def _papers(request: HttpRequest, visitor: Actor, form: ApplicationForm) -> list[files.Stored]:
    """The papers kept from before and those sent now; what is not taken is said at the form."""
    papers = {one.sha256: one for one in _unpacked(request.POST.get("kept", ""))}
    for dropped in request.POST.getlist("drop"):
        papers.pop(dropped, None)
    drafts.keep_waiting(visitor, papers)
    sent = request.FILES.getlist("papers")
    if len(papers) + len(sent) > filing.MOST_PAPERS:
        form.add_error(None, _("Send at most %(count)s papers.") % {"count": filing.MOST_PAPERS})
        return list(papers.values())
    for upload in sent:
        try:
            stored = files.store(upload.chunks(), upload.name or "")
        except files.FileRefused as error:
            form.add_error(None, str(error.message))
        else:
            drafts.keep_waiting(visitor, [stored.sha256])
            papers[stored.sha256] = stored
    return list(papers.values())


def _packed(paper: files.Stored) -> dict[str, Any]:
    return {**vars(paper), "scan": paper.scan.value}


def _unpacked(token: str) -> list[files.Stored]:
    """The papers that a form sent back; none when it was altered or is too old."""
    try:
        packed = signing.loads(token, salt=SESSION, max_age=_PAPERS_KEPT)
    except signing.BadSignature:
        return []
    return [files.Stored(**{**one, "scan": files.Scan(one["scan"])}) for one in packed]

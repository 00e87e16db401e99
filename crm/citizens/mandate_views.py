"""The pages of mandates: recording, checking and ending them, whom a professional acts for, and
attending somebody in another's name."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.audit.record import record as write_down
from crm.citizens import attending, forms, mandate_forms, reasons, representing
from crm.citizens.models import Assurance, Citizen, CitizenRecord, Mandate
from crm.citizens.permissions import (
    MANAGE_MANDATES,
    VERIFY_MANDATE,
    VIEW_CITIZEN,
    VIEW_MANDATE,
)
from crm.citizens.services import mandates as verbs
from crm.citizens.services import records
from crm.citizens.services.many_mandates import MOST, Many, register_many
from crm.citizens.services.records import ReasonNeeded
from crm.citizens.views import GET_OR_POST, ask_reason, correct
from crm.kit import files
from crm.kit.access import ActorRequest, needs
from crm.kit.csvfile import download
from crm.kit.errors import Invalid, NotFound, Refused
from crm.kit.forms import ServiceForm
from crm.kit.policy import decide, require

_SALT = "citizens.refused_mandates"
_REFUSALS_KEPT = 3600  # seconds


@require_GET
@needs(VIEW_MANDATE)
def mandates(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Everybody for whom the person acts, or who acts for them: a page, newest first."""
    actor = request.actor
    try:
        opened = records.open_citizen(
            actor,
            citizen,
            purpose=_("Who represents whom"),
            reason=reasons.stated(request, citizen),
        )
    except ReasonNeeded as needed:
        return ask_reason(request, needed.record)
    given = request.GET.get("lado") == "otorgados"
    only = request.GET.get("solo") == "vigentes"
    page = representing.page_of(
        actor,
        opened.citizen,
        of_grantor=given,
        cursor=request.GET.get("desde", ""),
        only_in_force=only,
    )
    query = request.GET.copy()
    query["desde"] = page.after
    context = {
        "citizen": opened.citizen,
        "record": opened.record,
        "given": given,
        "only": only,
        "lines": representing.lines(actor, page.rows, of_grantor=given),
        "more": f"?{query.urlencode()}" if page.after else "",
        "relations": representing.relations(actor, opened.citizen),
        "may_manage": opened.record is not None and decide(actor, MANAGE_MANDATES, opened.record),
        "may_attend": actor.holds(VIEW_CITIZEN),
    }
    part = request.htmx and "desde" in request.GET
    template = "citizens/_mandate_rows.html" if part else "citizens/mandates.html"
    return render(request, template, context)


@require_GET
@needs(VIEW_MANDATE)
def relations(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Who represents the person and whom they represent: a part that their page asks for by itself."""
    actor = request.actor
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    record = rows.get_or_refuse(citizen__uuid=citizen)
    require(actor, VIEW_MANDATE, record)
    records.note(actor, "viewed", record, part="mandates")
    context = {
        "citizen": record.citizen,
        "relations": representing.relations(actor, record.citizen),
        "may_manage": decide(actor, MANAGE_MANDATES, record),
        "may_attend": actor.holds(VIEW_CITIZEN),
    }
    return render(request, "citizens/_mandates.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def new_mandate(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Record a mandate of the person."""
    actor = request.actor
    holder = chosen(request)

    def save(typed: mandate_forms.NewMandateForm) -> None:
        verbs.register_mandate(
            actor,
            citizen,
            typed.new(),
            paper=_stored(typed.upload),
            checked=typed.cleaned_data.get("checked", False),
        )

    return _corrected(
        request,
        citizen,
        title=_("Record a mandate"),
        form=lambda data, sent: mandate_forms.NewMandateForm(actor, data, sent),
        save=save,
        done=_("The mandate is on record."),
        template="citizens/new_mandate.html",
        context={"picked": holder},
    )


@require_GET
@needs(VIEW_MANDATE)
def mandate(request: ActorRequest, citizen: UUID, mandate: UUID) -> HttpResponse:
    """One mandate: its terms and proof, how it stands and what has become of it."""
    actor = request.actor
    found = _of_citizen(request, citizen, mandate)
    try:
        records.open_citizen(
            actor,
            found.grantor.uuid,
            purpose=_("Mandate"),
            reason=reasons.stated(request, found.grantor.uuid),
        )
    except ReasonNeeded as needed:
        return ask_reason(request, needed.record)
    mine = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    record = mine.get_or_refuse(citizen=found.grantor_id)
    names = representing.shown_names(actor, [found.grantor_id, found.holder_id])
    context = {
        "mandate": found,
        "line": representing.lines(actor, [found], of_grantor=True)[0],
        "grantor": names.get(found.grantor_id, found.grantor.full_name),
        "holder": names.get(found.holder_id, found.holder.full_name),
        "papers": found.papers.order_by("-id"),
        "successor": found.replaced_by.first(),
        "may_manage": decide(actor, MANAGE_MANDATES, record),
        "may_verify": decide(actor, VERIFY_MANDATE, record),
        "may_attend": actor.holds(VIEW_CITIZEN),
        "citizen": found.grantor,
    }
    return render(request, "citizens/mandate.html", context)


@require_http_methods(GET_OR_POST)
@needs(VERIFY_MANDATE)
def verify_mandate(request: ActorRequest, citizen: UUID, mandate: UUID) -> HttpResponse:
    """Say that the proof has been checked, with the document if it was missing."""
    found = _of_citizen(request, citizen, mandate)

    def save(typed: mandate_forms.VerifyForm) -> None:
        _attach(request, found, typed.upload)
        verbs.verify_mandate(
            request.actor, mandate, assurance=Assurance(typed.cleaned_data["assurance"])
        )

    return _corrected(
        request,
        found.grantor.uuid,
        title=_("Check the proof of the mandate"),
        form=lambda data, sent: mandate_forms.VerifyForm(
            data, sent, initial={"assurance": found.assurance}
        ),
        save=save,
        done=_("The proof is checked: the mandate counts from now on."),
        permission=VERIFY_MANDATE,
        back=_address(found),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def end_mandate(request: ActorRequest, citizen: UUID, mandate: UUID) -> HttpResponse:
    """Revoke it, or say that its holder renounced."""
    found = _of_citizen(request, citizen, mandate)

    def save(typed: mandate_forms.EndForm) -> None:
        said = typed.cleaned_data
        verbs.end_mandate(request.actor, mandate, said["how"], reason=said["reason"])

    return _corrected(
        request,
        found.grantor.uuid,
        title=_("Revoke or renounce the mandate"),
        form=lambda data, _sent: mandate_forms.EndForm(data),
        save=save,
        done=_("The mandate has ended. What was done by it stays in the history."),
        back=_address(found),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def extend_mandate(request: ActorRequest, citizen: UUID, mandate: UUID) -> HttpResponse:
    """A new mandate that says the same for longer."""
    found = _of_citizen(request, citizen, mandate)

    def save(typed: mandate_forms.ExtendForm) -> None:
        said = typed.cleaned_data
        verbs.extend_mandate(
            request.actor,
            mandate,
            granted_on=said["granted_on"],
            valid_until=said["valid_until"],
            proof_number=said["proof_number"],
            paper=_stored(typed.upload),
        )

    return _corrected(
        request,
        found.grantor.uuid,
        title=_("Extend the mandate"),
        form=lambda data, sent: mandate_forms.ExtendForm(found, data, sent),
        save=save,
        done=_("The new mandate is on record. Check its proof so that it counts."),
        back=_address(found),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def add_paper(request: ActorRequest, citizen: UUID, mandate: UUID) -> HttpResponse:
    """Attach the document that proves it."""
    found = _of_citizen(request, citizen, mandate)

    def save(typed: mandate_forms.PaperForm) -> None:
        if typed.upload is None:
            raise Invalid(errors={"paper": [_("Choose a file.")]})
        _attach(request, found, typed.upload)

    return _corrected(
        request,
        found.grantor.uuid,
        title=_("Attach the document"),
        form=mandate_forms.PaperForm,
        save=save,
        done=_("The document lies with the mandate."),
        back=_address(found),
    )


@require_GET
@needs(VIEW_MANDATE)
def paper(request: ActorRequest, citizen: UUID, mandate: UUID, paper: UUID) -> HttpResponseBase:
    """The document's bytes, as a download."""
    found = _of_citizen(request, citizen, mandate)
    row = verbs.open_paper(request.actor, found.uuid, paper)
    return files.serve(row.path, name=row.name, media_type=row.media_type, scan=row.scan)


# --- Professionals ------------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def professional(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Record the number by which somebody acts for many."""

    def save(typed: mandate_forms.ProfessionalForm) -> None:
        verbs.authorise_professional(request.actor, citizen, typed.cleaned_data["number"])

    return correct(
        request,
        citizen,
        title=_("Authorised professional (RED)"),
        form=lambda _record, data: mandate_forms.ProfessionalForm(data),
        save=save,
        done=_("The authorisation is on record."),
        permission=MANAGE_MANDATES,
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def end_professional(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Say that somebody acts for nobody by RED any more."""

    def save(typed: forms.ReasonForm) -> None:
        verbs.end_professional(request.actor, citizen, reason=typed.cleaned_data["reason"])

    return correct(
        request,
        citizen,
        title=_("End the RED authorisation"),
        form=lambda _record, data: forms.ReasonForm(data),
        save=save,
        done=_("The authorisation has ended: none of its mandates counts any more."),
        permission=MANAGE_MANDATES,
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_MANDATES)
def many_mandates(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Record mandates of many grantors from a file; what was refused is shown, and can be kept."""
    actor = request.actor
    came: list[Many] = []

    def save(typed: mandate_forms.ManyForm) -> None:
        numbers = _numbers(typed.cleaned_data["file"])
        new = verbs.NewMandate(holder=citizen, **typed.said())
        checked = typed.cleaned_data.get("checked", False)
        came.append(register_many(actor, citizen, numbers, new, checked=checked))

    def answer() -> HttpResponse:
        many = came[0]
        rows = [(one.line, one.text, one.reason) for one in many.refusals]
        context = {
            "many": many,
            "citizen": citizen,
            "packed": signing.dumps(rows, salt=_SALT, compress=True) if rows else "",
        }
        return render(request, "citizens/many_done.html", context)

    return _corrected(
        request,
        citizen,
        title=_("Record mandates of many"),
        form=lambda data, sent: mandate_forms.ManyForm(actor, data, sent),
        save=save,
        done="",
        answer=answer,
    )


@require_POST
@needs(MANAGE_MANDATES)
def refused_mandates(request: ActorRequest, citizen: UUID) -> HttpResponseBase:
    """The lines that were refused and why, as a file that a spreadsheet opens without harm."""
    found = Citizen.objects.for_actor(request.actor).get_or_refuse(uuid=citizen)
    try:
        rows = signing.loads(request.POST.get("packed", ""), salt=_SALT, max_age=_REFUSALS_KEPT)
    except signing.BadSignature as error:
        raise NotFound from error
    write_down(request.actor, "exported", found, refused=len(rows))
    return download("rechazos.csv", [_("Line"), _("Number"), _("Reason")], rows)


# --- Attending ----------------------------------------------------------------------------------


@require_POST
@needs(VIEW_CITIZEN)
def attend(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """From now on the person's pages show what may be told to who speaks for them."""
    actor = request.actor
    people = Citizen.objects.for_actor(actor)
    grantor = people.get_or_refuse(uuid=citizen)
    holder = people.filter(uuid=_uuid(request.POST.get("holder", ""))).first()
    if holder is None:
        raise Invalid(errors={"holder": [_("There is no such citizen.")]})
    found = representing.attended(actor, holder, grantor)
    record = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    mine = record.filter(citizen=grantor).first()
    if found.refusal:
        raise Refused(VIEW_CITIZEN, found.refusal, mine)
    attending.begin(request, attending.Pair(holder, grantor))
    write_down(
        replace(actor, on_behalf_of=found.words),
        "disclosed",
        grantor,
        name=mine.shown_name if mine else None,
        part="attending",
        holder=str(holder.uuid),
    )
    return redirect(_onwards(request, citizen))


@require_POST
@needs(VIEW_CITIZEN)
def stop_attending(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """The person's pages show again all that one's own rights show; to see more than may be told takes
    another reason for access, which is written down with the look."""
    grantor = Citizen.objects.for_actor(request.actor).get_or_refuse(uuid=citizen)
    attending.leave(request, citizen)
    reason = " ".join(request.POST.get("reason", "").split())[:240]
    if reason:
        reasons.keep(request, citizen, reason)
        messages.success(request, _("The page shows everything again; the reason is recorded."))
    record = CitizenRecord.objects.for_actor(request.actor).filter(citizen=grantor).first()
    if record is not None:
        record.citizen = grantor
    write_down(
        request.actor.about(grantor.pk),
        "opened_exceptionally" if reason else "disclosed",
        grantor,
        purpose=reason,
        name=record.shown_name if record else None,
        part="attending",
        ended=True,
    )
    return redirect("citizens:detail", citizen)


# --- Inside -------------------------------------------------------------------------------------


def _corrected(
    request: ActorRequest,
    citizen: UUID,
    *,
    title: str,
    form: Callable[[Any, Any], ServiceForm],
    save: Callable[[Any], object],
    done: str,
    permission: str = MANAGE_MANDATES,
    template: str = "citizens/mandate_form.html",
    context: dict[str, Any] | None = None,
    back: str = "",
    answer: Callable[[], HttpResponse] | None = None,
) -> HttpResponse:
    """A form about a person's mandate: as `correct`, with files."""
    actor = request.actor
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    mine = rows.get_or_refuse(citizen__uuid=citizen)
    require(actor, permission, mine)
    sent = request.method == "POST"
    if not sent:
        reason = reasons.stated(request, citizen)
        try:
            records.open_citizen(actor, citizen, purpose=title, reason=reason)
        except ReasonNeeded as needed:
            return ask_reason(request, needed.record)
    typed = form(request.POST, request.FILES) if sent else form(None, None)
    back = back or reverse("citizens:detail", args=[citizen])
    status = HTTPStatus.OK
    if sent:
        status = _saved(typed, save)
        if status == HTTPStatus.OK:
            if answer is not None:
                return answer()
            messages.success(request, done)
            return redirect(back)
    found = {"form": typed, "title": title, "record": mine, "back": back, **(context or {})}
    return render(request, template, found, status=status)


def _saved(typed: ServiceForm, save: Callable[[Any], object]) -> HTTPStatus:
    try:
        return typed.saved(lambda: save(typed))
    except files.FileRefused as refused:
        typed.add_error("paper", str(refused.message))
        return HTTPStatus.UNPROCESSABLE_ENTITY


def _stored(upload: "UploadedFile[Any] | None") -> files.Stored | None:
    return files.store(upload.chunks(), upload.name or "") if upload else None


def _attach(request: ActorRequest, mandate: Mandate, upload: "UploadedFile[Any] | None") -> None:
    if upload is not None:
        verbs.attach_paper(request.actor, mandate.uuid, upload.chunks(), upload.name or "")


def _onwards(request: ActorRequest, citizen: UUID) -> str:
    """Back to the page of the house from which it was asked, else the person's."""
    asked = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(asked, None) and asked.startswith("/"):
        return asked
    return reverse("citizens:detail", args=[citizen])


def _of_citizen(request: ActorRequest, citizen: UUID, mandate: UUID) -> Mandate:
    """The mandate, which is one of the person in the address."""
    found = representing.mandate_of(request.actor, mandate)
    if citizen not in (found.grantor.uuid, found.holder.uuid):
        raise NotFound
    return found


def _address(mandate: Mandate) -> str:
    return reverse("citizens:mandate", args=[mandate.grantor.uuid, mandate.uuid])


def chosen(request: ActorRequest) -> dict[str, Any] | None:
    """Whom the form names as holder, as they may be named here."""
    sent = request.POST if request.method == "POST" else request.GET
    uuid = _uuid(sent.get("citizen", ""))
    found = Citizen.objects.for_actor(request.actor).filter(uuid=uuid).first()
    if found is None:
        return None
    names = representing.shown_names(request.actor, [found.pk])
    return {"uuid": found.uuid, "name": names.get(found.pk, found.full_name)}


def _uuid(text: str) -> UUID:
    """What a form names; nobody's where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _numbers(upload: "UploadedFile[Any]") -> list[str]:
    """The first cell of each line that has one; a first line without digits is a heading."""
    raw = upload.read(MOST * 500)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = text.replace("\0", "").replace(";", ",")
    try:
        cells = [row[0].strip() for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise Invalid(errors={"file": [_("The file cannot be read as CSV.")]}) from error
    found = [cell for cell in cells if cell]
    if found and not any(char.isdigit() for char in found[0]):
        found = found[1:]
    if not found:
        raise Invalid(errors={"file": [_("The file has no numbers.")]})
    return found

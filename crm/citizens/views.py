"""The citizens' pages: search, registering, the 360º view and what is corrected on it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.citizens import forms, identifiers, profile, reasons, selectors, story
from crm.citizens.aliases import Survivor
from crm.citizens.checking import Names, NewIdentifier
from crm.citizens.models import Citizen, CitizenRecord, Identifier, Need
from crm.citizens.permissions import (
    CHANGE_CITIZEN,
    MERGE_CITIZENS,
    PROTECT_RECORD,
    REVEAL_IDENTIFIER,
    VIEW_ACCESS_REPORT,
    VIEW_CITIZEN,
    VIEW_MANDATE,
)
from crm.citizens.search import search
from crm.citizens.services import details, merging, records, registration
from crm.citizens.services.records import Opened, ReasonNeeded
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid, NotFound, Refused, Text, tell_refusal
from crm.kit.forms import Correction, ServiceForm
from crm.kit.policy import decide, require
from crm.kit.prepared import by_key

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_GET
@needs(VIEW_CITIZEN)
def search_page(request: ActorRequest) -> HttpResponse:
    """The search box; what it finds comes as one types."""
    text = request.GET.get("q", "")
    found = search(request.actor, text) if text.strip() else None
    context = {
        "q": text,
        "found": found,
        "may_register": request.actor.holds(CHANGE_CITIZEN),
        "may_merge": request.actor.holds(MERGE_CITIZENS),
    }
    return render(
        request, "citizens/_found.html" if request.htmx else "citizens/list.html", context
    )


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def new(request: ActorRequest) -> HttpResponse:
    """Register a person; whoever may be the same is shown once before."""
    form = forms.NewCitizenForm(request.POST or None)
    duplicates: registration.Duplicates | None = None
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = registration.register_citizen(
                    request.actor,
                    form.names(),
                    identifiers=form.identifiers(),
                    contact_points=form.contact_points(),
                    wishes=form.wishes(),
                    despite=_uuids(request.POST.getlist("despite")),
                )
            except Invalid as error:
                form.refused(error)
            except registration.Duplicates as error:
                duplicates, status = error, error.status
            except Conflict as error:
                form.add_error(None, str(error.message))
                status = error.status
            else:
                _say_registered(request, made, form)
                return redirect("citizens:detail", made.record.citizen.uuid)
    return render(
        request, "citizens/new.html", {"form": form, "duplicates": duplicates}, status=status
    )


def _uuids(raw: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in raw]
    except ValueError as error:
        raise Invalid from error


def _say_registered(
    request: ActorRequest, made: registration.Registered, form: forms.NewCitizenForm
) -> None:
    if made.known:
        messages.warning(
            request,
            _(
                "The identification number already belonged to this person, known in the"
                " installation. The name stands as it was; nothing that others keep is shown."
            ),
        )
    else:
        messages.success(request, _("The person is on record."))
    for number in form.identifiers():
        _say_doubts(request, number)


def _say_doubts(request: ActorRequest, number: NewIdentifier) -> None:
    """What looks wrong in a number that is kept all the same."""
    for doubt in identifiers.validate(number.kind, number.value).warnings:
        messages.warning(request, str(doubt.message))


# --- one person ----------------------------------------------------------------------------------


def opened(
    show: Callable[[ActorRequest, Opened], HttpResponse],
) -> Callable[[ActorRequest, UUID], HttpResponse]:
    """A page of one person: opens it for the reason stated, or asks for the reason first."""

    @wraps(show)
    def page(request: ActorRequest, citizen: UUID) -> HttpResponse:
        reason = reasons.stated(request, citizen)
        try:
            found = records.open_citizen(
                request.actor, citizen, purpose=way_in(request), reason=reason
            )
        except ReasonNeeded as needed:
            return ask_reason(request, needed.record)
        except Refused as error:
            return _over(request, citizen, error)
        if found.citizen.uuid != citizen:  # merged since: the old address leads on
            return _lead_on(request, citizen, found.citizen)
        return show(request, found)

    return page


def _over(request: ActorRequest, citizen: UUID, error: Refused) -> HttpResponse:
    """Says why nothing may be told any more to who is attended in the person's name, and how to go on."""
    record = error.target
    attended = request.actor.attended(getattr(record, "citizen_id", None))
    if attended is None or not attended.refusal:
        raise error
    tell_refusal(request.actor, error)
    context = {"attended": attended, "subject": citizen, "record": record}
    return render(request, "citizens/attending_over.html", context, status=error.status)


def _lead_on(request: ActorRequest, asked: UUID, now: Citizen) -> HttpResponse:
    return redirect(request.get_full_path().replace(str(asked), str(now.uuid), 1))


WAYS: Mapping[str, Text] = {
    "busqueda": gettext_lazy("Attending the person, found by a search"),
    "conversacion": gettext_lazy("Attending a conversation"),
    "cita": gettext_lazy("Attending an appointment"),
}
"""Why somebody is opened, by the page (`via`) that led there."""


def way_in(request: ActorRequest) -> str:
    """The case from which the person is opened, or else the way, in words, when the link says so."""
    reference = reference_in(request)
    if reference:
        return _("Case %(reference)s") % {"reference": reference}
    return str(WAYS.get(request.GET.get("via", ""), ""))


def reference_in(request: ActorRequest) -> str:
    """The number of the case from which the person is opened; nothing else that stands in the link."""
    meanings = identifiers.guess(request.GET.get("case", ""))
    return next((meaning.value for meaning in meanings if meaning.kind == "case"), "")


def ask_reason(
    request: ActorRequest, record: CitizenRecord, form: forms.PurposeForm | None = None
) -> HttpResponse:
    """The page that asks why a protected record is opened."""
    usual = records.usual_purposes(request.actor)
    form = form or forms.PurposeForm(usual, initial={"next": request.get_full_path()})
    context = {"record": record, "form": form}
    return render(
        request, "citizens/reason.html", context, status=403 if not form.is_bound else 422
    )


@require_GET
@needs(VIEW_CITIZEN)
@by_key()
@opened
def detail(request: ActorRequest, found: Opened) -> HttpResponse:
    """The 360º view."""
    actor, citizen, record = request.actor, found.citizen, found.record
    points = selectors.contact_points(actor, citizen)
    attended = actor.attended(citizen.pk)
    partly = attended is not None and not attended.everything
    shared = [] if partly else selectors.sharing(actor, citizen)
    context = {
        "attended": attended,
        "citizen": citizen,
        "record": record,
        "age": selectors.age(citizen),
        "town": selectors.home(points),
        "numbers": selectors.masked_numbers(citizen),
        "merges": merging.merges_of(actor, citizen) if record else [],
        "points": points,
        "needs": [Need(need).label for need in record.accessibility_needs] if record else [],
        "shared": shared,
        "sections": profile.sections(actor, citizen),
        "purpose": found.purpose,
        "opened_from": reference_in(request),
        "purpose_form": forms.PurposeForm(
            records.usual_purposes(actor), initial={"next": request.path}
        ),
        "accesses": selectors.access_report(actor, citizen)
        if actor.holds(VIEW_ACCESS_REPORT) and record and not partly
        else None,
        "may_represent": record is not None and not partly and actor.holds(VIEW_MANDATE),
        "may_change": record is not None and not partly and decide(actor, CHANGE_CITIZEN, record),
        "may_reveal": record is not None
        and not partly
        and decide(actor, REVEAL_IDENTIFIER, record),
        "may_protect": record is not None and decide(actor, PROTECT_RECORD, record),
        "may_merge": record is not None and decide(actor, MERGE_CITIZENS, record),
    }
    return render(request, "citizens/detail.html", context)


@require_GET
@needs(VIEW_CITIZEN)
def more(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """What the person's page asks for once it is there: what is read less often."""
    reason = reasons.stated(request, citizen)
    try:
        found = records.open_part(
            request.actor, citizen, "more", purpose=way_in(request), reason=reason
        )
    except ReasonNeeded as needed:
        return ask_reason(request, needed.record)
    shown = profile.sections(request.actor, found.citizen, later=True)
    context = {"sections": shown, "citizen": found.citizen, "record": found.record}
    template = "citizens/_more.html" if request.htmx else "citizens/more.html"
    return render(request, template, context)


@require_GET
@needs(VIEW_CITIZEN)
@opened
def timeline(request: ActorRequest, found: Opened) -> HttpResponse:
    """The person's timeline: all of it or some groups, from the newest or from before a place."""
    form = forms.SieveForm(request.GET)
    form.is_valid()  # a day that is none asks for any
    context = story.timeline(
        request.actor,
        found.citizen,
        request.GET.getlist("ver"),
        request.GET.get("antes", ""),
        form.sieve(),
    )
    template = "citizens/_moments.html" if request.htmx else "citizens/timeline.html"
    return render(request, template, {**context, "record": found.record})


@require_POST
@needs(VIEW_CITIZEN)
def state_reason(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Keep the reason for a quarter of an hour and go on to what was asked for."""
    found = Citizen.objects.for_actor(request.actor).known_by(citizen).get_or_refuse()
    form = forms.PurposeForm(records.usual_purposes(request.actor), request.POST)
    if form.is_valid():
        reasons.keep(request, citizen, form.cleaned_data["reason"])
        home = reverse("citizens:detail", args=[citizen])
        asked = form.cleaned_data["next"]
        return redirect(asked if asked.startswith(home) else home)
    record = CitizenRecord.objects.for_actor(request.actor).filter(citizen=found).first()
    return ask_reason(request, record or CitizenRecord(citizen=found), form)


@require_POST
@needs(REVEAL_IDENTIFIER)
def reveal(request: ActorRequest, citizen: UUID, identifier: UUID) -> HttpResponse:
    """The whole number, for the reason for which the person is open."""
    value = records.reveal_identifier(
        request.actor, citizen, identifier, purpose=reasons.stated(request, citizen)
    )
    return JsonResponse({"value": value})


# --- corrections ---------------------------------------------------------------------------------

Save = Callable[[Any], object]


def correct(
    request: ActorRequest,
    citizen: UUID,
    *,
    title: str,
    form: Callable[[CitizenRecord, Any], ServiceForm],
    save: Save,
    done: str,
    permission: str = CHANGE_CITIZEN,
    template: str = "citizens/correct.html",
    context: Mapping[str, object] | None = None,
) -> HttpResponse:
    """A page that corrects something: GET opens the person for it, POST saves and goes back."""
    actor = request.actor
    record = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    mine = record.get_or_refuse(citizen=Survivor(citizen))
    if mine.citizen.uuid != citizen:  # merged since: what was posted is said of who they are now
        citizen = mine.citizen.uuid
    require(actor, permission, mine)
    if request.method != "POST":
        reason = reasons.stated(request, citizen)
        try:
            records.open_citizen(actor, citizen, purpose=title, reason=reason)
        except ReasonNeeded as needed:
            return ask_reason(request, needed.record)
    typed = form(mine, request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = typed.saved(lambda: save(typed), lambda: form(mine, None).initial)
        if status == HTTPStatus.OK:
            messages.success(request, done)
            return redirect("citizens:detail", citizen)
    shown = {"form": typed, "title": title, "record": mine, **(context or {})}
    return render(request, template, shown, status=status)


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def names(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Correct what a person is called."""

    def form(record: CitizenRecord, data: Any) -> forms.NamesForm:
        return forms.NamesForm(data, initial=forms.NamesForm.of_citizen(record.citizen))

    def save(typed: forms.NamesForm) -> None:
        given: Names = typed.names()
        registration.change_citizen(request.actor, citizen, given, seen=_seen(typed))

    return correct(
        request,
        citizen,
        title=_("Correct name and date of birth"),
        form=form,
        save=save,
        done=_("The data are corrected, for every organisation that attends this person."),
    )


def _seen(typed: Correction) -> datetime | None:
    raw = typed.cleaned_data["seen"]
    try:
        moment = parse_datetime(raw)
    except ValueError:
        moment = None
    if raw and moment is None:
        raise Invalid
    return moment


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def wishes(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Say how a person is to be attended."""

    def form(record: CitizenRecord, data: Any) -> forms.WishesForm:
        return forms.WishesForm(data, initial=forms.WishesForm.of_record(record))

    def save(typed: forms.WishesForm) -> None:
        records.set_wishes(request.actor, citizen, typed.wishes(), seen=_seen(typed))

    return correct(
        request,
        citizen,
        title=_("Language, channel and accessibility needs"),
        form=form,
        save=save,
        done=_("Saved."),
    )


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def add_identifier(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Add an identification number."""

    def save(typed: forms.IdentifierForm) -> None:
        given = typed.identifier()
        details.add_identifier(request.actor, citizen, given)
        _say_doubts(request, given)

    return correct(
        request,
        citizen,
        title=_("Add an identification number"),
        form=lambda _record, data: forms.IdentifierForm(data),
        save=save,
        done=_("The identification number is on record."),
    )


@require_POST
@needs(CHANGE_CITIZEN)
def verify_identifier(request: ActorRequest, citizen: UUID, identifier: UUID) -> HttpResponse:
    """Say that the paper has been seen."""
    details.verify_identifier(request.actor, citizen, identifier)
    messages.success(request, _("The identification number is verified."))
    return redirect("citizens:detail", citizen)


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def validity(request: ActorRequest, citizen: UUID, identifier: UUID) -> HttpResponse:
    """Say from when until when the paper with a number is valid."""

    def form(record: CitizenRecord, data: Any) -> forms.ValidityForm:
        numbers = Identifier.objects.for_actor(request.actor).filter(citizen=record.citizen)
        number = numbers.get_or_refuse(uuid=identifier, ended_at=None)
        return forms.ValidityForm(data, initial=forms.ValidityForm.of_number(number))

    def save(typed: forms.ValidityForm) -> None:
        days = {name: typed.cleaned_data[name] for name in ("valid_from", "valid_until")}
        details.set_validity(request.actor, citizen, identifier, **days, seen=_seen(typed))

    return correct(
        request,
        citizen,
        title=_("Validity of the identification number"),
        form=form,
        save=save,
        done=_("Saved."),
    )


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def withdraw_identifier(request: ActorRequest, citizen: UUID, identifier: UUID) -> HttpResponse:
    """Withdraw a number that was wrong or has been replaced."""

    def form(record: CitizenRecord, data: Any) -> forms.ReasonForm:
        numbers = Identifier.objects.for_actor(request.actor).filter(citizen=record.citizen)
        numbers.get_or_refuse(uuid=identifier, ended_at=None)
        return forms.ReasonForm(data)

    def save(typed: forms.ReasonForm) -> None:
        details.withdraw_identifier(
            request.actor, citizen, identifier, reason=typed.cleaned_data["reason"]
        )

    return correct(
        request,
        citizen,
        title=_("Withdraw the identification number"),
        form=form,
        save=save,
        done=_("The identification number is withdrawn; it stays in the history."),
    )


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def add_contact_point(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Add a telephone, mailbox or address."""

    def save(typed: forms.ContactPointForm) -> None:
        details.add_contact_point(request.actor, citizen, typed.contact_point())

    return correct(
        request,
        citizen,
        title=_("Add a contact point"),
        form=lambda _record, data: forms.ContactPointForm(data),
        save=save,
        done=_("The contact point is on record."),
    )


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def change_contact_point(request: ActorRequest, citizen: UUID, point: UUID) -> HttpResponse:
    """Correct a telephone, mailbox or address."""

    def form(record: CitizenRecord, data: Any) -> forms.ContactPointForm:
        known = selectors.contact_points(request.actor, record.citizen)
        now = next((row for row in known if row.uuid == point), None)
        if now is None:
            raise NotFound
        return forms.ContactPointForm(data, initial=forms.ContactPointForm.of_point(now))

    def save(typed: forms.ContactPointForm) -> None:
        details.change_contact_point(
            request.actor,
            citizen,
            point,
            typed.contact_point(),
            quality=typed.cleaned_data["quality"],
            seen=_seen(typed),
        )

    return correct(
        request,
        citizen,
        title=_("Correct the contact point"),
        form=form,
        save=save,
        done=_("The contact point is corrected."),
    )


@require_POST
@needs(CHANGE_CITIZEN)
def verify_contact_point(request: ActorRequest, citizen: UUID, point: UUID) -> HttpResponse:
    """Say that the person answered there."""
    details.verify_contact_point(request.actor, citizen, point)
    messages.success(request, _("The contact point is verified."))
    return redirect("citizens:detail", citizen)


@require_POST
@needs(CHANGE_CITIZEN)
def end_contact_point(request: ActorRequest, citizen: UUID, point: UUID) -> HttpResponse:
    """Say that the person is no longer reached there."""
    details.end_contact_point(request.actor, citizen, point)
    messages.success(request, _("The contact point is ended; it stays in the history."))
    return redirect("citizens:detail", citizen)


@require_http_methods(GET_OR_POST)
@needs(PROTECT_RECORD)
def protection(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Protect the record, or lift its protection."""
    known = CitizenRecord.objects.for_actor(request.actor).get_or_refuse(citizen=Survivor(citizen))
    verb = records.unprotect_record if known.protected else records.protect_record

    def save(typed: forms.ReasonForm) -> None:
        verb(request.actor, citizen, reason=typed.cleaned_data["reason"])

    return correct(
        request,
        citizen,
        title=_("Lift the protection") if known.protected else _("Protect the record"),
        form=lambda _record, data: forms.ReasonForm(data),
        save=save,
        done=_("The protection is lifted.") if known.protected else _("The record is protected."),
        permission=PROTECT_RECORD,
    )

"""Pages of campaigns: the list, one campaign from draft to results, and what is done with it."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns import charts, segments, selectors
from campaigns.forms import CampaignForm
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.permissions import (
    APPROVE_CAMPAIGN,
    DESIGN_CAMPAIGN,
    EXPORT_RESULTS,
    PREVIEW_RECIPIENTS,
    RUN_CAMPAIGN,
    VIEW_CAMPAIGN,
)
from campaigns.rendering import placeholders, shown
from campaigns.services import control, drafting
from campaigns.wording import words_of
from crm.audit.record import record
from crm.citizens.selectors import protected_names
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.csvfile import download
from crm.kit.errors import Conflict, DomainError, Invalid
from crm.kit.keyset import Order, read_page
from crm.kit.policy import decide, require

NEWEST = Order(("id",), descending=True)
State, Status = Campaign.State, Delivery.Status
_KINDS = {  # statuses in the order of the picture, with the colours of chips
    Status.SENT: "ok",
    Status.QUEUED: "run",
    Status.CLAIMED: "run",
    Status.SENDING: "run",
    Status.SOFT_BOUNCED: "cit",
    Status.HARD_BOUNCED: "bad",
    Status.COMPLAINED: "bad",
    Status.FAILED: "bad",
    Status.UNKNOWN: "cit",
    Status.SUPPRESSED: "end",
    Status.CANCELLED: "end",
}


@require_GET
@needs(VIEW_CAMPAIGN)
def index(request: ActorRequest) -> HttpResponse:
    """The organisation's campaigns, newest first."""
    rows = Campaign.objects.for_actor(request.actor).select_related("topic", "segment")
    page = read_page(rows, NEWEST, request.GET.get("cursor", ""))
    context = {
        "campaigns": page.rows,
        "after": page.after,
        "may": request.actor.holds(DESIGN_CAMPAIGN),
    }
    template = "campaigns/_rows.html" if request.htmx else "campaigns/list.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@needs(DESIGN_CAMPAIGN)
def new(request: ActorRequest) -> HttpResponse:
    """A new campaign."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(DESIGN_CAMPAIGN)
def edit(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Change a draft."""
    row = _fetch(request.actor, campaign)
    if row.state != State.DRAFT:
        raise Conflict("campaign_state", _("Only drafts can be changed."))
    return _edit(request, row)


def _edit(request: ActorRequest, row: Campaign | None) -> HttpResponse:
    actor = request.actor
    form = CampaignForm(request.POST or None, actor=actor, campaign=row)
    status = HTTPStatus.OK
    if request.method == "POST":
        saved: list[Campaign] = []

        def verb() -> None:
            wanted = form.wanted()
            saved.append(
                drafting.change_campaign(actor, row.uuid, wanted)
                if row
                else drafting.create_campaign(actor, wanted)
            )

        status = form.saved(verb)
        if status == HTTPStatus.OK:
            return redirect("campaigns:detail", saved[0].uuid)
    context = {"form": form, "campaign": row, "values": [f"value-{one.name}" for one in form.holes]}
    return render(request, "campaigns/edit.html", context, status=status)


@require_GET
@needs(VIEW_CAMPAIGN)
def detail(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """A campaign: what it is, what can be done with it, and once launched its results."""
    row = _fetch(request.actor, campaign)
    return render(request, "campaigns/detail.html", _context(request.actor, row))


@require_GET
@needs(VIEW_CAMPAIGN)
def progress(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """The part of the page that changes while it is sent; a page that waits for that is loaded anew."""
    row = _fetch(request.actor, campaign)
    if "espera" in request.GET:
        begun = row.state != State.SCHEDULED
        return HttpResponse(status=204, headers={"HX-Refresh": "true"} if begun else {})
    return render(request, "campaigns/_results.html", _context(request.actor, row))


def _context(actor: Actor, row: Campaign) -> dict[str, Any]:
    run = selectors.last_run(row)
    tree = row.tree if row.tree is not None else row.segment.tree
    version = drafting.current_version(row)
    context: dict[str, Any] = {
        "campaign": row,
        "version": version,
        "reason": words_of(row.state_reason),
        "conditions": segments.Words(actor).tell(tree),
        "values": _values(row, version.texts),
        "may": {
            "design": decide(actor, DESIGN_CAMPAIGN, row),
            "approve": decide(actor, APPROVE_CAMPAIGN, row),
            "run": decide(actor, RUN_CAMPAIGN, row),
            "preview": decide(actor, PREVIEW_RECIPIENTS, row),
            "export": decide(actor, EXPORT_RESULTS, row),
        },
    }
    if run is None:
        context["size"] = segments.size(row.organisation_id, tree).told_to(actor)
        context["problems"] = _problems(row)
    else:
        context.update(_results(row, run))
    return context


def _values(row: Campaign, texts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The campaign's own values as they are read."""
    kinds = {one.name: one.type for one in placeholders(texts)}
    for name, value in row.values.items():
        yield name, shown(kinds.get(name, "text"), value)


def _problems(row: Campaign) -> list[Any]:
    """What would be refused if approval were asked for now."""
    if row.state != State.DRAFT:
        return []
    try:
        drafting.require_sendable(row)
    except Invalid as error:
        return list(error.errors.get("", [error.message]))
    return []


def _results(row: Campaign, run: CampaignRun) -> dict[str, Any]:
    found = selectors.results(run)
    parts = [
        (Status(status).label, found.by_status.get(status, 0), kind)
        for status, kind in _KINDS.items()
    ]
    hourly = run.finished_at is None or (run.finished_at - run.started_at).days < 1
    layout = "H:i" if hourly else "j b"
    sent = [(date_format(localtime(at), layout), count) for at, count in selectors.over_time(run)]
    visits = [(date_format(day, "j b"), count) for day, count in selectors.visits_by_day(row)]
    return {
        "run": run,
        "results": found,
        "handled": found.total - found.waiting,
        "status_bars": charts.stacked(parts),
        "sent_bars": charts.columns(sent),
        "visit_bars": charts.columns(visits, "new"),
        "reasons": [(words_of(code), count) for code, count in sorted(found.by_reason.items())],
        "following": row.state in {State.RUNNING, State.PAUSED},
    }


@require_GET
@needs(PREVIEW_RECIPIENTS)
def preview(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """The message as one of its recipients will read it."""
    text = request.GET.get("n", "0")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    row, shown = drafting.preview_recipient(request.actor, campaign, number)
    context = {
        "campaign": row,
        "preview": shown,
        "refusal": words_of(shown.refusal) if shown and shown.refusal else "",
        "number": number,
        "before": number - 1 if number else None,
        "after": number + 1 if shown and number + 1 < drafting.PREVIEWED else None,
    }
    return render(request, "campaigns/preview.html", context)


@require_POST
@needs(DESIGN_CAMPAIGN)
def test(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """A trial to one's own mailbox."""
    language = request.POST.get("language", "")
    address = request.user.email
    return _act(
        request,
        campaign,
        lambda: drafting.send_test(request.actor, campaign, language, address),
        _("The trial is on its way to %(address)s.") % {"address": address},
    )


@require_POST
@needs(DESIGN_CAMPAIGN)
def submit(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Ask for approval."""
    return _act(
        request,
        campaign,
        lambda: drafting.submit_campaign(request.actor, campaign),
        _("It waits for the approval of somebody else."),
    )


@require_POST
@needs(DESIGN_CAMPAIGN)
def withdraw(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Make it a draft again."""
    return _act(
        request,
        campaign,
        lambda: drafting.withdraw_campaign(request.actor, campaign),
        _("It is a draft again."),
    )


@require_POST
@needs(APPROVE_CAMPAIGN)
def approve(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Approve it."""
    return _act(
        request,
        campaign,
        lambda: drafting.approve_campaign(request.actor, campaign),
        _("Approved: it will be sent when its moment comes."),
    )


@require_POST
@needs(APPROVE_CAMPAIGN)
def send_back(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Return it with a reason."""
    reason = request.POST.get("reason", "")
    return _act(
        request,
        campaign,
        lambda: drafting.return_campaign(request.actor, campaign, reason),
        _("Returned to its author."),
    )


@require_POST
@needs(RUN_CAMPAIGN)
def pause(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Pause it."""
    return _act(
        request, campaign, lambda: control.pause_campaign(request.actor, campaign), _("Paused.")
    )


@require_POST
@needs(RUN_CAMPAIGN)
def resume(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """Go on."""
    return _act(
        request,
        campaign,
        lambda: control.resume_campaign(request.actor, campaign),
        _("It goes on."),
    )


@require_POST
@needs(RUN_CAMPAIGN)
def stop(request: ActorRequest, campaign: UUID) -> HttpResponse:
    """End it."""
    return _act(
        request,
        campaign,
        lambda: control.stop_campaign(request.actor, campaign),
        _("Stopped: what had not left never will."),
    )


@require_GET
@needs(EXPORT_RESULTS)
def export(request: ActorRequest, campaign: UUID) -> HttpResponseBase:
    """What became of each recipient's message, as a file that a spreadsheet opens without harm."""
    row = _fetch(request.actor, campaign)
    require(request.actor, EXPORT_RESULTS, row)
    run = selectors.last_run(row)
    record(request.actor, "exported", row, recipients=run.total if run else 0)
    header = [
        *(_("Recipient"), _("Mailbox"), _("Language"), _("State"), _("Reason")),
        *(_("Moment"), _("Message-ID")),
    ]
    return download(f"campana-{row.pk}.csv", header, _lines(request.actor, run))


def _lines(actor: Actor, run: CampaignRun | None) -> Iterator[tuple[object, ...]]:
    if run is None:
        return
    rows = Delivery.objects.for_actor(actor).filter(run=run)
    rows = rows.select_related("citizen", "contact_point").order_by("pk")
    last = 0
    while page := list(rows.filter(pk__gt=last)[:1000]):
        hidden = protected_names(actor, {one.citizen_id for one in page})
        for one in page:
            moment = (
                localtime(one.settled_at).isoformat(timespec="seconds") if one.settled_at else ""
            )
            yield (
                hidden.get(one.citizen_id, one.citizen.full_name),
                "" if one.citizen_id in hidden else one.contact_point.address,
                one.language,
                one.get_status_display(),
                words_of(one.reason) if one.reason else "",
                moment,
                f"{one.uuid}@{run.domain}",
            )
        last = page[-1].pk


def _act(
    request: ActorRequest, campaign: UUID, verb: Callable[[], object], done: str
) -> HttpResponse:
    """The verb is carried out and its page says so, or why not."""
    row = _fetch(request.actor, campaign)
    try:
        verb()
    except (Invalid, Conflict) as error:
        context = {**_context(request.actor, row), "refused": _said(error)}
        return render(request, "campaigns/detail.html", context, status=error.status)
    messages.success(request, done)
    return redirect("campaigns:detail", campaign)


def _said(error: DomainError) -> list[Any]:
    errors = error.errors if isinstance(error, Invalid) else {}
    return [text for texts in errors.values() for text in texts] or [error.message]


def _fetch(actor: Actor, campaign: UUID) -> Campaign:
    rows = Campaign.objects.for_actor(actor).select_related(
        "topic", "segment", "template", "version", "organisation"
    )
    row = rows.get_or_refuse(uuid=campaign)
    require(actor, VIEW_CAMPAIGN, row)
    return row

"""The information letter of art. 21.4 of Ley 39/2015, and requests for papers with their deadline."""

from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from cases import plain
from cases.clocks import counts_on
from cases.models import Case, EventKind, InformationLetter, Message, PapersRequest
from cases.permissions import CHANGE_CASE
from cases.services.notes import send_message
from cases.services.writing import fetch, moment, require_work_goes_on, write
from cases.silence import procedure_of, silence
from cases.terms import Term, deadline, read_term
from cases.texts import paragraphs
from cases.workflow import of_version
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import require
from crm.organisations.calendars import next_working_day
from crm.organisations.services import calendar_for

LETTER_WITHIN = Term(10, "wd")
USUAL_TERM = "10wd"
LONGEST = 4_000


def letter_text(case: Case) -> str:
    """What an applicant is told (art. 21.4), in their language: when it came in, how long it takes, from
    when that counts, and what it means if nobody answers."""
    calendar = calendar_for(case.unit)
    term = of_version(case.type_version.bundle).term
    opened = case.opened_at.astimezone(calendar.zone)
    with translation.override(case.language):
        found = silence(case, procedure_of(case), calendar, moment())
        return render_to_string(
            "cases/window/letter.txt",
            {
                "case": case,
                "received": opened,
                "term": term.words if term else "",
                "starts_on": counts_on(calendar, case.opened_at, case.channel) + timedelta(days=1),
                "due_on": case.due_at.astimezone(calendar.zone).date() if case.due_at else None,
                "silence": plain.silence_told(found),
            },
        ).strip()


def letter_until(case: Case) -> date:
    """Until when the letter must go: ten days after the application came in."""
    calendar = calendar_for(case.unit)
    counts = counts_on(calendar, case.opened_at, case.channel)
    return deadline(calendar, counts, [LETTER_WITHIN]).due


@transaction.atomic
def send_letter(actor: Actor, case: UUID, *, automatic: bool = False) -> InformationLetter:
    """The applicant has been told, or is on the way to be; once for each case."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    if InformationLetter.objects.for_actor(actor).filter(case=row).exists():
        raise Conflict("letter_sent", _("The information letter of this case has been sent."))
    message = send_message(actor, case, letter_text(row), automatic=True)
    row.refresh_from_db(fields=["last_event", "version"])
    made = InformationLetter.objects.create(case=row, message=message, automatic=automatic)
    write(actor, CHANGE_CASE, row, EventKind.INFORMED, {"letter": str(made.uuid)})
    return made


@transaction.atomic
def request_papers(
    actor: Actor,
    case: UUID,
    *,
    papers: str,
    term: str = USUAL_TERM,
    on: date | None = None,
    version: int | None = None,
) -> PapersRequest:
    """The citizen is told what to bring and by when; the term counts from the day after `on` (today)."""
    row = fetch(actor, case, version)
    require(actor, CHANGE_CASE, row)
    require_work_goes_on(row)
    calendar = calendar_for(row.unit)
    today = moment().astimezone(calendar.zone).date()
    on = on or today
    text, given = paragraphs(papers), _term(term)
    errors: dict[str, list[Text]] = {}
    if not text:
        errors["papers"] = [_("This field is required.")]
    elif len(text) > LONGEST:
        errors["papers"] = [_("Write at most %(limit)s characters.") % {"limit": LONGEST}]
    if given is None:
        errors["term"] = [_("Write the term as 30wd, 15d, 3m or 1y.")]
    if not row.opened_at.astimezone(calendar.zone).date() <= on <= today:
        errors["on"] = [_("Choose a day from the opening of the case until today.")]
    if errors or given is None:
        raise Invalid(errors=errors)
    if PapersRequest.objects.for_actor(actor).filter(case=row, ended_on=None).exists():
        text = _("The citizen has been asked for papers already: end that request first.")
        raise Conflict("papers_requested", text)
    due = deadline(calendar, on, [given]).due
    with translation.override(row.language):
        body = render_to_string("cases/window/papers.txt", {"papers": text, "due_on": due}).strip()
    message = send_message(actor, case, body)
    row.refresh_from_db(fields=["last_event", "version"])
    made = PapersRequest.objects.create(
        case=row, papers=text, term=str(given), notified_on=on, due_on=due, message=message
    )
    told = {"request": str(made.uuid), "papers": text, "term": str(given)}
    told |= {"on": on.isoformat(), "due": due.isoformat()}
    write(actor, CHANGE_CASE, row, EventKind.PAPERS_REQUESTED, told)
    return made


@transaction.atomic
def end_papers(
    actor: Actor, case: UUID, *, end: str, on: date | None = None, version: int | None = None
) -> PapersRequest:
    """The request is over: brought on that day (today), not brought, or withdrawn.

    What came electronically on a day that is no working day counts on the next one.
    """
    row = fetch(actor, case, version)
    require(actor, CHANGE_CASE, row)
    open_one = PapersRequest.objects.for_actor(actor).filter(case=row, ended_on=None).first()
    if open_one is None:
        raise Conflict("papers_not_requested", _("No papers are being waited for."))
    calendar = calendar_for(row.unit)
    today = moment().astimezone(calendar.zone).date()
    on = on or today
    errors: dict[str, list[Text]] = {}
    if end not in PapersRequest.End.values:
        errors["end"] = [_("Choose one of the offered values.")]
    if not open_one.notified_on <= on <= today:
        errors["on"] = [_("Choose a day from the request until today.")]
    elif end == PapersRequest.End.NOT_BROUGHT and today <= open_one.due_on:
        errors["end"] = [_("The citizen still has time.")]
    if errors:
        raise Invalid(errors=errors)
    open_one.end, open_one.ended_on = end, next_working_day(calendar, on)
    open_one.save(update_fields=["end", "ended_on", "updated_at"])
    told = {"request": str(open_one.uuid), "end": end, "on": open_one.ended_on.isoformat()}
    told["due"] = open_one.due_on.isoformat()
    write(actor, CHANGE_CASE, row, EventKind.PAPERS_ENDED, told)
    return open_one


def message_of_letter(actor: Actor, case: Case) -> Message | None:
    """What was sent as the information letter, with what became of it."""
    sent = InformationLetter.objects.for_actor(actor).filter(case=case).select_related("message")
    found = sent.first()
    return found.message if found else None


def _term(text: str) -> Term | None:
    try:
        return read_term(text.strip())
    except ValueError:
        return None

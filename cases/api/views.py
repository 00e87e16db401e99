"""Cases by API: the list, one case, its verbs, and what belongs to it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from cases import services
from cases.answers import published_of
from cases.api import shapes
from cases.lists import (
    NEWEST,
    CaseFilter,
    leading,
    led_by_words,
    merged,
    patience,
    units_to_merge,
    words_in,
)
from cases.models import Case, CaseType, Document, Link, Message, Note, Participant, SavedView
from cases.models.case import CaseQuerySet
from cases.permissions import (
    ASSIGN_CASE,
    CHANGE_CASE,
    CLOSE_CASE,
    OPEN_CASE,
    TRANSFER_CASE,
    VIEW_CASE,
)
from cases.presenting import author_of
from cases.query import as_audited, in_parentheses, understood
from cases.represented import not_seen
from cases.services import NewCase
from cases.services.answers import send_answered
from cases.services.writing import changes_since
from crm.accounts.models import User
from crm.audit.record import record
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.search import record_search
from crm.kit.actor import Actor
from crm.kit.api import FORM, ActorAPIView, BadExpression, operation
from crm.kit.api.problems import PreconditionFailed
from crm.kit.errors import Invalid
from crm.kit.keyset import Order
from crm.organisations.models import Unit

AS_WRITTEN = Order(("id",))

# what CaseOutput shows: neither the search vector nor whole rows of other tables are read for it
_OWN = (
    *("id", "uuid", "reference", "state", "category", "subject", "description", "priority"),
    *("confidentiality", "channel", "language", "address", "latitude", "longitude", "data"),
    *("outcome", "source", "external_id", "opened_at", "due_at", "suspended_on", "closed_at"),
    *("updated_at", "version"),
)
_OTHERS = (
    *(
        "case_type__code",
        "unit__uuid",
        "citizen__uuid",
        "assignee__uuid",
        "assignee__full_name",
        "result__code",
    ),
)


def locked_version(actor: Actor, case_id: UUID) -> int:
    """The case's version, which nobody else can change before this transaction ends."""
    rows = Case.objects.for_actor(actor).select_for_update(of=("self",), no_key=True)
    return rows.only("version").get_or_refuse(uuid=case_id).version


def naming(actor: Actor, case: Case) -> Callable[[Message], Message]:
    """Of a message of this case, its author as they may be named here: of the protected, initials."""
    records = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    known = records.filter(citizen=case.citizen_id).first()

    def show(message: Message) -> Message:
        if known:
            message.author_name = author_of(message, known.citizen, known.shown_name)
        return message

    return show


class CaseAPIView(ActorAPIView):
    """An address of one case or of something in it."""

    versioned = staticmethod(locked_version)
    narrows = True

    def _match(self, expected: str, **kwargs: Any) -> None:
        """As everywhere; who is late is told who changed which fields since the version they know."""
        try:
            super()._match(expected, **kwargs)
        except PreconditionFailed as error:
            known = re.fullmatch(r'"([0-9]{1,9})"', expected.strip())
            case = Case.objects.for_actor(self.actor).get_or_refuse(uuid=kwargs["case_id"])
            changes = changes_since(case, int(known[1])) if known else []
            error.details["now"] = {"version": case.version, "changes": changes}
            raise

    def show(self, case: Case) -> HttpResponse:
        """The case as it stands, with its version as ETag; one that nothing was done with was seen."""
        if not case.told:
            record(self.actor.about(case.citizen_id), "viewed", case)
        return self.reply(case, etag=case.version)

    def look(self, case_id: UUID, part: str = "") -> Case:
        """The case, of which the actor now sees this part; the audit trail says so."""
        rows = Case.objects.for_actor(self.actor)
        rows = rows.select_related("case_type", "unit", "assignee", "citizen", "result")
        shown = rows.only(*_OWN, *_OTHERS, "organisation_id", "case_type__nature")
        found = shown.filter(uuid=case_id).first()
        if found is None:
            raise not_seen(self.actor, case_id)
        record(
            self.actor.about(found.citizen_id), "viewed", found, **({"part": part} if part else {})
        )
        return found


class Cases(ActorAPIView):
    """All cases that exist for the caller."""

    narrows = True

    @operation(
        "List cases",
        needs=VIEW_CASE,
        filters=shapes.CaseFilters,
        answers=shapes.CaseOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """Newest first, without a total."""
        given = self.filters()
        text, query = given.get("text", ""), given.pop("query", "")
        if "view" in given:
            view = SavedView.objects.for_actor(self.actor).filter(uuid=given.pop("view")).first()
            if view is None:  # as any other filter by what does not exist
                return self.page(Case.objects.for_actor(self.actor).none(), NEWEST)
            query = f"{in_parentheses(view.expression)} {in_parentheses(query)}".strip()
        asked = self.expressed(query) if query else None
        told = as_audited(query)
        record_search(self.actor, "cases", filters=given, text=text, query=told)
        with patience(text or query):
            rows = self.wanted(given) if asked is None else self.asked(asked, given)
            rows = led_by_words(rows, text) if text else rows
            return self.page(rows.values(*_OWN, *_OTHERS), NEWEST)

    def expressed(self, query: str) -> CaseFilter:
        """What an expression asks; what is wrong with it is told with its places."""
        found = understood(self.actor, query)
        if found.problems:
            raise BadExpression("query", found.problems)
        return found.alone()

    def asked(self, asked: CaseFilter, given: dict[str, Any]) -> CaseQuerySet:
        """The cases that an expression and the filters let through, by the index that leads."""
        if given.keys() & _LEADING:
            asked = replace(asked, led=True)
        units, rows = leading(self.actor, asked)
        rows = filtered(self.actor, rows, given)
        if units is not None:
            rows = self.following(rows, NEWEST)
            return merged(self.actor, rows, NEWEST, units, self.query["limit"] + 1)
        return led_by_words(rows, asked.text) if asked.text else rows

    def wanted(self, given: dict[str, Any]) -> CaseQuerySet:
        """The cases that fit, by the index that leads: as the console's list (cases.lists)."""
        actor = self.actor
        if given.keys() & _LEADING:
            return filtered(actor, Case.objects.for_actor(actor), given)
        chosen = units_named(actor, given["unit"]) if "unit" in given else None
        units = units_to_merge(actor, chosen)
        if units is None:
            return filtered(actor, Case.objects.for_actor(actor), given)
        rest = {name: value for name, value in given.items() if name != "unit"}
        around = filtered(actor, Case.objects.of_unit_around(actor), rest)
        rows = self.following(around, NEWEST)
        return merged(actor, rows, NEWEST, units, self.query["limit"] + 1)

    @operation(
        "Open a case",
        needs=OPEN_CASE,
        reads=shapes.NewCaseInput,
        answers=shapes.CaseOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """409 when the same (source, external_id) was opened before."""
        case = services.open_case(self.actor, NewCase(**self.read()))
        return self.reply(case, etag=case.version, location=f"{request.path}{case.uuid}/")


class OneCase(CaseAPIView):
    """One case."""

    @operation("Read a case", needs=VIEW_CASE, answers=shapes.CaseOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """The ETag is its version: send it back as If-Match when you change the case."""
        case = self.look(case_id)
        return self.reply(case, etag=case.version)

    @operation("Edit a case", needs=CHANGE_CASE, reads=shapes.CaseEdits, answers=shapes.CaseOutput)
    def patch(self, request: Request, case_id: UUID) -> HttpResponse:
        """Only what is sent changes; `data` is replaced as a whole. With `version`, the one that you
        began from, what others changed since stays, and 409 names each field that both did."""
        given = self.read()
        version = given.pop("version", None)
        return self.show(services.edit_case(self.actor, case_id, given, version=version))


class AssignCase(CaseAPIView):
    """Giving a case to somebody."""

    @operation(
        "Assign a case", needs=ASSIGN_CASE, reads=shapes.AssignInput, answers=shapes.CaseOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """To an employee who can see the cases of its unit."""
        return self.show(services.assign_case(self.actor, case_id, self.read()["assignee"]))


class TakeCase(CaseAPIView):
    """Taking a case oneself."""

    @operation("Take a case", needs=CHANGE_CASE, answers=shapes.CaseOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """For people: a key is refused. 409 when somebody else has it."""
        self.read()
        return self.show(services.take_case(self.actor, case_id))


class ReleaseCase(CaseAPIView):
    """Giving a case back."""

    @operation("Release a case", needs=CHANGE_CASE, answers=shapes.CaseOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Nobody has it then."""
        self.read()
        return self.show(services.release_case(self.actor, case_id))


class MoveCase(CaseAPIView):
    """Moving a case from state to state."""

    @operation("Move a case", needs=CHANGE_CASE, reads=shapes.MoveInput, answers=shapes.CaseOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """By a move of its case type; 409 when that move does not leave its state."""
        return self.show(services.move_case(self.actor, case_id, **self.read()))


class CloseCase(CaseAPIView):
    """Ending the work on a case."""

    @operation("Close a case", needs=CLOSE_CASE, reads=shapes.CloseInput, answers=shapes.CaseOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """By the named move, or the first that ends work from its state."""
        return self.show(services.close_case(self.actor, case_id, **self.read()))


class ReopenCase(CaseAPIView):
    """Taking up an ended case again."""

    @operation(
        "Reopen a case", needs=CLOSE_CASE, reads=shapes.ReasonInput, answers=shapes.CaseOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when work on it has not ended."""
        return self.show(services.reopen_case(self.actor, case_id, **self.read()))


class MoveToUnit(CaseAPIView):
    """Giving a case to another unit."""

    @operation(
        "Change the unit", needs=TRANSFER_CASE, reads=shapes.UnitInput, answers=shapes.CaseOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Nobody there has it yet."""
        return self.show(services.change_unit(self.actor, case_id, **self.read()))


class CaseConfidentiality(CaseAPIView):
    """Who may know of a case."""

    @operation(
        "Change the confidentiality",
        needs=CHANGE_CASE,
        reads=shapes.ConfidentialityInput,
        answers=shapes.CaseOutput,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Special protection is given and taken by who may see such cases."""
        given = self.read()
        level = given.pop("confidentiality")
        return self.show(services.change_confidentiality(self.actor, case_id, level, **given))


class Notes(CaseAPIView):
    """Internal words on a case."""

    @operation("List notes", needs=VIEW_CASE, answers=shapes.NoteOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In the order of writing."""
        case = self.look(case_id, "notes")
        return self.page(Note.objects.for_actor(self.actor).filter(case=case), AS_WRITTEN)

    @operation(
        "Write a note",
        needs=CHANGE_CASE,
        reads=shapes.NoteInput,
        answers=shapes.NoteOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """The citizen never sees it. Colleagues and units that it names by @ are told, if they may see the case."""
        return self.reply(services.add_note(self.actor, case_id, self.read()["text"]))


class Messages(CaseAPIView):
    """Public words on a case."""

    @operation("List messages", needs=VIEW_CASE, answers=shapes.MessageOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In the order of writing."""
        case = self.look(case_id, "messages")
        rows = Message.objects.for_actor(self.actor).filter(case=case)
        return self.page(rows, AS_WRITTEN, show=naming(self.actor, case))

    @operation(
        "Write or record a message",
        needs=CHANGE_CASE,
        reads=shapes.MessageInput,
        answers=shapes.MessageOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Without direction and channel it is sent to the citizen's mailbox, when there is one."""
        given = self.read()
        text, seen = given.pop("text"), given.pop("seen_event", None)
        used = given.pop("answers", [])
        if len(published_of(self.actor, used)) < len(set(used)):
            text = _("There is no such answer, or it is not published.")
            raise Invalid(errors={"answers": [text]})
        if not given:
            message = send_answered(self.actor, case_id, text, used, seen=seen)
            return self.reply(message)
        if used:
            text = _("Only with what is sent now: leave out direction and channel.")
            raise Invalid(errors={"answers": [text]})
        if "channel" not in given:
            raise Invalid(errors={"channel": [_("Say by which channel it was said.")]})
        given.setdefault("direction", Message.Direction.OUT)
        message = services.record_message(self.actor, case_id, text, **given)
        return self.reply(naming(self.actor, message.case)(message))


class Documents(CaseAPIView):
    """Files of a case."""

    @operation("List documents", needs=VIEW_CASE, answers=shapes.DocumentOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In the order of arrival, withdrawn ones too."""
        case = self.look(case_id, "documents")
        rows = Document.objects.for_actor(self.actor).select_related("case").filter(case=case)
        return self.page(rows, AS_WRITTEN)

    @operation(
        "Attach a document",
        needs=CHANGE_CASE,
        reads=shapes.DocumentInput,
        answers=shapes.DocumentOutput,
        status=201,
        media_type=FORM,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """422 says which kinds of file are taken, and why this one is not."""
        given = self.read()
        file = given.pop("file")
        document = services.attach_document(self.actor, case_id, file.chunks(), file.name, **given)
        return self.reply(document)


class WithdrawDocument(CaseAPIView):
    """Withdrawing a file."""

    @operation(
        "Withdraw a document",
        needs=CHANGE_CASE,
        reads=shapes.ReasonInput,
        answers=shapes.DocumentOutput,
    )
    def post(self, request: Request, case_id: UUID, document_id: UUID) -> HttpResponse:
        """It is no longer handed out; that it was there stays."""
        return self.reply(
            services.withdraw_document(self.actor, case_id, document_id, **self.read())
        )


class Links(CaseAPIView):
    """Other cases that a case points to."""

    @operation("List links", needs=VIEW_CASE, answers=shapes.LinkOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Those that the caller may see."""
        case = self.look(case_id, "links")
        rows = Link.objects.for_actor(self.actor).filter(
            case=case, other__in=Case.objects.for_actor(self.actor)
        )
        return self.page(rows.select_related("other"), AS_WRITTEN)

    @operation(
        "Link a case",
        needs=CHANGE_CASE,
        reads=shapes.LinkInput,
        answers=shapes.LinkOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Both cases say so in their story."""
        given = self.read()
        if not Case.objects.for_actor(self.actor).filter(uuid=given["other"]).exists():
            raise Invalid(errors={"other": [_("There is no such case.")]})
        return self.reply(services.link_cases(self.actor, case_id, **given))


class OneLink(CaseAPIView):
    """One link."""

    @operation("Remove a link", needs=CHANGE_CASE, status=204)
    def delete(self, request: Request, case_id: UUID, link_id: UUID) -> HttpResponse:
        """Both cases say so in their story."""
        services.unlink_cases(self.actor, case_id, link_id)
        return HttpResponse(status=204)


class Participants(CaseAPIView):
    """Citizens who take part in a case."""

    @operation("List participants", needs=VIEW_CASE, answers=shapes.ParticipantOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Those who no longer take part too."""
        case = self.look(case_id, "participants")
        rows = Participant.objects.for_actor(self.actor).select_related("citizen")
        return self.page(rows.filter(case=case), AS_WRITTEN)

    @operation(
        "Add a participant",
        needs=CHANGE_CASE,
        reads=shapes.ParticipantInput,
        answers=shapes.ParticipantOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """In one role; the same citizen may have several."""
        return self.reply(services.add_participant(self.actor, case_id, **self.read()))


class EndParticipant(CaseAPIView):
    """The end of somebody's part."""

    @operation("End a participation", needs=CHANGE_CASE, answers=shapes.ParticipantOutput)
    def post(self, request: Request, case_id: UUID, participant_id: UUID) -> HttpResponse:
        """That they took part stays."""
        self.read()
        return self.reply(services.end_participant(self.actor, case_id, participant_id))


# --- Filtering ----------------------------------------------------------------------------------


def filtered(actor: Actor, rows: CaseQuerySet, given: dict[str, Any]) -> CaseQuerySet:
    """The rows that all the filters let through.

    What a UUID or code names is looked up first, so that the planner knows the ids and takes the
    index that serves them.
    """
    return rows.filter(*(_FILTERS[name](actor, value) for name, value in given.items()))


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


def units_named(actor: Actor, uuids: list[UUID]) -> list[int]:
    """The keys of these units."""
    return _ids(Unit.objects.for_actor(actor).filter(uuid__in=uuids))


# each finds few rows by an index of its own
_LEADING = {"text", "citizen", "assignee", "reference", "external_id"}
_FILTERS: dict[str, Any] = {
    "state": lambda actor, codes: Q(state__in=codes),
    "category": lambda actor, categories: Q(category__in=categories),
    "case_type": lambda actor, codes: Q(
        case_type__in=_ids(CaseType.objects.for_actor(actor).filter(code__in=codes))
    ),
    "unit": lambda actor, uuids: Q(unit__in=units_named(actor, uuids)),
    "assignee": lambda actor, uuid: Q(assignee__in=_ids(User.objects.filter(uuid=uuid))),
    "unassigned": lambda actor, yes: Q(assignee__isnull=yes),
    "citizen": lambda actor, uuid: Q(
        citizen__in=_ids(Citizen.objects.for_actor(actor).known_by(uuid))
    ),
    "channel": lambda actor, channels: Q(channel__in=channels),
    "priority": lambda actor, priorities: Q(priority__in=priorities),
    "due_before": lambda actor, moment: Q(due_at__lt=moment),
    "opened_from": lambda actor, moment: Q(opened_at__gte=moment),
    "opened_before": lambda actor, moment: Q(opened_at__lt=moment),
    "updated_since": lambda actor, moment: Q(updated_at__gte=moment),
    "text": lambda actor, text: Q(search=words_in(text)),
    "reference": lambda actor, reference: Q(reference=reference),
    "source": lambda actor, source: Q(source=source),
    "external_id": lambda actor, external_id: Q(external_id=external_id),
}

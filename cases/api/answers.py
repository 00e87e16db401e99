"""Canned answers and macros by API: which there are, how an answer reads on a case, running a macro;
canned answers also written, published and retired."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from cases import answers as reading
from cases import macros, selectors
from cases.api.views import CaseAPIView
from cases.models import Audience, CannedAnswer
from cases.permissions import CHANGE_CASE, PUBLISH_ARTICLE, VIEW_CASE, WRITE_ARTICLE
from cases.services import answers as writing
from cases.services import macros as verbs
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import (
    Bag,
    Choice,
    Filters,
    Flag,
    Id,
    Input,
    Listing,
    Moment,
    Output,
    Text,
    Whole,
)
from crm.kit.errors import Invalid
from crm.kit.keyset import Order

AnswerStatus = CannedAnswer.Status  # named here so that the schema can name them
SharedWith = Audience
IN_ORDER = Order(("id",))


class AnswerFilters(Filters):
    """Which answers; none that is retired unless asked for."""

    status = Choice(choices=AnswerStatus.choices, required=False)


class OfferFilters(Filters):
    """Which answers fit, and in which language."""

    q = Text(required=False, max_length=60)
    language = Choice(choices=[code for code, _name in settings.LANGUAGES], required=False)


class CannedAnswerOutput(Output):
    """An answer that is usually given."""

    id = Id(source="uuid")
    code = Text()
    name = Text()
    audience = Choice(choices=SharedWith.choices)
    unit = Id(source="unit.uuid", allow_null=True, default=None)
    case_types = Listing(Text())
    states = Listing(Text())
    channels = Listing(Text())
    status = Choice(choices=AnswerStatus.choices)
    texts = Bag(allow_null=True, help_text="By language, as published; null: a draft only.")
    draft = Bag(allow_null=True, help_text="By language, not published yet; null: there is none.")
    uses = Whole()
    last_used_at = Moment(allow_null=True)
    version = Whole()


class AnswerChanges(Input):
    """What an answer says, and where it is offered."""

    code = Text(max_length=40, help_text="By which it is found: « saludo ».")
    name = Text(max_length=120)
    texts = Bag(help_text='By language: {"es": "Hola, ((citizen)):"}. Those that are there go.')
    audience = Choice(choices=SharedWith.choices)
    unit = Id(required=False, allow_null=True, help_text="Of a unit's answer.")
    case_types = Listing(Text(max_length=60), required=False, help_text="None: for all of them.")
    states = Listing(Text(max_length=60), required=False, help_text="None: in every state.")
    channels = Listing(Choice(choices=Channel.choices), required=False)


class NewAnswerInput(AnswerChanges):
    """An answer to be written."""


class UnfilledOutput(Output):
    """A variable of which the case says nothing: it stands in the text and would stop its sending."""

    name = Text()
    label = Text()  # type: ignore[assignment] # a field of that name


class OfferOutput(Output):
    """An answer as it reads on a case."""

    id = Id(source="answer.uuid")
    code = Text(source="answer.code")
    name = Text(source="answer.name")
    language = Text(source="said.language")
    fell_back = Flag(source="said.fell_back", help_text="There is none in the language asked for.")
    text = Text(source="said.text")
    missing = UnfilledOutput(source="said.missing", many=True)
    files = Listing(Text())


class OffersOutput(Output):
    """The answers that fit a case, best first."""

    answers = OfferOutput(many=True)


class MacroOutput(Output):
    """Several acts under one name."""

    id = Id(source="uuid")
    name = Text()
    audience = Choice(choices=SharedWith.choices)
    unit = Id(source="unit.uuid", allow_null=True, default=None)
    case_types = Listing(Text())
    states = Listing(Text())
    steps = Listing(Bag())
    uses = Whole()


class MacroInput(Input):
    """What its steps ask, by their number: {"2": {"outcome": "…", "data": {…}}}."""

    steps = Bag(required=False)


class StepOutput(Output):
    """A step of a macro on a case."""

    number = Whole()
    act = Text()
    label = Text()  # type: ignore[assignment] # a field of that name
    asks = Listing(Text(), help_text="What `steps` must still say of it.")
    refusal = Text(allow_blank=True)
    tried = Flag(help_text="False: a step before it stands in the way.")


class PlanOutput(Output):
    """What running it now would do."""

    steps = StepOutput(many=True)


class RunOutput(Output):
    """A macro was run: its id is that of the batch in the audit trail."""

    id = Id(source="uuid")
    name = Text()
    created_at = Moment()


class CannedAnswers(ActorAPIView):
    """The canned answers that exist for the caller."""

    @operation(
        "List canned answers",
        needs=VIEW_CASE,
        filters=AnswerFilters,
        answers=CannedAnswerOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """The organisation's, its units' and one's own."""
        record(self.actor, "searched", what="answers")
        status = self.filters().get("status")
        rows = reading.answers(self.actor)
        rows = rows.filter(status=status) if status else rows.exclude(status=AnswerStatus.RETIRED)
        return self.page(rows, IN_ORDER, show=_told)

    @operation(
        "Write a canned answer",
        needs=WRITE_ARTICLE,
        reads=NewAnswerInput,
        answers=CannedAnswerOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """As a draft: nobody is offered it before it is published."""
        row = writing.create_answer(self.actor, _said(self.read()))
        place = f"{request.path}{row.uuid}/"
        return self.reply(_now(self.actor, row.uuid), etag=row.version, location=place)


def _said(given: dict[str, Any], now: dict[str, Any] | None = None) -> writing.Answer:
    """What was sent, over what it says now; a unit is named by a unit's answer alone."""
    if any(not isinstance(text, str) for text in given.get("texts", {}).values()):
        raise Invalid(errors={"texts": ['{"es": "…"}']})
    whole = {**(now or {}), **given}
    if given.get("unit") and whole["audience"] != Audience.UNIT:
        raise Invalid(errors={"unit": [_("Only a unit's answer names one.")]})
    return writing.Answer(**whole)


def _told(row: Any) -> Any:
    row.draft = row.newest_texts if row.draft_number else None
    return row


def _now(actor: Actor, answer_id: UUID) -> Any:
    return _told(reading.answers(actor).get_or_refuse(uuid=answer_id))


def _version(actor: Actor, answer_id: UUID) -> int:
    version: int = CannedAnswer.objects.for_actor(actor).get_or_refuse(uuid=answer_id).version
    return version


class OneAnswer(ActorAPIView):
    """One canned answer."""

    versioned = staticmethod(_version)

    @operation("Read a canned answer", needs=VIEW_CASE, answers=CannedAnswerOutput)
    def get(self, request: Request, answer_id: UUID) -> HttpResponse:
        """The ETag is its version."""
        row = _now(self.actor, answer_id)
        record(self.actor, "viewed", row)
        return self.reply(row, etag=row.version)

    @operation(
        "Change a canned answer",
        needs=WRITE_ARTICLE,
        reads=AnswerChanges,
        answers=CannedAnswerOutput,
        problems=(409,),
    )
    def patch(self, request: Request, answer_id: UUID) -> HttpResponse:
        """Only what is sent changes; its words are a draft until they are published."""
        now = asdict(writing.answer_as_given(_now(self.actor, answer_id)))
        row = writing.change_answer(self.actor, answer_id, _said(self.read(), now))
        return self.reply(_now(self.actor, answer_id), etag=row.version)


class PublishAnswer(ActorAPIView):
    """A draft that is offered from now on."""

    @operation(
        "Publish a canned answer",
        needs=PUBLISH_ARTICLE,
        answers=CannedAnswerOutput,
        problems=(409,),
    )
    def post(self, request: Request, answer_id: UUID) -> HttpResponse:
        """409 when there is no draft."""
        self.read()
        row = writing.publish_answer(self.actor, answer_id)
        return self.reply(_now(self.actor, answer_id), etag=row.version)


class RetireAnswer(ActorAPIView):
    """An answer that is offered no more."""

    @operation("Retire a canned answer", needs=PUBLISH_ARTICLE, answers=CannedAnswerOutput)
    def post(self, request: Request, answer_id: UUID) -> HttpResponse:
        """What was written with it stays; its code is free."""
        self.read()
        row = writing.retire_answer(self.actor, answer_id)
        return self.reply(_now(self.actor, answer_id), etag=row.version)


class CaseAnswers(CaseAPIView):
    """The canned answers that fit a case."""

    @operation(
        "List the canned answers for a case",
        needs=CHANGE_CASE,
        filters=OfferFilters,
        answers=OffersOutput,
    )
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """As each reads there, ten at most; without a language in that of the case."""
        self.look(case_id, "answers")
        asked = self.filters()
        case = selectors.case_of(self.actor, case_id)
        found = reading.offered(
            self.actor, case, text=asked.get("q", ""), language=asked.get("language", "")
        )
        return self.reply({"answers": found})


class Macros(ActorAPIView):
    """The macros that exist for the caller."""

    @operation("List macros", needs=VIEW_CASE, answers=MacroOutput, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """The organisation's, its units' and one's own."""
        record(self.actor, "searched", what="macros")
        return self.page(macros.macros(self.actor), IN_ORDER)


class TryMacro(CaseAPIView):
    """A macro looked through on a case."""

    @operation("Try a macro", needs=CHANGE_CASE, reads=MacroInput, answers=PlanOutput)
    def post(self, request: Request, case_id: UUID, macro_id: UUID) -> HttpResponse:
        """What each step would do, asks, or is refused for; nothing is changed."""
        self.look(case_id, "macros")
        extra = _extra(self.read().get("steps") or {})
        return self.reply({"steps": verbs.try_macro(self.actor, case_id, macro_id, extra)})


class RunMacro(CaseAPIView):
    """A macro run on a case."""

    @operation("Run a macro", needs=CHANGE_CASE, reads=MacroInput, answers=RunOutput, status=201)
    def post(self, request: Request, case_id: UUID, macro_id: UUID) -> HttpResponse:
        """All its steps or none: `macro_step_refused` says which one could not be done and why."""
        extra = _extra(self.read().get("steps") or {})
        return self.reply(verbs.run_macro(self.actor, case_id, macro_id, extra))


def _extra(given: dict[str, object]) -> dict[int, dict[str, object]]:
    known: dict[int, dict[str, object]] = {}
    for number, said in given.items():
        place = number.isascii() and number.isdigit() and len(number) <= 2  # of ten at most
        if not (place and isinstance(said, dict)):
            raise Invalid(errors={"steps": ['{"2": {"outcome": "…"}}']})
        for name, value in said.items():
            if not isinstance(value, dict if name == "data" else str):
                raise Invalid(errors={"steps": [f'{number}.{name}: "…"']})
        known[int(number)] = said
    return known

"""What the API of cases reads and answers."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import DateField as Day
from rest_framework.serializers import FileField, IntegerField

from cases.models import (
    Case,
    CaseResult,
    CaseType,
    Confidentiality,
    Document,
    EventKind,
    Link,
    Message,
    StateCategory,
)
from crm.citizens.models import Channel
from crm.kit.api.shapes import (
    Bag,
    Choice,
    Filters,
    Flag,
    FlagParameter,
    Id,
    Input,
    Listing,
    Moment,
    Named,
    Number,
    Output,
    Text,
    Whole,
)
from crm.kit.files import Scan
from crm.kit.query import LONGEST

LONGEST_TEXT = 20_000
LONGEST_DESCRIPTION = 100_000

# --- In -----------------------------------------------------------------------------------------

LinkKind = Link.Kind  # named here so that the schema can name it (settings: ENUM_NAME_OVERRIDES)
MessageDirection = Message.Direction


class CaseFilters(Filters):
    """Which cases; several filters must all hold, several values of one are alternatives."""

    state = Listing(Text(max_length=40), required=False, max_length=20)
    category = Listing(Named(StateCategory), required=False, max_length=6)
    case_type = Listing(Text(max_length=60), required=False, max_length=20, help_text="Codes.")
    unit = Listing(Id(), required=False, max_length=100, help_text="Without their sub-units.")
    assignee = Id(required=False)
    unassigned = FlagParameter(required=False)
    citizen = Id(required=False)
    channel = Listing(Choice(choices=Channel.choices), required=False, max_length=10)
    priority = Listing(Named(Case.Priority), required=False, max_length=4)
    due_before = Moment(required=False, help_text="Those without a due date are never among them.")
    opened_from = Moment(required=False)
    opened_before = Moment(required=False)
    updated_since = Moment(required=False, help_text="To follow changes, `/events/` is better.")
    text = Text(required=False, max_length=200, help_text="Words of subject, description, address.")
    query = Text(
        required=False,
        max_length=LONGEST,
        trim_whitespace=False,
        help_text="An expression, as the box of the list takes it (docs/queries.md).",
    )
    view = Id(required=False, help_text="A saved view: its query, beside the other filters.")
    reference = Text(required=False, max_length=32)
    source = Text(required=False, max_length=60)  # type: ignore[assignment]
    external_id = Text(required=False, max_length=120)


class CaseChanges(Input):
    """What may be edited of a case; the rest changes by its verbs."""

    subject = Text(max_length=240)
    description = Text(required=False, allow_blank=True, max_length=LONGEST_DESCRIPTION)
    citizen = Id(required=False, allow_null=True)
    channel = Choice(choices=Channel.choices)
    priority = Named(Case.Priority, required=False)
    language = Choice(choices=settings.LANGUAGES, required=False)
    address = Text(required=False, allow_blank=True, max_length=300)
    latitude = Number(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = Number(required=False, allow_null=True, min_value=-180, max_value=180)
    data = Bag(required=False, help_text="The case type's own fields.")  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A place has both its coordinates."""
        for given, missing in (("latitude", "longitude"), ("longitude", "latitude")):
            if given in attrs and missing not in attrs:
                raise ValidationError({missing: [_("A place has latitude and longitude.")]})
        return attrs


class CaseEdits(CaseChanges):
    """What changes of a case, and from which version of it."""

    version = Whole(
        required=False, min_value=1, help_text="The version that you began from, for a merge."
    )


class NewCaseInput(CaseChanges):
    """A case to be opened."""

    case_type = Text(max_length=60, help_text="Code of the case type.")
    unit = Id(required=False, help_text="Required unless the caller works in one.")
    assignee = Id(required=False)
    representative = Id(
        required=False,
        help_text="Who applies for the citizen: needs a mandate in force that covers it.",
    )
    confidentiality = Named(Confidentiality, required=False)
    opened_at = Moment(required=False, help_text="Now, unless it was opened elsewhere before.")
    source = Text(  # type: ignore[assignment]
        required=False, max_length=60, help_text="The system that the case comes from."
    )
    external_id = Text(required=False, max_length=120, help_text="Its number there, once.")


class AssignInput(Input):
    """Who is to work on it."""

    assignee = Id()


class MoveInput(Input):
    """Which move of the case type, and what that move asks for."""

    move = Text(max_length=40)
    reason = Text(required=False, allow_blank=True, max_length=LONGEST_TEXT)
    outcome = Text(required=False, allow_blank=True, max_length=240)
    result = Text(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="Code of a result, where the case type has any and work ends.",
    )
    data = Bag(required=False)  # type: ignore[assignment]
    despite_open = Flag(required=False, help_text="Tasks that only warn of an end may stay open.")


class CloseInput(Input):
    """How it ended; without `move`, the first move that ends work from its state is made."""

    move = Text(required=False, max_length=40)
    reason = Text(required=False, allow_blank=True, max_length=LONGEST_TEXT)
    outcome = Text(required=False, allow_blank=True, max_length=240)
    despite_open = Flag(required=False, help_text="Tasks that only warn of an end may stay open.")
    result = Text(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="Code of a result, where the case type has any and work ends.",
    )


class ReasonInput(Input):
    """Why."""

    reason = Text(max_length=LONGEST_TEXT)


class UnitInput(ReasonInput):
    """Which unit is to have it, and why."""

    unit = Id()


class ConfidentialityInput(Input):
    """Who may know of it."""

    confidentiality = Named(Confidentiality)
    reason = Text(required=False, allow_blank=True, max_length=LONGEST_TEXT)


class NoteInput(Input):
    """Internal words."""

    text = Text(max_length=LONGEST_TEXT)


class MessageInput(NoteInput):
    """Public words. Those to the citizen are sent by e-mail unless `channel` says they were said."""

    direction = Choice(choices=Message.Direction.choices, required=False)
    channel = Choice(choices=Channel.choices, required=False)
    author_name = Text(required=False, max_length=200)
    answers = Listing(
        Id(),
        required=False,
        max_length=5,
        help_text="The canned answers that it was written with: their files go along.",
    )
    seen_event = Whole(
        required=False,
        min_value=0,
        help_text="Number of the newest event that you have read: 409 when others answered since.",
    )


class DocumentInput(Input):
    """A file; what it is its content says, not its name."""

    file = FileField(allow_empty_file=False, max_length=200)
    origin = Choice(choices=Document.Origin.choices, required=False)
    confidentiality = Named(Confidentiality, required=False)


class DocumentFilters(Filters):
    """Which documents; several filters must all hold."""

    case = Id(required=False)
    origin = Choice(choices=Document.Origin.choices, required=False)
    scan = Choice(choices=Scan.choices, required=False)
    sha256 = Text(required=False, min_length=64, max_length=64)
    created_since = Moment(required=False)


class LinkInput(Input):
    """Another case, and how the two belong together."""

    other = Id()
    kind = Choice(choices=LinkKind.choices, required=False)


class ParticipantInput(Input):
    """A citizen and their role."""

    citizen = Id()
    role = Text(max_length=20, help_text="One of the case type's roles, or of the usual ones.")


class EventFilters(Filters):
    """From where on, and which."""

    case = Id(required=False)
    kind = Choice(choices=EventKind.choices, required=False)
    after = Text(
        required=False,
        max_length=1000,
        help_text="What `next` of the answer before carries; `now` skips what has been so far.",
    )
    limit = IntegerField(required=False, default=50, min_value=1, max_value=200)


# --- Out ----------------------------------------------------------------------------------------


class CaseOutput(Output):
    """A case as it stands."""

    id = Id(source="uuid")
    reference = Text()
    case_type = Text(source="case_type.code")
    state = Text()
    category = Named(StateCategory)
    unit = Id(source="unit.uuid")
    assignee = Id(source="assignee.uuid", allow_null=True)
    assignee_name = Text(source="assignee.full_name", allow_null=True)
    citizen = Id(source="citizen.uuid", allow_null=True)
    subject = Text()
    description = Text(allow_blank=True)
    priority = Named(Case.Priority)
    confidentiality = Named(Confidentiality)
    channel = Choice(choices=Channel.choices)
    language = Text()
    address = Text(allow_blank=True)
    latitude = Number(allow_null=True)
    longitude = Number(allow_null=True)
    data = Bag()  # type: ignore[assignment]
    outcome = Text(allow_blank=True)
    result = Text(source="result.code", allow_null=True, help_text="How work ended, by its type.")
    source = Text(allow_blank=True)  # type: ignore[assignment]
    external_id = Text(allow_null=True)
    opened_at = Moment()
    due_at = Moment(allow_null=True)
    suspended_on = Day(allow_null=True, help_text="Since when its legal term stands still.")
    closed_at = Moment(allow_null=True)
    updated_at = Moment()
    version = Whole()


class NoteOutput(Output):
    """Internal words on a case."""

    id = Id(source="uuid")
    author_name = Text()
    text = Text(source="body")
    created_at = Moment()
    not_told = Listing(
        Text(), help_text="Right after it was written: whom its @ name in vain, and why."
    )


class MessageOutput(Output):
    """Public words on a case."""

    id = Id(source="uuid")
    direction = Choice(choices=Message.Direction.choices)
    channel = Choice(choices=Channel.choices)
    author_name = Text(allow_blank=True)
    text = Text(source="body")
    state = Choice(choices=Message.State.choices)
    state_reason = Text(allow_blank=True)
    created_at = Moment()
    sent_at = Moment(allow_null=True)


class DocumentOutput(Output):
    """What is known of a file; its bytes are at `/documents/{id}/content/`."""

    id = Id(source="uuid")
    case = Id(source="case.uuid")
    name = Text()
    media_type = Text()
    size = Whole(help_text="Bytes.")
    sha256 = Text()
    scan = Choice(choices=Scan.choices)
    origin = Choice(choices=Document.Origin.choices)
    confidentiality = Named(Confidentiality)
    added_by_name = Text()
    created_at = Moment()
    withdrawn_at = Moment(allow_null=True)
    withdrawn_reason = Text(allow_blank=True)


class LinkOutput(Output):
    """Another case that this one points to."""

    id = Id(source="uuid")
    other = Id(source="other.uuid")
    reference = Text(source="other.reference")
    kind = Choice(choices=LinkKind.choices)


class ParticipantOutput(Output):
    """A citizen's part in a case."""

    id = Id(source="uuid")
    citizen = Id(source="citizen.uuid")
    role = Text(help_text="One of the case type's roles, or of the usual ones.")
    created_at = Moment()
    ended_at = Moment(allow_null=True)


class EventOutput(Output):
    """One dated fact of a case."""

    case = Id(source="case.uuid")
    reference = Text(source="case.reference")
    seq = Whole(help_text="Its number within the case.")
    kind = Choice(choices=EventKind.choices)
    at = Moment()
    actor_kind = Text()
    actor_name = Text(allow_blank=True)
    data = Bag(source="told")  # type: ignore[assignment]


class FeedOutput(Output):
    """What happened since."""

    results = EventOutput(many=True)
    next = Text(help_text="Ask here next time, also when there was nothing.")
    more = Flag(help_text="There is more now.")


class StateOutput(Output):
    """A state in the organisation's own words."""

    code = Text()
    name = Text()
    category = Named(StateCategory)


class MoveOutput(Output):
    """A way from some states to another."""

    code = Text()
    name = Text()
    sources = Listing(Text())
    target = Text()
    permission = Text()
    requires = Listing(Text(), help_text="What it asks for: reason, outcome or fields.")


_BUNDLE = (
    "`states`, `initial`, `moves`, `fields` and `term`, as they are read; and `confidentiality`, `roles`,"
    " `messages`, `results` and `retention` where the type has them."
)


class CaseTypeChanges(Input):
    """What a kind of case is called, and how it is worked."""

    name = Text(max_length=160)
    nature = Choice(choices=CaseType.Nature.choices)
    is_active = Flag(required=False, help_text="Whether new cases are opened.")
    bundle = Bag(help_text=_BUNDLE)


class NewCaseTypeInput(Input):
    """A kind of case with its first definition."""

    code = Text(max_length=60)
    name = Text(max_length=160)
    nature = Choice(choices=CaseType.Nature.choices)
    bundle = Bag(help_text=_BUNDLE)


class CaseTypeFilters(Filters):
    """Which kinds of cases; several filters must all hold."""

    code = Text(required=False, max_length=60)
    nature = Choice(choices=CaseType.Nature.choices, required=False)
    is_active = FlagParameter(required=False, help_text="Only those in use, or only the others.")


class RoleOutput(Output):
    """As what people take part in cases of a type."""

    code = Text()
    name = Text()
    most = Whole(allow_null=True, help_text="How many at the same time; null: any number.")


class ResultOutput(Output):
    """How work may end, and what becomes of the file then."""

    code = Text()
    name = Text()
    nomination = Choice(choices=CaseResult.Nomination.choices)
    term = Text(help_text="For how long the file is kept in any case, such as 5y.")


class CaseTypeOutput(Output):
    """A kind of case and, when it is published, how it is worked."""

    id = Id(source="row.uuid")
    code = Text(source="row.code")
    name = Text(source="row.name")
    nature = Choice(source="row.nature", choices=CaseType.Nature.choices)
    is_active = Flag(source="row.is_active")
    version = Whole(allow_null=True, help_text="Of the published definition.")
    initial = Text(source="workflow.initial", allow_null=True)
    states = StateOutput(many=True)
    moves = MoveOutput(many=True)
    fields = Bag(  # type: ignore[assignment]
        source="schema", help_text="JSON Schema of the case's `data`."
    )
    term = Text(source="workflow.term", allow_null=True, help_text="Such as 30wd, 15d, 3m or 1y.")
    confidentiality = Named(
        Confidentiality,
        source="workflow.confidentiality",
        allow_null=True,
        help_text="Of new cases, unless they say otherwise.",
    )
    roles = RoleOutput(many=True)
    results = ResultOutput(many=True)

"""What the API of interactions reads and answers."""

from django.conf import settings

from channels_app.models import Author, Conversation, Delivery, Direction, RecordedKind, State
from crm.citizens.models import Channel
from crm.kit.api.shapes import (
    Choice,
    Filters,
    Id,
    Input,
    Listing,
    Moment,
    Named,
    Output,
    Text,
    Whole,
)
from crm.kit.files import Scan

InteractionState = State  # named here so that the schema can name them
InteractionDirection = Direction
InteractionAuthor = Author
InteractionEndedBy = Conversation.EndedBy
MOST_MESSAGES = 200
LONGEST_TEXT = 20_000


class InteractionFilters(Filters):
    """Which interactions; several filters must all hold, several values of one are alternatives."""

    citizen = Id(required=False)
    case = Id(required=False)
    channel = Listing(Choice(choices=Channel.choices), required=False, max_length=10)
    state = Listing(Choice(choices=InteractionState.choices), required=False, max_length=5)
    unit = Listing(Id(), required=False, max_length=100, help_text="Without their sub-units.")
    opened_from = Moment(required=False)
    opened_before = Moment(required=False)


class NewWordsInput(Input):
    """Something that was said, or a note of it."""

    direction = Choice(choices=InteractionDirection.choices, help_text="`internal` is a note.")
    text = Text(max_length=LONGEST_TEXT)
    at = Moment(required=False, help_text="When it began, unless said otherwise.")
    author_name = Text(required=False, allow_blank=True, max_length=200)


class NewInteractionInput(Input):
    """A conversation that was held elsewhere and has ended."""

    channel = Choice(choices=RecordedKind.choices)
    started_at = Moment()
    ended_at = Moment()
    messages = Listing(NewWordsInput(), min_length=1, max_length=MOST_MESSAGES)
    subject = Text(required=False, allow_blank=True, max_length=240)
    unit = Id(required=False, help_text="The case's unit, else the organisation's first.")
    citizen = Id(required=False)
    case = Id(required=False, help_text="In whose story it stands, too.")
    contact_name = Text(required=False, allow_blank=True, max_length=150)
    contact_address = Text(required=False, allow_blank=True, max_length=254)
    language = Choice(choices=settings.LANGUAGES, required=False)
    source = Text(  # type: ignore[assignment]
        required=False, max_length=60, help_text="The system that it was held in."
    )
    external_id = Text(required=False, max_length=120, help_text="Its number there, once.")


class LinkInteractionInput(Input):
    """To which case it belongs."""

    case = Id()


class InteractionOutput(Output):
    """A conversation with a citizen; what was said in it is at `messages/`."""

    id = Id(source="uuid")
    channel = Choice(source="account.channel", choices=Channel.choices)
    account = Text(source="account.code")
    state = Choice(choices=InteractionState.choices)
    unit = Id(source="unit.uuid")
    queue = Text(source="queue.code", allow_null=True)
    owner = Id(source="owner.uuid", allow_null=True)
    owner_name = Text(source="owner.full_name", allow_null=True)
    citizen = Id(source="citizen.uuid", allow_null=True)
    contact_name = Text(source="shown_name", allow_blank=True)
    contact_address = Text(source="shown_address", allow_blank=True)
    cases = Listing(Id(), source="case_ids", max_length=1_000)
    subject = Text(allow_blank=True)
    language = Text()
    opened_at = Moment()
    answered_at = Moment(allow_null=True)
    last_message_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)
    ended_by = Choice(choices=InteractionEndedBy.choices, allow_blank=True)
    closed_at = Moment(allow_null=True)
    wrap_up_code = Text(source="wrap_up_code.code", allow_null=True)
    message_count = Whole(source="last_number")
    version = Whole()


class InteractionFileOutput(Output):
    """A file that was sent in it."""

    name = Text()
    media_type = Text()
    size = Whole(help_text="Bytes.")
    sha256 = Text()
    scan = Choice(choices=Scan.choices)


class InteractionMessageOutput(Output):
    """Words of an interaction."""

    id = Id(source="uuid")
    number = Whole()
    at = Moment()
    direction = Choice(choices=InteractionDirection.choices)
    author_kind = Choice(choices=InteractionAuthor.choices)
    author_name = Text(source="shown_author", allow_blank=True)
    subject = Text(allow_blank=True)
    text = Text(source="body", allow_blank=True)
    state = Named(Delivery)
    files = InteractionFileOutput(many=True, source="sent_files")

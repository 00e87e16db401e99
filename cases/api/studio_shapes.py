"""What is sent and answered where case types are designed."""

from rest_framework.serializers import DictField, IntegerField, JSONField

from cases.models import CaseTypeVersion, VersionMigration
from cases.type_texts import LONGEST
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
    Output,
    Text,
    Whole,
)

# --- In -----------------------------------------------------------------------------------------


class NewDraftInput(Input):
    """From which version."""

    version = Whole(required=False, min_value=1, help_text="The newest where it is not said.")


class DraftChanges(Input):
    """What the draft says now."""

    bundle = Bag(help_text="Whole: what is not there is not kept.")
    seen = Text(
        required=False,
        max_length=16,
        help_text="`seen` of the draft that was read: 409 when it is another by now.",
    )


class PublishInput(Input):
    """What is to come into force."""

    seen = Text(required=False, max_length=16, help_text="`seen` of the draft that was read.")
    despite = Flag(required=False, help_text="Also despite problems that do not block.")


class TextFilters(Filters):
    """Which version; the newest that was published where nothing is said."""

    version = IntegerField(required=False, min_value=1)
    draft = FlagParameter(required=False)


class ImportInput(Input):
    """A text, and what becomes of it."""

    text = Text(max_length=LONGEST, trim_whitespace=False)
    publish = Flag(required=False, help_text="Put it into force at once.")
    despite = Flag(required=False, help_text="Also despite problems that do not block.")


class TryImportInput(Input):
    """A text that is only looked at."""

    text = Text(max_length=LONGEST, trim_whitespace=False)


class DifferenceFilters(Filters):
    """Between which versions."""

    before = IntegerField(min_value=1)
    after = IntegerField(required=False, min_value=1, help_text="The draft where it is not said.")


class MigrationInput(Input):
    """From which version to which, and what becomes of what is called otherwise there."""

    source = Whole(min_value=1)  # type: ignore[assignment]
    target = Whole(min_value=1)
    states = Bag(required=False, help_text="Old state → new state, of those called otherwise.")
    fields = Bag(  # type: ignore[assignment]
        required=False, help_text="Old field → new field; null leaves what it says behind."
    )
    fill = Bag(required=False, help_text="New field → what it says where nobody has said anything.")


class Definition(DictField):
    """A bundle as it stands, whatever is in it."""

    child = JSONField()


# --- Out ----------------------------------------------------------------------------------------


class ProblemOutput(Output):
    """Something wrong with a definition."""

    where = Text(allow_blank=True, help_text="Its place, such as `moves[2].to`.")
    message = Text()
    blocks = Flag(help_text="Whether it cannot be published despite it.")


class DraftOutput(Output):
    """A draft, as it stands."""

    bundle = Definition(source="row.bundle")
    made_from = Whole(source="row.made_from.number", allow_null=True)
    changed_by = Text(source="row.changed_by_name")
    changed_at = Moment(source="row.updated_at")
    seen = Text()
    problems = ProblemOutput(many=True)


class VersionOutput(Output):
    """A version that was published."""

    number = Whole()
    status = Choice(choices=CaseTypeVersion.Status.choices)
    published_at = Moment()
    retired_at = Moment(allow_null=True)
    published_by = Text(source="changed_by_name")


class TextOutput(Output):
    """A case type as text."""

    text = Text()


class ChangeOutput(Output):
    """One difference."""

    where = Text(help_text="Its place, such as `moves.resolve.name`.")
    kind = Choice(choices=[("added", "added"), ("removed", "removed"), ("changed", "changed")])
    words = Text()


class DifferencesOutput(Output):
    """Everything that differs."""

    changes = ChangeOutput(many=True)


class LocatedOutput(Output):
    """Something wrong with a text, at its line, column and word; 0 and empty: with all of it."""

    where = Text(allow_blank=True, source="problem.where", help_text="Such as `moves[2].to`.")
    message = Text(source="problem.message")
    blocks = Flag(source="problem.blocks", help_text="Whether it cannot be published despite it.")
    line = Whole()
    column = Whole()
    word = Text(allow_blank=True)


class PreviewOutput(Output):
    """What importing a text would do."""

    code = Text(source="said.code")
    name = Text(source="said.name")
    known = Flag(help_text="Whether there is a type of that code already.")
    changes = ChangeOutput(many=True, help_text="Against its newest version.")
    problems = LocatedOutput(many=True)
    replaces_draft = Flag()


class StateCountOutput(Output):
    """The open cases in a state, and where they would go."""

    code = Text()
    name = Text()
    cases = Whole()
    target = Text(allow_blank=True, help_text="Empty: the state has no counterpart.")


class CaseRefusalOutput(Output):
    """A case that stays, and why."""

    reference = Text()
    reason = Text()


class DryRunOutput(Output):
    """What a migration would do."""

    total = Whole(source="dry.total")
    states = StateCountOutput(source="dry.states", many=True)
    fields_without_counterpart = Listing(Text(), source="dry.fields_without_counterpart")
    looked_at = Whole(source="dry.looked_at")
    refusals = CaseRefusalOutput(many=True)


class MigrationOutput(Output):
    """Open cases on their way to another version."""

    id = Id(source="uuid")
    source = Whole(source="source.number")  # type: ignore[assignment]
    target = Whole(source="target.number")
    status = Choice(choices=VersionMigration.Status.choices)
    total = Whole()
    done = Whole()
    refused = Whole()
    created_at = Moment()


class OneMigrationOutput(Output):
    """A migration with what stayed."""

    migration = MigrationOutput(source="row")
    refusals = CaseRefusalOutput(many=True)

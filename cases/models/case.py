"""The case and what belongs to it: participants, events, notes, messages, documents, links."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self, TypeVar

import pghistory
import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from cases.models.catalogue import CaseType, CaseTypeVersion, StateCategory
from cases.permissions import SPECIALLY_PROTECTED, VIEW_CASE, VIEW_SPECIAL
from crm.audit.models import CurrentTransaction
from crm.citizens.models import Channel, Citizen
from crm.kit.actor import Actor, Attended, Kind
from crm.kit.files import PREVIEWED, Scan
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet

# A case without a due date sorts last: psycopg refuses 'infinity' and NULL breaks row comparison.
FAR = datetime(9999, 12, 30, tzinfo=UTC)
# the state of a case that another organisation has now; no case type can have a code like this
TRANSFERRED = "-transferred"


class Confidentiality(models.IntegerChoices):
    """Who may know of a case or document, from anyone to very few."""

    PUBLIC = 0, _("Public")
    INTERNAL = 1, _("Internal")
    CONFIDENTIAL = 2, _("Confidential")
    SPECIAL = SPECIALLY_PROTECTED, _("Specially protected")


class CaseQuerySet(ScopedQuerySet["Case"]):
    """Cases by organisation, by the units where the actor may see them, and by confidentiality."""

    def for_actor(self, actor: Actor) -> "CaseQuerySet":
        """Those that exist for the actor: without the permission anywhere, none.

        Of what was transferred to another organisation only the transfer exists (CaseTransfer); the
        system itself still finds the case, to tell its citizen where it is.
        """
        rows = self.filter(organisation=actor.organisation_id)
        if actor.kind is not Kind.SYSTEM:
            rows = rows.exclude(state=TRANSFERRED)
        reach = actor.reach(VIEW_CASE)
        if not reach:
            return rows.none()
        if not reach.everywhere:
            rows = rows.filter(unit_id__in=sorted(reach.units))
        return rows.disclosed_to(actor)

    def of_unit_around(self, actor: Actor) -> "CaseQuerySet":
        """Those of the unit `u.id` of the query around that may be disclosed to the actor.

        For lists that merge units, which name only units within the actor's reach: said twice, the
        planner takes the organisation's index and looks through other units' rows.
        """
        rows = self.filter(unit_id=RawSQL("u.id", ())).exclude(state=TRANSFERRED)
        return rows.disclosed_to(actor)

    def disclosed_to(self, actor: Actor) -> "CaseQuerySet":
        """Without the specially protected ones, where the actor may not see such; of whom they attend in
        another's name only what may be told."""
        rows = self
        for attended in actor.attends:
            rows = rows.told_to(attended)
        special = actor.reach(VIEW_SPECIAL)
        if special.everywhere:
            return rows
        if not special:
            return rows.exclude(confidentiality=Confidentiality.SPECIAL)
        return rows.filter(
            ~Q(confidentiality=Confidentiality.SPECIAL) | Q(unit_id__in=sorted(special.units))
        )

    def told_to(self, attended: Attended) -> "CaseQuerySet":
        """Without those of the one spoken for that may not be told to who speaks for them."""
        rows = self.filter(citizen=attended.subject) if attended.alone else self
        if attended.everything:
            return rows
        if attended.refusal:
            return rows.exclude(citizen=attended.subject)
        return rows.exclude(Q(citizen=attended.subject) & ~Q(pk__in=self.model.within(attended)))


# last_event moves with every note: its own events are that history
@pghistory.track(exclude=["search", "due_sort", "last_event"])
class Case(Owned):
    """One matter of a citizen as attended by one organisation, whatever the channel."""

    class Priority(models.IntegerChoices):
        """How soon it asks for attention."""

        LOW = 0, _("Low")
        NORMAL = 1, _("Normal")
        HIGH = 2, _("High")
        URGENT = 3, _("Urgent")

    reference = models.CharField(_("case number"), max_length=32)  # CODE-YYYY-NNNNNNN
    # no key gets an index of its own: those below begin with the keys that lists look for, and every
    # index makes each of a million inserts dearer
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    case_type = models.ForeignKey(
        CaseType, on_delete=models.PROTECT, related_name="cases", db_index=False
    )
    type_version = models.ForeignKey(
        CaseTypeVersion, on_delete=models.PROTECT, related_name="cases", db_index=False
    )
    state = models.CharField(max_length=40)  # code of a state of the version's bundle
    category = models.SmallIntegerField(choices=StateCategory, default=StateCategory.NEW)
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="cases", db_index=False
    )
    assignee = models.ForeignKey(
        "accounts.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        db_index=False,
    )
    citizen = models.ForeignKey(
        Citizen,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        db_index=False,
    )
    subject = models.CharField(_("subject"), max_length=240)
    description = models.TextField(_("description"), blank=True)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL)
    confidentiality = models.SmallIntegerField(
        choices=Confidentiality, default=Confidentiality.INTERNAL
    )
    channel = models.CharField(_("channel"), max_length=12, choices=Channel)
    language = models.CharField(max_length=16, default="es")
    address = models.CharField(_("address"), max_length=300, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)  # the case type's own fields
    outcome = models.CharField(_("outcome"), max_length=240, blank=True)
    source = models.CharField(max_length=60, blank=True)  # system that the case came from
    external_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001 - NULL: not from elsewhere
    opened_at = models.DateTimeField(_("opened"))
    due_at = models.DateTimeField(_("due date"), null=True, blank=True)
    # kept by a trigger of ClockInterval: since when its legal term stands still
    suspended_on = models.DateField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)  # when work ended: resolved or closed
    version = models.PositiveIntegerField(default=1)  # for conditional updates (If-Match)
    last_event = models.PositiveIntegerField(default=0)  # number of its newest event
    due_sort = models.GeneratedField(
        expression=Coalesce("due_at", models.Value(FAR)),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    search = models.GeneratedField(
        expression=SearchVector("subject", "description", "address", config="es"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    @classmethod
    def within(cls, attended: Attended) -> CaseQuerySet:
        """The cases of the one spoken for that the codes of a mandate reach: of a matter, its case type;
        of a procedure, what was applied for by it, and what was opened otherwise of its case type."""
        rows = CaseQuerySet(cls).filter(citizen=attended.subject)
        matters = attended.codes.get("matter", frozenset())
        procedures = attended.codes.get("procedure", frozenset())
        kinds = CaseType.objects.unscoped("of one citizen's cases").filter(
            procedures__code__in=procedures
        )
        return rows.filter(
            Q(case_type__code__in=matters)
            | Q(application__procedure__code__in=procedures)
            | Q(application=None, case_type__in=kinds)
        )

    told = False  # whether what was done with this very object stands in its story

    objects = CaseQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        # which list each index serves: data-and-speed.md 1.3. Categories below 4 are open work.
        indexes = [
            models.Index(fields=["organisation", "-opened_at", "-id"], name="case_new"),
            models.Index(
                fields=["organisation", "case_type", "-opened_at", "-id"], name="case_type_new"
            ),
            models.Index(fields=["unit", "-opened_at", "-id"], name="case_unit_new"),
            models.Index(fields=["citizen", "-opened_at"], name="case_citizen"),
            models.Index(
                fields=["organisation", "due_sort", "id"],
                condition=Q(category__lt=4),
                name="case_due",
            ),
            models.Index(
                fields=["unit", "due_sort", "id"], condition=Q(category__lt=4), name="case_unit_due"
            ),
            models.Index(
                fields=["unit", "due_sort", "id"],
                condition=Q(category__lt=4, assignee=None),
                name="case_unit_free",
            ),
            models.Index(
                fields=["assignee", "due_sort", "id"], condition=Q(category__lt=4), name="case_mine"
            ),
            models.Index(
                fields=["unit", "-closed_at", "-id"],
                condition=Q(category__gte=4),
                name="case_unit_closed",
            ),
            GinIndex(fields=["search"], name="case_search"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "reference"], name="case_reference_once_per_organisation"
            ),
            models.UniqueConstraint(
                fields=["organisation", "source", "external_id"],
                condition=Q(external_id__isnull=False),
                name="case_from_elsewhere_once",
            ),
            models.CheckConstraint(
                condition=Q(category__gte=4, closed_at__isnull=False)
                | Q(category__lt=4, closed_at=None),
                name="case_ended_iff_dated",
            ),
            models.CheckConstraint(condition=~Q(subject=""), name="case_has_a_subject"),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="case_place_is_on_earth",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(  # units that merge move their cases by the hundred thousand
                name="service_clock_unit",
                operation=pgtrigger.UpdateOf("unit_id"),  # type: ignore[no-untyped-call]
                when=pgtrigger.After,
                condition=pgtrigger.Q(old__unit__df=pgtrigger.F("new__unit")),
                func=(
                    "UPDATE cases_serviceclock SET unit_id = NEW.unit_id WHERE case_id = NEW.id;"
                    " RETURN NULL;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def ended(self) -> bool:
        """Whether work on it has ended."""
        return self.category >= StateCategory.RESOLVED


M = TypeVar("M", bound=models.Model)


class ThroughCase(ScopedQuerySet[M]):
    """Rows that exist for an actor when their case does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the cases that exist for the actor."""
        return self.filter(case__in=Case.objects.for_actor(actor))


class DocumentQuerySet(ScopedQuerySet["Document"]):
    """Documents by their case and by their own confidentiality."""

    def for_actor(self, actor: Actor) -> "DocumentQuerySet":
        """Those of the actor's cases; specially protected ones only where it may see such."""
        rows = self.filter(case__in=Case.objects.for_actor(actor))
        special = actor.reach(VIEW_SPECIAL)
        if special.everywhere:
            return rows
        return rows.filter(
            ~Q(confidentiality=Confidentiality.SPECIAL) | Q(case__unit_id__in=sorted(special.units))
        )


class ReferenceCounter(models.Model):
    """The next case number of an organisation in a year; taken last, so that none is left out."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    year = models.SmallIntegerField()
    next = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "year"], name="reference_counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.year}: {self.next}"


class Participant(Base):
    """A citizen with a role in a case."""

    class Role(models.TextChoices):
        """As what the citizen takes part."""

        INTERESTED_PARTY = "interested_party", _("Interested party")
        APPLICANT = "applicant", _("Applicant")
        REPRESENTATIVE = "representative", _("Representative")
        WITNESS = "witness", _("Witness")
        OTHER = "other", _("Other")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="participants")
    citizen = models.ForeignKey(Citizen, on_delete=models.PROTECT, related_name="participations")
    role = models.CharField(max_length=20, choices=Role, default=Role.INTERESTED_PARTY)
    ended_at = models.DateTimeField(null=True, blank=True)

    called = ""  # what the case's type calls the role, where somebody has looked

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("participant")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "citizen", "role"],
                condition=Q(ended_at=None),
                name="participant_once_per_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}"


class EventKind(models.TextChoices):
    """What may become true of a case. `imported` is written by bulk loads, the rest by verbs."""

    OPENED = "opened", _("Opened")
    IMPORTED = "imported", _("Imported")
    EDITED = "edited", _("Edited")
    ASSIGNED = "assigned", _("Assigned")
    RELEASED = "released", _("Returned to the queue")
    MOVED = "moved", _("Moved")
    UNIT_CHANGED = "unit_changed", _("Unit changed")
    CONFIDENTIALITY_CHANGED = "confidentiality_changed", _("Confidentiality changed")
    NOTED = "noted", _("Internal note")
    MESSAGED = "messaged", _("Message")
    ATTACHED = "attached", _("Document added")
    WITHDRAWN = "withdrawn", _("Document withdrawn")
    LINKED = "linked", _("Case linked")
    UNLINKED = "unlinked", _("Case unlinked")
    PARTICIPANT_ADDED = "participant_added", _("Participant added")
    PARTICIPANT_ENDED = "participant_ended", _("Participant withdrawn")
    CLOCK_SUSPENDED = "clock_suspended", _("Legal deadline suspended")
    CLOCK_RESUMED = "clock_resumed", _("Legal deadline resumed")
    CLOCK_EXTENDED = "clock_extended", _("Legal deadline extended")
    CLOCK_RECOMPUTED = "clock_recomputed", _("Legal deadline recomputed")
    TARGET_WARNED = "target_warned", _("Service target in danger")
    TARGET_BREACHED = "target_breached", _("Service target missed")
    TARGET_RECOMPUTED = "target_recomputed", _("Service target recomputed")
    INFORMED = "informed", _("Information letter sent")
    PAPERS_REQUESTED = "papers_requested", _("Papers requested")
    PAPERS_ENDED = "papers_ended", _("Request for papers ended")
    TASK_ADDED = "task_added", _("Task added")
    TASK_CHANGED = "task_changed", _("Task changed")
    TASK_DONE = "task_done", _("Task done")
    TASK_APPROVED = "task_approved", _("Task approved")
    TASK_REJECTED = "task_rejected", _("Task not approved")
    TASK_CANCELLED = "task_cancelled", _("Task cancelled")
    TASK_REOPENED = "task_reopened", _("Task taken up again")
    PAPER_TICKED = "paper_ticked", _("Paper of the checklist")
    MIGRATED = "migrated", _("Taken to another version of its type")
    TRANSFER_OFFERED = "transfer_offered", _("Transfer offered")
    TRANSFER_RETURNED = "transfer_returned", _("Transfer returned")
    TRANSFER_REFUSED = "transfer_refused", _("Transfer refused")
    TRANSFER_EXPIRED = "transfer_expired", _("Transfer expired")
    TRANSFER_WITHDRAWN = "transfer_withdrawn", _("Transfer withdrawn")
    TRANSFERRED = "transferred", _("Transferred to another organisation")
    RECEIVED = "received", _("Received from another organisation")
    CONSULTED = "consulted", _("Question to another area")
    CONSULTATION_SAID = "consultation_said", _("Words on a question")
    CONSULTATION_ANSWERED = "consultation_answered", _("Question answered")
    CONSULTATION_DECLINED = "consultation_declined", _("Question declined")
    CONSULTATION_EXTENDED = "consultation_extended", _("More time to answer")
    CONSULTATION_WITHDRAWN = "consultation_withdrawn", _("Question withdrawn")
    MERGED = "merged", _("Merged into another case")
    MERGED_IN = "merged_in", _("Another case merged into it")
    UNMERGED = "unmerged", _("Merge taken back")
    SPLIT = "split", _("Split")
    SPLIT_FROM = "split_from", _("Split off from another case")
    MACRO_RUN = "macro_run", _("Macro run")
    FROZEN = "frozen", _("Answer of another system kept")


class Event(models.Model):
    """One dated fact of a case, numbered within it; append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    # the writing transaction: what is read by it, up to the oldest that runs, misses nothing
    tx = models.BigIntegerField(editable=False, db_default=CurrentTransaction())
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events", db_index=False)
    # its case's own key holds the organisation; asked at every event again, a load takes a tenth longer
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    seq = models.IntegerField()
    kind = models.CharField(max_length=40, choices=EventKind)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    on_behalf_of = models.CharField(max_length=200, db_default="", default="")
    data = models.JSONField(default=dict)

    objects = ThroughCase.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="event_number_once")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        indexes = [
            models.Index(fields=["organisation", "tx", "id"], name="event_feed"),
            # what somebody did, and what was done in a time: cases.query asks for it
            models.Index(
                fields=["organisation", "actor_id", "at"],
                condition=Q(actor_kind="user"),
                name="event_by",
            ),
            models.Index(fields=["organisation", "kind", "at"], name="event_when"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.seq}"


class Note(Base):
    """Internal words on a case: they never reach the citizen nor leave the organisation."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes", db_index=False)
    author = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    author_name = models.CharField(max_length=200)
    body = models.TextField()

    not_told: Sequence[str] = ()  # right after it was written: whom it names in vain, and why

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("internal note")
        constraints = [models.CheckConstraint(condition=~Q(body=""), name="note_says_something")]
        indexes = [models.Index(fields=["case", "-created_at"], name="note_of_case")]

    def __str__(self) -> str:
        return f"{self.case}"


class Message(Base):
    """Public words between the citizen and the organisation on a case."""

    class Direction(models.TextChoices):
        """Who wrote to whom."""

        IN = "in", _("From the citizen")
        OUT = "out", _("To the citizen")

    class State(models.TextChoices):
        """Of its delivery; only moves forward."""

        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Not delivered")
        UNKNOWN = "unknown", _("Perhaps delivered")  # the sending broke off half way
        RECORDED = "recorded", _("Recorded")  # nothing to deliver: said or received elsewhere

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    direction = models.CharField(max_length=3, choices=Direction)
    channel = models.CharField(max_length=12, choices=Channel)
    address = models.CharField(max_length=300, blank=True)  # where it went or came from
    author = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    author_name = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State)
    state_reason = models.CharField(max_length=240, blank=True)
    sent_at = models.DateTimeField(null=True)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("message")
        constraints = [models.CheckConstraint(condition=~Q(body=""), name="message_says_something")]
        indexes = [models.Index(fields=["case", "-created_at"], name="message_of_case")]

    def __str__(self) -> str:
        return f"{self.case}"


class Document(Owned):
    """A file of a case, kept by its digest; it is served only when it is clean."""

    class Origin(models.TextChoices):
        """Who brought it."""

        CITIZEN = "citizen", _("Citizen")
        ADMINISTRATION = "administration", _("Administration")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, related_name="documents", db_index=False
    )
    name = models.CharField(_("name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    scan = models.CharField(max_length=12, choices=Scan)
    origin = models.CharField(max_length=14, choices=Origin)
    confidentiality = models.SmallIntegerField(
        choices=Confidentiality, default=Confidentiality.INTERNAL
    )
    added_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    added_by_name = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=240, blank=True)

    objects = DocumentQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("document")
        indexes = [
            models.Index(fields=["sha256"], name="document_digest"),
            models.Index(fields=["case", "-created_at"], name="document_of_case"),
            # the scanner's second look
            models.Index(
                fields=["sha256"], condition=Q(scan=Scan.UNAVAILABLE), name="document_unscanned"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_has_a_digest"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where crm.kit.files keeps its bytes."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"

    @property
    def has_preview(self) -> bool:
        """Whether a picture of it can be shown."""
        return Scan(self.scan).downloadable and self.media_type in PREVIEWED


class Link(Base):
    """Two cases that have to do with each other."""

    class Kind(models.TextChoices):
        """How they do."""

        RELATED = "related", _("Related")
        DUPLICATE = "duplicate", _("Duplicate of")
        PARENT = "parent", _("Part of")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links", db_index=False)
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links_back")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.RELATED)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("link")
        constraints = [
            models.UniqueConstraint(fields=["case", "other"], name="link_once"),
            models.CheckConstraint(condition=~Q(case=F("other")), name="link_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}"

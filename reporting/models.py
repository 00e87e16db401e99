"""Documents that the installation issues (sealed case histories), and the facts its figures are counted from."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Participant
from cases.permissions import VIEW_CASE, VIEW_SPECIAL
from channels_app.models import ConversationCase
from channels_app.permissions import VIEW_CONVERSATION
from crm.citizens.models import Channel, Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_CITIZEN, VIEW_PROTECTED
from crm.kit.actor import Actor
from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet
from reporting.permissions import VIEW_REPORT


class Variant(models.TextChoices):
    """How much of a case a history tells."""

    FULL = "full", _("Full")
    CITIZEN = "citizen", _("For the citizen")
    REDACTED = "redacted", _("With hidden data")


class Status(models.TextChoices):
    """Of the making of a document."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being made")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")


class Work(Owned):
    """Something that a worker makes under a lease: who asked for it, and how far it has come.

    `attempts` is also the fence: a worker that lost its lease finishes nothing.
    """

    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    error = models.CharField(max_length=40, blank=True)  # a code: reporting.failures has its words
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=200)
    lease_until = models.DateTimeField(null=True)  # queued: not before; running: given back after
    attempts = models.SmallIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in (Status.DONE, Status.FAILED)


class IssuedHistoryQuerySet(ScopedQuerySet["IssuedHistory"]):
    """Histories by their case or person, and by whether what they tell is specially protected."""

    def for_actor(self, actor: Actor) -> "IssuedHistoryQuerySet":
        """Those of the actor's cases; with specially protected documents only where it may see such.

        A person's history holds what its asker may see: it exists for them, and for who sees all.
        """
        of_cases = Q(case__in=Case.objects.for_actor(actor))
        of_people = Q(case=None, organisation=actor.organisation_id, citizen__in=_to_open(actor))
        if not all(actor.reach(permission).everywhere for permission in _SEES_ALL):
            of_people &= Q(requested_by=actor.user_id) if actor.user_id else Q(pk__in=[])
        if not actor.holds(VIEW_PROTECTED):  # such a history has their name whole
            of_cases &= Q(variant=Variant.REDACTED) | ~Q(case__in=cases_of_protected(actor))
            of_people &= Q(variant=Variant.REDACTED) | ~beside_protected(actor)
        special = actor.reach(VIEW_SPECIAL)
        if not special.everywhere:
            of_cases &= Q(special=False) | Q(case__unit_id__in=sorted(special.units))
        if not special:
            of_people &= Q(special=False)
        return self.filter(of_cases | of_people)


_SEES_ALL = (VIEW_CASE, VIEW_SPECIAL, VIEW_CONVERSATION)


def cases_of_protected(actor: Actor) -> "models.QuerySet[Case]":
    """The cases of people, or with people in them or in their conversations, who are protected here."""
    records = CitizenRecord.objects.for_actor(actor).filter(protected=True)
    hidden = records.values("citizen")
    part = Participant.objects.for_actor(actor).filter(citizen__in=hidden)
    talks = ConversationCase.objects.unscoped("of cases of the actor")
    talks = talks.filter(conversation__citizen__in=hidden)
    cases = Case.objects.for_actor(actor)
    named = Q(pk__in=part.values("case")) | Q(pk__in=talks.values("case"))
    return cases.filter(Q(citizen__in=hidden) | named)


def beside_protected(actor: Actor) -> Q:
    """Of rows with a citizen those of people in whose cases somebody is protected here."""
    cases = cases_of_protected(actor)
    part = Participant.objects.for_actor(actor).filter(case__in=cases)
    owners = cases.filter(citizen__isnull=False)  # NOT IN a list with NULL is never true
    return Q(citizen__in=owners.values("citizen")) | Q(citizen__in=part.values("citizen"))


def _to_open(actor: Actor) -> "models.QuerySet[CitizenRecord, int]":
    """The citizens whose record here the actor may open."""
    records = CitizenRecord.objects.for_actor(actor)
    if not actor.holds(VIEW_CITIZEN):
        records = records.none()
    if not actor.holds(VIEW_PROTECTED):
        records = records.filter(protected=False)
    return records.values_list("citizen", flat=True)


class IssuedHistory(Work):
    """The history of a case or of a person: asked for, made by a worker, sealed, kept by its digest,
    verifiable by code.

    `content` is what it tells, kept from the asking until the document is made, so that a worker
    that dies in between changes nothing.
    """

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="histories"
    )
    citizen = models.ForeignKey(
        Citizen, on_delete=models.PROTECT, null=True, blank=True, related_name="histories"
    )
    variant = models.CharField(max_length=10, choices=Variant)
    language = models.CharField(max_length=16, default="es")
    code = models.CharField(max_length=40, unique=True)  # the CSV, normalised
    fingerprint = models.CharField(max_length=64)  # of the content that it tells
    content = models.JSONField(null=True)
    special = models.BooleanField(default=False)  # names specially protected documents
    sha256 = models.CharField(max_length=64, blank=True)  # of the exact bytes issued
    size = models.BigIntegerField(default=0)
    pages = models.IntegerField(default=0)
    seal_level = models.CharField(max_length=10, blank=True)
    timestamp_missing = models.BooleanField(default=False)  # asked for, and nobody gave it
    signer = models.CharField(max_length=200, blank=True)
    issued_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=240, blank=True)

    objects = IssuedHistoryQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("case history")
        verbose_name_plural = _("case histories")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "fingerprint"],
                condition=Q(revoked_at=None),
                name="history_once_while_unchanged",
            ),
            models.UniqueConstraint(
                fields=["citizen", "requested_by", "fingerprint"],
                condition=Q(revoked_at=None, case=None),
                name="history_of_person_once_while_unchanged",
            ),
            models.CheckConstraint(
                condition=Q(case__isnull=False, citizen=None) | Q(case=None, citizen__isnull=False),
                name="history_of_a_case_or_a_person",
            ),
            models.CheckConstraint(
                condition=Q(status="done", sha256__regex=r"^[0-9a-f]{64}$", content=None)
                | ~Q(status="done") & Q(content__isnull=False),
                name="history_done_has_bytes",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | ~Q(revoked_reason=""),
                name="history_revoked_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "-created_at"], name="history_of_case"),
            models.Index(fields=["organisation", "-id"], name="history_new"),
            models.Index(
                fields=["lease_until", "id"],
                condition=Q(status__in=["queued", "running"]),
                name="history_to_make",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case or self.uuid} {self.variant}"

    @property
    def unit_id(self) -> int:
        """Where its case lies, for policies."""
        if self.case is None:
            raise AttributeError("a person's history lies in no unit")
        return self.case.unit_id

    @property
    def file_name(self) -> str:
        """What the document is called; it names nobody."""
        return f"{self.case.reference if self.case else self.uuid}-{self.variant}.pdf"

    @property
    def path(self) -> str:
        """Where crm.kit.files keeps its bytes."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"

    @property
    def valid(self) -> bool:
        """Whether it was issued and stands."""
        return self.status == Status.DONE and self.revoked_at is None


class HistoryBatchQuerySet(ScopedQuerySet["HistoryBatch"]):
    """A batch may hold cases of many units: it exists only for who asked for it."""

    def for_actor(self, actor: Actor) -> "HistoryBatchQuerySet":
        """The actor's own."""
        if actor.user_id is None:
            return self.none()
        return self.filter(organisation=actor.organisation_id, requested_by=actor.user_id)


class HistoryBatch(Work):
    """Several histories asked for at once, handed out as one zip."""

    variant = models.CharField(max_length=10, choices=Variant)
    cases = ArrayField(models.UUIDField())
    done = models.IntegerField(default=0)  # cases dealt with, also those left out
    left_out = models.JSONField(default=dict)  # case UUID → code of the reason
    histories = models.ManyToManyField(IssuedHistory, related_name="batches")
    finished_at = models.DateTimeField(null=True)

    objects = HistoryBatchQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("batch of case histories")
        verbose_name_plural = _("batches of case histories")
        indexes = [
            models.Index(
                fields=["lease_until", "id"],
                condition=Q(status__in=["queued", "running"]),
                name="history_batch_to_make",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} {self.pk}"


# --- What figures are counted from ---------------------------------------------------------------


class District(Owned):
    """A part of the territory by which demand is shown; a case lies in the nearest, by its place.

    A case without a place of its own lies where its citizen lives: in the district with that
    municipality.
    """

    name = models.CharField(_("name"), max_length=120)
    latitude = models.FloatField()
    longitude = models.FloatField()
    municipality = models.CharField(max_length=5, blank=True)  # INE code

    class Meta:
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="district_name_once"),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="district_is_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


_KIND = ("case_type", "channel")


class CaseFactQuerySet(ScopedQuerySet["CaseFact"]):
    """Facts by the units whose reports the actor may see."""

    def for_actor(self, actor: Actor) -> "CaseFactQuerySet":
        """Those of the units within reach."""
        rows = self.filter(organisation=actor.organisation_id)
        reach = actor.reach(VIEW_REPORT)
        if reach.everywhere:
            return rows
        return rows.filter(unit_id__in=sorted(reach.units))


class CaseFact(models.Model):
    """What the figures need of one case, days being those of its organisation's clock.

    Written by reporting.facts only. Durations are minutes, kept to two significant digits, so that
    many cases share one value and a percentile of tallies is that of the cases.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="+")
    # the case's own keys hold these three; asked again at each row, a million takes a minute more
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unit = models.ForeignKey(
        "organisations.Unit",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    case_type = models.ForeignKey(
        "cases.CaseType",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    channel = models.CharField(max_length=12, choices=Channel)
    district = models.ForeignKey(
        District,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    opened_on = models.DateField()
    opened_hour = models.SmallIntegerField()
    answered_on = models.DateField(null=True)
    answer_minutes = models.IntegerField(null=True)
    answer_natural = models.BooleanField(default=False)  # no calendar said when its unit works
    ended_on = models.DateField(null=True)  # null while work goes on
    ended_late = models.BooleanField(null=True)  # null without a due date
    solved_minutes = models.IntegerField(null=True)
    solved_natural = models.BooleanField(default=False)
    ended_before = ArrayField(models.DateField(), default=list)  # ends that a reopening undid
    reopened_on = ArrayField(models.DateField(), default=list)

    objects = CaseFactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_on=None, answer_minutes=None)
                | Q(answered_on__isnull=False, answer_minutes__gte=0),
                name="fact_answer_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None, solved_minutes=None, ended_late=None)
                | Q(ended_on__isnull=False, solved_minutes__gte=0),
                name="fact_end_is_dated",
            ),
        ]
        indexes = [
            # What no roll-up holds is answered from these alone: of units, and of types and channels.
            *(
                models.Index(
                    fields=[*first, day],
                    include=[one for one in ("organisation", "unit", *_KIND) if one not in first]
                    + more,
                    name=f"fact_{name}_{day[:5]}",
                )
                for name, first in (("unit_all", ["unit"]), ("kind", ["organisation", *_KIND]))
                for day, more in (
                    ("opened_on", ["opened_hour", "district"]),
                    ("answered_on", ["answer_minutes", "answer_natural"]),
                    ("ended_on", ["ended_late", "solved_minutes", "solved_natural"]),
                )
            ),
            # what is open, oldest first
            models.Index(
                fields=["organisation", "opened_at"],
                include=["unit", *_KIND, "due_at", "opened_on"],
                condition=Q(ended_on=None),
                name="fact_open_now",
            ),
            models.Index(
                fields=["organisation"], condition=~Q(reopened_on=[]), name="fact_reopened"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}"


class Tally(models.Model):
    """How often something happened on a day: one roll-up row. Written by reporting.facts only.

    `cut` says which of unit, type and channel are told apart; those that are not are 0 or empty.
    """

    class Cut(models.IntegerChoices):
        """What is told apart."""

        WHOLE = 0
        KIND = 1  # by case type and channel
        UNIT = 2
        KIND_MONTH = 3  # by case type and channel, of a whole month: `day` is its first
        ALL_MONTH = 4  # by all three, of a whole month
        WHOLE_MONTH = 5
        UNIT_MONTH = 6

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    cut = models.SmallIntegerField(choices=Cut)
    measure = models.CharField(max_length=16)  # of reporting.facts.MEASURES
    day = models.DateField()
    unit_id = models.BigIntegerField(default=0)
    case_type_id = models.BigIntegerField(default=0)
    channel = models.CharField(max_length=12, blank=True)
    value = models.BigIntegerField(default=0)  # what the measure adds: minutes, hour, district
    count = models.IntegerField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("organisation", "cut", "measure", "day"),
                    *("unit_id", "case_type_id", "channel", "value"),
                ],
                include=["count"],
                name="tally_once",
            ),
            models.CheckConstraint(condition=Q(count__gte=0), name="tally_is_a_count"),
        ]
        indexes = [
            models.Index(fields=["organisation"], condition=Q(count=0), name="tally_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.day}: {self.count}"


class FactState(models.Model):
    """How far an organisation's facts have come; its lock makes those who count wait for each other."""

    organisation = models.OneToOneField(
        "organisations.Organisation", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    tx = models.BigIntegerField(default=0)  # events of transactions below are counted
    counted_at = models.DateTimeField(null=True)
    rebuilt_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.organisation_id}@{self.tx}"


class ExportQuerySet(ScopedQuerySet["Export"]):
    """An export holds what its asker may see: it exists only for them."""

    def for_actor(self, actor: Actor) -> "ExportQuerySet":
        """The actor's own."""
        if actor.user_id is None:
            return self.none()
        return self.filter(organisation=actor.organisation_id, requested_by=actor.user_id)


class Export(Work):
    """Figures, or the cases behind one, asked for as a file: made by a worker, kept a week."""

    class Form(models.TextChoices):
        """Of the file."""

        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    class Subject(models.TextChoices):
        """What it holds."""

        FIGURES = "figures", _("The figures of the board")
        CASES = "cases", _("The cases behind a figure")

    form = models.CharField(max_length=4, choices=Form)
    subject = models.CharField(max_length=8, choices=Subject)
    query = models.JSONField(default=dict)  # the board's address, as reporting.asking reads it
    language = models.CharField(max_length=16, default="es")
    purpose = models.CharField(_("reason"), max_length=240)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    path = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints = [
            models.CheckConstraint(condition=~Q(purpose=""), name="export_says_what_for"),
        ]
        indexes = [
            models.Index(fields=["organisation", "requested_by", "-id"], name="export_mine"),
            models.Index(
                fields=["lease_until", "id"],
                condition=Q(status__in=["queued", "running"]),
                name="export_to_make",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject}.{self.form} {self.created_at:%Y-%m-%d}"

"""Long work on many cases: imports and bulk actions, resumable after a kill."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet


class ThroughImport(ScopedQuerySet[models.Model]):
    """Rows of an organisation's imports."""

    organisation_path = "load__organisation_id"


class Import(Owned):
    """One load of cases from files: its row says how far it got, so a killed one goes on."""

    class Status(models.TextChoices):
        """Of the load."""

        DRAFT = "draft", _("Being prepared")
        LOADING = "loading", _("Loading")
        DONE = "done", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    UNFINISHED = (Status.DRAFT, Status.LOADING, Status.FAILED)

    source = models.CharField(_("source"), max_length=60)
    mapping = models.JSONField(default=dict)  # the parsed mapping file (cases/imports)
    file_name = models.CharField(max_length=200)
    file_path = models.CharField(max_length=300)
    file_sha256 = models.CharField(max_length=64)
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, related_name="+"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    dry_run = models.BooleanField(default=False)
    total = models.IntegerField(default=0)  # lines of the file, a guess of its rows; 0: not counted
    rows = models.IntegerField(default=0)  # read so far
    next_row = models.IntegerField(default=1)
    inserted = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    bad = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("import")
        indexes = [models.Index(fields=["organisation", "-id"], name="import_newest")]

    def __str__(self) -> str:
        return f"{self.source} {self.file_name}"


class ImportProblem(models.Model):
    """A row that became no case, and why; what the file of errors is made of."""

    load = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    row = models.IntegerField()
    external_id = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=400)

    objects = ThroughImport.as_manager()

    class Meta:
        verbose_name = _("row not imported")
        constraints = [
            models.UniqueConstraint(fields=["load", "row"], name="import_problem_once_per_row"),
        ]

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"


class BulkAction(Owned):
    """One act on many cases: looked through first, then run row by row (`BulkRow`), or undone."""

    class Status(models.TextChoices):
        """Of the action."""

        CHECKING = "checking", _("Being looked through")
        READY = "ready", _("Ready to start")
        RUNNING = "running", _("Running")
        DONE = "done", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    WORKING = (Status.CHECKING, Status.RUNNING)
    BEFORE = (Status.CHECKING, Status.READY)

    action = models.CharField(max_length=20)  # a code of cases.services.bulk_acts, or "undo"
    arguments = models.JSONField(default=dict)
    # which cases, as it was asked for: the expression or filter; "" for those that were ticked
    asked = models.CharField(max_length=2_000, blank=True)
    total = models.IntegerField(default=0)
    looked = models.IntegerField(default=0)  # rows that the preview has reached
    done = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status, default=Status.CHECKING)
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="undoings")
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    client = models.ForeignKey(
        "accounts.ApiClient", on_delete=models.PROTECT, null=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bulk action")
        verbose_name_plural = _("bulk actions")
        constraints = [
            models.UniqueConstraint(
                fields=["undoes"],
                condition=Q(status__in=["checking", "ready", "running"]),
                name="bulk_undone_by_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(requested_by__isnull=False, client=None)
                | Q(requested_by=None, client__isnull=False),
                name="bulk_asked_for_by_one",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "requested_by", "-id"], name="bulk_newest"),
            models.Index(
                fields=["updated_at"],
                condition=Q(status__in=["checking", "running"]),
                name="bulk_working",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"

    @property
    def tried(self) -> int:
        """Rows that were done or refused; while it is looked through, those looked at."""
        return self.looked if self.status in self.BEFORE else self.done + self.refused


class ThroughBulk(ScopedQuerySet["BulkRow"]):
    """Rows of an organisation's bulk actions."""

    organisation_path = "action__organisation_id"


class BulkRow(models.Model):
    """One case of a bulk action: what became of it, and what an undoing goes back to."""

    class Status(models.IntegerChoices):
        """Of the row."""

        WAITING = 0, _("Not tried")
        DONE = 1, _("Done")
        REFUSED = 2, _("Refused")
        UNDONE = 3, _("Undone")

    action = models.ForeignKey(
        BulkAction, on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    case = models.ForeignKey(
        "cases.Case", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    number = models.IntegerField()  # its place in the action
    status = models.SmallIntegerField(choices=Status, default=Status.WAITING)
    reason = models.CharField(max_length=400, blank=True)  # of the refusal, foreseen or met
    event = models.IntegerField(null=True)  # the case's newest once it was done
    before = models.JSONField(null=True)

    objects = ThroughBulk.as_manager()

    class Meta:
        verbose_name = _("case of a bulk action")
        constraints = [
            models.UniqueConstraint(fields=["action", "number"], name="bulk_row_number_once"),
            models.UniqueConstraint(fields=["case", "action"], name="bulk_row_case_once"),
        ]
        indexes = [
            models.Index(
                fields=["action", "number"], condition=Q(status=0), name="bulk_row_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action_id}#{self.number}"

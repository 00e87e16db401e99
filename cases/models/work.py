"""Long work on many cases: imports and bulk actions, resumable after a kill."""

from django.db import models
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
    """One act on many cases, asked for with a preview: what is to be done and what was refused."""

    class Status(models.TextChoices):
        """Of the action."""

        RUNNING = "running", _("Running")
        DONE = "done", _("Finished")
        FAILED = "failed", _("Failed")

    action = models.CharField(max_length=20)  # assign | move
    arguments = models.JSONField(default=dict)
    case_ids = models.JSONField(default=list)
    next_index = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    refusals = models.JSONField(default=list)  # [{reference, reason}]
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    requested_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("bulk action")
        verbose_name_plural = _("bulk actions")

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"

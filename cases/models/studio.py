"""What the design of a case type leaves with its cases: how work ended, and their way between versions."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from cases.models.catalogue import CaseType, CaseTypeVersion
from crm.kit.models import Base, Owned


class CaseResult(Base):
    """How work on a case ended by its type, and what becomes of its file; none while work goes on."""

    class Nomination(models.TextChoices):
        """What becomes of the file after its term."""

        DESTROY = "destroy", _("Destroy it")
        KEEP = "keep", _("Keep it for ever")

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="result")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)  # as it was called then
    nomination = models.CharField(max_length=8, choices=Nomination)
    term = models.CharField(max_length=8)
    ended_on = models.DateField()
    keep_until = models.DateField()

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("way of ending")
        constraints = [
            models.CheckConstraint(
                condition=Q(keep_until__gt=F("ended_on")), name="result_kept_after_the_end"
            ),
        ]
        indexes = [
            # what may be destroyed by now
            models.Index(
                fields=["keep_until"], condition=Q(nomination="destroy"), name="result_to_destroy"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VersionMigration(Owned):
    """The open cases of one version of a case type on their way to another; it says how far it got.

    They go by number, `after` being the last one that was tried: killed anywhere, it goes on with the
    next. `states` and `fields` say what becomes of those that the new version calls otherwise.
    """

    class Status(models.TextChoices):
        """Of the migration."""

        RUNNING = "running", _("Running")
        DONE = "done", _("Finished")
        FAILED = "failed", _("Failed")

    case_type = models.ForeignKey(CaseType, on_delete=models.PROTECT, related_name="migrations")
    source = models.ForeignKey(CaseTypeVersion, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(CaseTypeVersion, on_delete=models.PROTECT, related_name="+")
    states = models.JSONField(default=dict)  # {old code: new code}
    fields = models.JSONField(default=dict)  # {old name: new name, or null: it is left behind}
    fill = models.JSONField(
        default=dict
    )  # {new name: what it holds where nobody has said anything}
    total = models.IntegerField()
    after = models.BigIntegerField(default=0)
    done = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    client = models.ForeignKey(
        "accounts.ApiClient", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("migration of cases to a version")
        verbose_name_plural = _("migrations of cases to a version")
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(status="running"),
                name="version_migration_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="version_migration_to_another"
            ),
            models.CheckConstraint(
                condition=Q(requested_by__isnull=False, client=None)
                | Q(requested_by=None, client__isnull=False),
                name="version_migration_asked_for_by_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class VersionMigrationRefusal(models.Model):
    """A case that stayed where it was, and why."""

    migration = models.ForeignKey(
        VersionMigration, on_delete=models.CASCADE, related_name="refusals"
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=400)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("case not migrated")
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "case"], name="version_migration_refusal_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.reason}"

"""Figures and lists taken away as files."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.scoping import ScopedQuerySet
from reporting.models.work import Work


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

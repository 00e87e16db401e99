"""What a worker makes for somebody, under a lease."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.kit.models import Owned


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

"""Who is written to: segments, and the addresses that are not written to any more."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.citizens.models import Channel
from crm.kit.models import Owned
from crm.kit.secrets import digest


class Segment(Owned):
    """Citizens described by conditions, as a tree (campaigns.segments); who they are changes daily."""

    name = models.CharField(_("name"), max_length=120)
    tree = models.JSONField(default=dict)
    estimated_size = models.IntegerField(null=True)  # people with a mailbox, at `estimated_at`
    estimated_at = models.DateTimeField(null=True)
    created_by_name = models.CharField(max_length=200)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(archived_at=None),
                name="segment_name_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Suppression(Owned):
    """An address that an organisation does not write to, and why; lifted, never deleted."""

    class Scope(models.TextChoices):
        """How much is not sent there."""

        INFORMATIONAL = "informational", _("Nothing informational")
        ALL = "all", _("Nothing at all")

    class Reason(models.TextChoices):
        """Why."""

        UNSUBSCRIBED = "unsubscribed", _("Asked not to be written to")
        HARD_BOUNCE = "hard_bounce", _("The address does not exist")
        COMPLAINT = "complaint", _("Reported as unwanted mail")
        MANUAL = "manual", _("By decision of the organisation")
        DECEASED = "deceased", _("The person has died")

    channel = models.CharField(max_length=12, choices=Channel)
    address_hash = models.CharField(max_length=64)
    scope = models.CharField(max_length=14, choices=Scope, default=Scope.ALL)
    reason = models.CharField(max_length=14, choices=Reason)
    source_delivery = models.ForeignKey(
        "campaigns.Delivery", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    lifted_at = models.DateTimeField(null=True)
    lifted_by_name = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("address not written to")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "channel", "address_hash", "scope"],
                condition=Q(lifted_at=None),
                name="suppression_once_while_active",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason}"


def address_hash(key: str) -> str:
    """What is kept of an address that is not written to; Hashed is the same in SQL."""
    return digest(key)


class Hashed(models.Func):
    """`address_hash` in SQL."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = models.CharField()


class AllowedDestination(Owned):
    """A host that an organisation's links may lead to, subdomains included."""

    host = models.CharField(_("host"), max_length=253)
    added_by_name = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("allowed destination")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "host"], name="allowed_destination_once"
            )
        ]

    def __str__(self) -> str:
        return self.host

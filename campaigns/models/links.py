"""Short addresses of a campaign's links, and their visits: of nobody in particular."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet


class ShortLink(Owned):
    """A short address that leads elsewhere. All recipients have the same: whose visit it was is not known
    (GDPR art. 25)."""

    code = models.CharField(max_length=16, unique=True)
    target = models.CharField(max_length=2000)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, related_name="short_links"
    )
    valid_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("short link")
        verbose_name_plural = _("short links")
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Za-z0-9]{8,16}$"), name="short_link_code_is_random"
            ),
            models.CheckConstraint(
                condition=Q(target__regex=r"^https?://"), name="short_link_leads_to_a_page"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def expired(self) -> bool:
        """Whether it leads nowhere any more."""
        ended = self.valid_until is not None and self.valid_until <= timezone.now()
        return ended or self.disabled_at is not None


class AgentKind(models.TextChoices):
    """What visited, as far as can be told."""

    HUMAN = "human", _("People")
    SCANNER = "scanner", _("Mail scanners and other machines")
    PREFETCH = "prefetch", _("Opened ahead by a program")
    UNKNOWN = "unknown", _("Not known")


class ThroughLink(ScopedQuerySet[models.Model]):
    """Visits of an organisation's links."""

    organisation_path = "link__organisation_id"


class Click(models.Model):
    """One visit: when, and by what kind of program. No address, no name."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(
        ShortLink, on_delete=models.PROTECT, related_name="clicks", db_index=False
    )
    at = models.DateTimeField(default=timezone.now)
    agent_kind = models.CharField(max_length=8, choices=AgentKind)
    reasons = models.JSONField(default=list)  # why it was taken for that, to judge anew

    objects = ThroughLink.as_manager()

    class Meta:
        verbose_name = _("visit")
        indexes = [models.Index(fields=["link", "-at"], name="click_of_link")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.agent_kind}"


class ClickCount(models.Model):
    """How many visits of a kind on a day, in several slots, so that visitors do not wait for one row."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(
        ShortLink, on_delete=models.PROTECT, related_name="counts", db_index=False
    )
    agent_kind = models.CharField(max_length=8, choices=AgentKind)
    day = models.DateField()
    slot = models.SmallIntegerField()
    count = models.IntegerField()

    objects = ThroughLink.as_manager()

    class Meta:
        verbose_name = _("count of visits")
        constraints = [
            models.UniqueConstraint(
                fields=["link", "agent_kind", "day", "slot"], name="click_count_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.link_id} {self.day} {self.count}"

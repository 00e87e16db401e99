"""What is sent and when: templates with their versions, campaigns and their runs."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.audience import Segment
from crm.citizens.models import Topic
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class Template(Owned):
    """An e-mail that campaigns send; its words are in its versions."""

    name = models.CharField(_("name"), max_length=120)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(archived_at=None),
                name="template_name_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ThroughTemplate(ScopedQuerySet["TemplateVersion"]):
    """Versions of an organisation's templates."""

    organisation_path = "template__organisation_id"


class TemplateVersion(Base):
    """The words of a template at one time, by language; never changed, so that what was approved is
    what is sent."""

    template = models.ForeignKey(
        Template, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    number = models.IntegerField()
    texts = models.JSONField()  # language → {"subject", "body"}
    author_name = models.CharField(max_length=200)

    objects = ThroughTemplate.as_manager()

    class Meta:
        verbose_name = _("version of a template")
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_once")
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.number}"


class Campaign(Owned):
    """A message to an audience: written, approved by somebody else, then sent to each once at most."""

    class State(models.TextChoices):
        """How far it is."""

        DRAFT = "draft", _("Draft")
        WAITING = "waiting", _("Waiting for approval")
        SCHEDULED = "scheduled", _("Scheduled")
        RUNNING = "running", _("Being sent")
        PAUSED = "paused", _("Paused")
        NEEDS_ATTENTION = "needs_attention", _("Needs attention")
        FINISHED = "finished", pgettext_lazy("campaign", "Finished")
        CANCELLED = "cancelled", _("Stopped")

    LAUNCHED = (State.RUNNING, State.PAUSED, State.FINISHED)
    APPROVED = (State.SCHEDULED, *LAUNCHED)

    name = models.CharField(_("name"), max_length=160)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="+", db_index=False)
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="+")
    tree = models.JSONField(null=True)  # the segment's, as it was when approval was asked for
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    values = models.JSONField(default=dict, blank=True)  # of the campaign's own placeholders
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    state_reason = models.CharField(max_length=240, blank=True)  # why paused, returned, stopped…
    send_at = models.DateTimeField(_("send from"), null=True, blank=True)
    send_not_after = models.DateTimeField(_("do not send after"))
    rate_per_minute = models.IntegerField(_("messages per minute"), null=True, blank=True)
    max_error_rate = models.SmallIntegerField(_("pause beyond this rate of errors"), default=10)
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=200)
    submitted_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    submitted_by_name = models.CharField(max_length=200, blank=True)
    submitted_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_by_name = models.CharField(max_length=200, blank=True)
    approved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None)
                | ~Q(approved_by=F("submitted_by")) & ~Q(approved_by=F("created_by")),
                name="campaign_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["scheduled", "running", "paused", "finished"])
                | Q(
                    approved_by__isnull=False,
                    approved_at__isnull=False,
                    version__isnull=False,
                    tree__isnull=False,
                ),
                name="campaign_approved_before_sent",
            ),
            models.CheckConstraint(
                condition=Q(send_at=None) | Q(send_not_after__gt=F("send_at")),
                name="campaign_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(rate_per_minute=None) | Q(rate_per_minute__gt=0),
                name="campaign_rate_positive",
            ),
            models.CheckConstraint(
                condition=Q(max_error_rate__gte=1, max_error_rate__lte=100),
                name="campaign_error_rate_in_hundredths",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="campaign_newest"),
            # what the clock looks at
            models.Index(
                fields=["send_at"],
                condition=Q(state__in=["scheduled", "running"]),
                name="campaign_to_tend",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def launched(self) -> bool:
        """Whether its audience is frozen."""
        return self.state in self.LAUNCHED


class ThroughCampaign(ScopedQuerySet["CampaignRun"]):
    """Runs of an organisation's campaigns."""

    organisation_path = "campaign__organisation_id"


class CampaignRun(Base):
    """One sending of a campaign: its audience was frozen then; here workers agree on their pace."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    number = models.SmallIntegerField(default=1)
    total = models.IntegerField(default=0)
    domain = models.CharField(max_length=253)  # of the Message-IDs, fixed at the start
    links = models.JSONField(default=dict)  # destination → short address
    started_at = models.DateTimeField()
    resumed_at = models.DateTimeField()  # errors count from here
    finished_at = models.DateTimeField(null=True)
    tokens = models.FloatField(default=0)  # how many may leave now
    tokens_at = models.DateTimeField()
    not_before = models.DateTimeField(
        null=True
    )  # the mail server does not answer: not asked till then

    objects = ThroughCampaign.as_manager()

    class Meta:
        verbose_name = _("run of a campaign")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="campaign_run_once")
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} #{self.number}"

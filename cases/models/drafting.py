"""What somebody is writing on a case and has not sent: no part of its history, and swept in the end."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from crm.citizens.models import Channel
from crm.kit.actor import Actor, Kind
from crm.kit.models import Base


class DraftQuerySet(ThroughCase["Draft"]):
    """Drafts on the cases that exist for the actor: their own, and those that colleagues share."""

    def for_actor(self, actor: Actor) -> "DraftQuerySet":
        """Nobody else's, whatever they may do; of a case given away or out of reach none, until it is
        back. To who asks for somebody's representative colleagues share nothing: it is not said yet."""
        rows = super().for_actor(actor)
        if any(one.alone for one in actor.attends):
            return rows.own(actor)
        return rows.filter(_by(actor) | Q(shared_at__isnull=False))

    def own(self, actor: Actor) -> "DraftQuerySet":
        """Of these, those that the actor writes."""
        return self.filter(_by(actor))


def _by(actor: Actor) -> Q:
    """Written by this person or machine; the system writes none."""
    if actor.kind is Kind.API_CLIENT:
        return Q(client=actor.id)
    return Q(author=actor.user_id) if actor.user_id is not None else Q(pk=None)


class Draft(Base):
    """One text that is being written, by its case, writer and kind.

    No column of it goes into a case's story, its sealed history or another organisation's packet:
    drafts are no part of the file (Ley 39/2015 art. 70.4).
    """

    class Kind(models.TextChoices):
        """What it is to become."""

        REPLY = "reply", _("Answer to the citizen")
        NOTE = "note", _("Internal note")
        SAID = "said", _("What the citizen said")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="drafts", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind)
    author = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    client = models.ForeignKey(
        "accounts.ApiClient", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    author_name = models.CharField(max_length=200)
    text = models.TextField()
    channel = models.CharField(max_length=12, choices=Channel, blank=True)
    # up to which event of which case the writer had read when they began: whoever answers after
    # that crosses with this text
    seen = models.IntegerField(default=0)
    seen_in = models.BigIntegerField()
    version = models.PositiveIntegerField(default=1)
    shared_at = models.DateTimeField(null=True)
    begun_by = models.CharField(max_length=200, blank=True)  # a colleague who shared it
    aside = models.BooleanField(default=False)  # beside the one of its kind that is being written
    discarded_at = models.DateTimeField(null=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "author", "kind"],
                condition=Q(aside=False, discarded_at=None, author__isnull=False),
                name="draft_of_a_person_once",
            ),
            models.UniqueConstraint(
                fields=["case", "client", "kind"],
                condition=Q(aside=False, discarded_at=None, client__isnull=False),
                name="draft_of_a_client_once",
            ),
            models.CheckConstraint(
                condition=Q(author__isnull=False, client=None)
                | Q(author=None, client__isnull=False),
                name="draft_is_of_one",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="draft_says_something"),
            models.CheckConstraint(
                condition=Q(discarded_at=None) | Q(shared_at=None),
                name="draft_discarded_is_not_shared",
            ),
        ]
        indexes = [
            models.Index(fields=["case"], name="draft_of_case"),
            models.Index(fields=["author", "-updated_at"], name="draft_of_author"),
            models.Index(fields=["client", "-updated_at"], name="draft_of_client"),
            models.Index(fields=["updated_at"], name="draft_age"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind}"

    def is_by(self, actor: Actor) -> bool:
        """Whether the actor writes it."""
        if actor.kind is Kind.API_CLIENT:
            return self.client_id == actor.id
        return self.author_id is not None and self.author_id == actor.user_id

    @property
    def read_up_to(self) -> int:
        """The event of its case up to which the writer had read; 0 when it came from another case."""
        return self.seen if self.seen_in == self.case_id else 0

    def as_data(self) -> dict[str, Any]:
        """What the page's composer needs to go on with it."""
        return {
            "id": str(self.uuid),
            "kind": self.kind,
            "text": self.text,
            "channel": self.channel,
            "version": self.version,
            "seen": self.read_up_to,
            "aside": self.aside,
            "shared": self.shared_at is not None,
            "begunBy": self.begun_by,
            "at": self.updated_at.isoformat(),
        }

"""Who follows a case or watches a view: they hear of it for as long as they may see it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from cases.models.views import SavedView
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class Follower(Base):
    """An employee follows a case, or no longer does: whoever left by themselves is not taken in again."""

    class Why(models.TextChoices):
        """How it began."""

        HAND = "hand", _("By themselves")
        MENTIONED = "mentioned", _("They were mentioned")
        ANSWERED = "answered", _("They wrote to the citizen")
        HAD = "had", _("The case was theirs")

    class End(models.TextChoices):
        """How it ended."""

        LEFT = "left", _("By themselves")
        LOST = "lost", _("They may not see it any more")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="followers", db_index=False
    )
    user = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    why = models.CharField(max_length=10, choices=Why, default=Why.HAND)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=6, choices=End, blank=True)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], name="follower_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="") | Q(ended_at__isnull=False) & ~Q(end=""),
                name="follower_ends_for_a_reason",
            ),
        ]
        indexes = [
            # what somebody follows, for lists and queries
            models.Index(
                fields=["user", "case"], condition=Q(ended_at=None), name="follower_of_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.case_id}"


class WatchQuerySet(ScopedQuerySet["ViewWatch"]):
    """Who watches which view."""

    def for_actor(self, actor: Actor) -> "WatchQuerySet":
        """The actor's own."""
        return self.filter(organisation=actor.organisation_id, user=actor.user_id)


class ViewWatch(Owned):
    """An employee wants to be told when a case comes into a saved view."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    user_id: int
    view = models.ForeignKey(
        SavedView, on_delete=models.CASCADE, related_name="watches", db_index=False
    )
    # the newest cases that it held for them when it was looked at last
    known = ArrayField(models.BigIntegerField(), default=list)
    looked_at = models.DateTimeField(null=True, blank=True)

    objects = WatchQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["view", "user"], name="view_watched_once"),
        ]
        indexes = [
            # whose turn it is: longest ago first
            models.Index(fields=["looked_at", "id"], name="view_watch_turn"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.view_id}"

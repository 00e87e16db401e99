"""Saved views: queries that somebody named and keeps, for oneself, a unit or the organisation."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.permissions import VIEW_CASE
from crm.kit.actor import Actor
from crm.kit.models import Owned
from crm.kit.query import LONGEST
from crm.kit.scoping import ScopedQuerySet


class SavedViewQuerySet(ScopedQuerySet["SavedView"]):
    """Views of the organisation, by whom they are for."""

    def for_actor(self, actor: Actor) -> "SavedViewQuerySet":
        """One's own, those of the units whose cases one sees or where one works, the organisation's."""
        rows = self.filter(organisation=actor.organisation_id)
        reach = actor.reach(VIEW_CASE)
        mine = Q(audience=SavedView.Audience.ORGANISATION)
        if actor.user_id is not None:
            mine |= Q(audience=SavedView.Audience.OWN, owner=actor.user_id)
        if reach.everywhere:
            mine |= Q(audience=SavedView.Audience.UNIT)
        else:
            units = {*reach.units, actor.home_unit_id} - {None}
            mine |= Q(audience=SavedView.Audience.UNIT, unit__in=sorted(map(int, units)))  # type: ignore[arg-type]
        return rows.filter(mine)

    def opened_by(self, actor: Actor) -> "SavedViewQuerySet":
        """Beside one's list, those of colleagues that they share by their link."""
        shared = self.filter(organisation=actor.organisation_id, linked=True)
        return self.for_actor(actor) | shared


class SavedView(Owned):
    """A query with a name. It holds no cases: whoever opens it sees those that they may see."""

    class Audience(models.TextChoices):
        """Whose list of views it stands in."""

        OWN = "own", _("Only me")
        UNIT = "unit", _("My unit")
        ORGANISATION = "organisation", _("The whole organisation")

    class By(models.TextChoices):
        """In which order its cases stand."""

        USUAL = "", _("As usual: by due date, or the newest first")
        DUE = "due", _("By due date")
        NEWEST = "newest", _("The newest first")

    audience = models.CharField(_("Who has it"), max_length=12, choices=Audience)
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, related_name="+"
    )
    name = models.CharField(_("Name"), max_length=80)
    expression = models.CharField(_("Query"), max_length=LONGEST)  # as it was written
    by = models.CharField(_("Order"), max_length=6, choices=By, default=By.USUAL, blank=True)
    columns = models.JSONField(default=list)  # empty: those that the reader chose
    icon = models.CharField(_("Icon"), max_length=30, default="bookmark")
    linked = models.BooleanField(default=False)  # colleagues who have its link may open it
    version = models.PositiveIntegerField(default=1)

    objects = SavedViewQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="unit", unit__isnull=False)
                | (~Q(audience="unit") & Q(unit=None)),
                name="saved_view_of_a_unit_names_it",
            ),
            models.CheckConstraint(
                condition=~Q(audience="own") | Q(owner__isnull=False),
                name="saved_view_of_ones_own_has_an_owner",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_a_name"),
            models.UniqueConstraint(
                fields=["organisation", "owner", "name"],
                condition=Q(audience="own"),
                name="saved_view_own_name_once",
            ),
            models.UniqueConstraint(
                fields=["unit", "name"],
                condition=Q(audience="unit"),
                name="saved_view_unit_name_once",
            ),
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(audience="organisation"),
                name="saved_view_organisation_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ThroughView(ScopedQuerySet["ViewPlace"]):
    """A person's own arrangement of their views."""

    def for_actor(self, actor: Actor) -> "ThroughView":
        """Those of the actor; a machine arranges none."""
        return self.filter(user=actor.user_id, view__organisation=actor.organisation_id)


class ViewPlace(models.Model):
    """Where a person keeps a view: in which place, on their day's page, or out of sight."""

    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="places")
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    position = models.IntegerField(default=0)
    pinned = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)

    objects = ThroughView.as_manager()

    class Meta:
        verbose_name = _("place of a saved view")
        constraints = [
            models.UniqueConstraint(fields=["user", "view"], name="view_place_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.view_id}@{self.position}"

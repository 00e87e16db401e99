"""What becomes of people and their roles when a unit closes or is merged into another."""

from django.utils.translation import gettext as _

from crm.accounts.models import Membership, RolePlace
from crm.accounts.services.roles import place_for
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.organisations.models import Unit


def reason_to_stay_open(unit: Unit) -> Text | None:
    """A unit where people work cannot close under them."""
    people = Membership.objects.unscoped("a unit's own").filter(unit=unit, ended_at=None).count()
    if not people:
        return None
    return _("People work in it: %(count)s. Give them another unit first.") % {"count": people}


def move_all(actor: Actor, unit: Unit, into: Unit) -> int:
    """Who worked or had a role in the unit does so in the other; how many people and roles moved."""
    moved = Membership.objects.for_actor(actor).filter(unit=unit, ended_at=None).update(unit=into)
    for place in RolePlace.objects.filter(unit=unit).select_related("role", "group"):
        people = list(place.group.user_set.all())
        place_for(place.role, into).group.user_set.add(*people)
        place.group.user_set.clear()
        moved += len(people)
    return moved

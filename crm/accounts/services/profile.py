"""What a person decides for themselves: where they act, how the console looks, which sessions live."""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from crm.accounts import sessions
from crm.accounts.models import Membership, User
from crm.accounts.services import door
from crm.audit.record import record
from crm.kit.actor import Actor, Origin
from crm.kit.errors import Invalid, NotFound

CHOICES = {
    "theme": {"auto", "light", "dark", "contrast"},
    "density": {"comfortable", "compact"},
    "rail": {"auto", "full", "compact"},
    "shortcuts": {"on", "off"},
    "language": {code for code, _name in settings.LANGUAGES},
}


@transaction.atomic
def switch_organisation(actor: Actor, user: User, code: str) -> None:
    """The user acts for another organisation where it works, in every session and socket."""
    membership = (
        Membership.objects.unscoped("the person's own")
        .in_force()
        .filter(user=user, organisation__code=code, organisation__is_active=True)
        .select_related("organisation")
        .first()
    )
    if membership is None:
        raise NotFound(_("You do not work in that organisation."))
    if membership.organisation_id == actor.organisation_id:
        return
    record(actor, "organisation_switched", membership.organisation, to=code)
    user.current_organisation = membership.organisation
    user.save(update_fields=["current_organisation"])
    sessions.tell_user(user)


def prefer(user: User, wishes: Mapping[str, str]) -> None:
    """The console looks and speaks to the user like this from now on; other keys are refused."""
    unknown = sorted(set(wishes) - set(CHOICES))
    wrong = sorted(key for key in set(wishes) & set(CHOICES) if wishes[key] not in CHOICES[key])
    if unknown or wrong:
        raise Invalid(errors={key: [_("There is no such choice.")] for key in [*unknown, *wrong]})
    changes = {key: wishes[key] for key in wishes if key != "shortcuts"}
    for field, value in changes.items():
        setattr(user, field, value)
    if "shortcuts" in wishes:
        user.single_key_shortcuts = wishes["shortcuts"] == "on"
        changes["single_key_shortcuts"] = ""
    user.save(update_fields=list(changes))


@transaction.atomic
def end_own_session(user: User, session_id: UUID, origin: Origin) -> None:
    """One of the user's sessions is over."""
    if not sessions.end_sessions(user, only=session_id):
        raise NotFound(_("That session has ended already."))
    door.end_session(user, origin, reason="by the person")


@transaction.atomic
def end_other_sessions(user: User, current: str, origin: Origin) -> int:
    """All of the user's sessions but the current one are over; returns how many there were."""
    count = sessions.end_sessions(user, but=current)
    if count:
        door.end_session(user, origin, reason="by the person")
    return count

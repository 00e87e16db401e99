"""What may be done with citizens: permissions in plain words, and the rules on single objects."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import Decision, declare, rule

if TYPE_CHECKING:
    from crm.citizens.models import CitizenRecord

VIEW_CITIZEN = declare(
    "citizens.view_citizen",
    _("search citizens and open their record stating why"),
    roles="agent office supervisor data_protection auditor integration",
)
VIEW_PROTECTED = declare(
    "citizens.view_protected",
    _("open protected records"),
    roles="supervisor data_protection",
)
REVEAL_IDENTIFIER = declare(
    "citizens.reveal_identifier",
    _("see identification numbers in full"),
    roles="agent office supervisor",
)
CHANGE_CITIZEN = declare(
    "citizens.change_citizen",
    _("create citizens and change their contact points"),
    roles="agent office supervisor integration",
)
PROTECT_RECORD = declare(
    "citizens.protect_record",
    _("protect records and lift their protection, with the reason"),
    roles="supervisor data_protection",
)
VIEW_ACCESS_REPORT = declare(
    "citizens.view_access_report",
    _("see when and why a person's record was opened, without names"),
    roles="data_protection auditor",
)
VIEW_MANDATE = declare(
    "citizens.view_mandate",
    _("see who represents whom, and by which proof"),
    roles="agent office supervisor data_protection auditor",
)
MANAGE_MANDATES = declare(
    "citizens.manage_mandates",
    _("record and revoke mandates"),
    roles="agent office supervisor",
)
VERIFY_MANDATE = declare(
    "citizens.verify_mandate",
    _("check the proof of mandates, so that they count"),
    roles="agent office supervisor",
)
MERGE_CITIZENS = declare(
    "citizens.merge_citizens",
    _("merge records of one person and take that back"),
    roles="supervisor",
)


@rule(VIEW_CITIZEN)
@rule(VIEW_MANDATE)
@rule(MANAGE_MANDATES)
@rule(VERIFY_MANDATE)
@rule(CHANGE_CITIZEN)
@rule(REVEAL_IDENTIFIER)
@rule(PROTECT_RECORD)
@rule(MERGE_CITIZENS)
def _protected_only_by_who_may_open_it(actor: Actor, record: "CitizenRecord") -> Decision:
    return Decision(
        not record.protected or actor.holds(VIEW_PROTECTED),
        _("The record is protected, and none of your roles opens protected records."),
    )

"""What other organisations let be seen of a citizen's cases there, by an agreement in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cases.models import Case, Confidentiality, StateCategory
from cases.workflow import of_version
from crm.citizens.models import Citizen
from crm.citizens.selectors import Shared, sharing
from crm.kit.actor import Actor
from crm.organisations.models import DataClass

MOST = 20  # of each organisation, the newest


@dataclass(frozen=True)
class Elsewhere:
    """A case of another organisation: its state, and what it is about only where that is shared too."""

    organisation: str
    case_type: str
    state: str
    category: str  # for the tag chip_state
    opened_at: datetime
    reference: str = ""
    subject: str = ""
    outcome: str = ""


def panel(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """What the citizen's page shows of their cases elsewhere; nothing when nothing is shared."""
    rows = [row for shared in sharing(actor, citizen) for row in _shown(shared, citizen)]
    return {"rows": rows} if rows else None


def _shown(shared: Shared, citizen: Citizen) -> Iterator[Elsewhere]:
    """The newest cases of one organisation, without those that it keeps confidential."""
    content = DataClass.CASE_CONTENT in shared.classes
    if not content and DataClass.CASE_STATUS not in shared.classes:
        return
    rows = Case.objects.unscoped("what an agreement in force lets be seen").filter(
        organisation=shared.agreement.giver_id,
        citizen=citizen,
        confidentiality__lt=Confidentiality.CONFIDENTIAL,
    )
    for row in rows.select_related("case_type", "type_version").order_by("-opened_at")[:MOST]:
        told = (row.reference, row.subject, row.outcome) if content else ()
        yield Elsewhere(
            shared.agreement.giver.name,
            row.case_type.name,
            of_version(row.type_version.bundle).name_of(row.state),
            StateCategory(row.category).name.lower(),
            row.opened_at,
            *told,
        )

"""Where bulk loads show themselves: in the navigation, and in their live streams."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from cases.imports import tasks  # noqa: F401 - workers find them here
from cases.models import Import
from cases.permissions import IMPORT_CASES
from crm.kit import nav, realtime
from crm.kit.actor import Actor
from crm.kit.policy import Decision, decide


def may_listen(actor: Actor, key: str) -> Decision:
    """Who may import in its unit hears how an import goes."""
    try:
        load = Import.objects.for_actor(actor).filter(uuid=UUID(key)).first()
    except ValueError:
        load = None
    return decide(actor, IMPORT_CASES, load) if load else Decision(False, "")


realtime.streams.register("import", may_listen)
nav.add(
    nav.NavItem(
        key="imports",
        label=_("Imports"),
        icon="upload",
        url_name="cases:imports",
        permission=IMPORT_CASES,
        group="settings",
        order=40,
    )
)

"""Whoever asked for a file is told when it is there."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _

from cases.news import FINISHED
from crm.kit.actor import Actor
from crm.notices.kinds import Shown
from crm.notices.services import News, notify
from reporting.models import Export

THING = "export"


def tell_export(export: Export) -> None:
    """The export is ready; in the transaction that ends it."""
    if export.requested_by_id is not None:
        news = News(FINISHED, THING, export.uuid, f"{THING}:{export.uuid}")
        notify(export.organisation_id, [export.requested_by_id], news)


def exports_shown(actor: Actor, keys: Collection[str]) -> dict[str, Shown]:
    """The actor's own exports, as long as they are kept."""
    rows = Export.objects.for_actor(actor).filter(uuid__in=keys)
    return {
        str(row.uuid): Shown(_("Export"), row.get_subject_display(), reverse("reporting:exports"))
        for row in rows
    }

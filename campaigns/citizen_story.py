"""What campaigns tell in a citizen's own timeline: which messages they were sent."""

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.models import Delivery
from campaigns.permissions import VIEW_CAMPAIGN
from crm.citizens.models import Citizen
from crm.citizens.story import Asked, Moment
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.stories import By, Telling, beyond, place

SOURCE = "campaign"
TOLD = {SOURCE: _("Campaigns")}
Status = Delivery.Status
_TOLD: dict[str, tuple[str, Text]] = {
    Status.SENT: ("mail-forward", _("was sent a campaign's message")),
    Status.SOFT_BOUNCED: ("mail-question", _("was sent a campaign's message, which came back")),
    Status.HARD_BOUNCED: ("mail-x", _("was sent a campaign's message, which came back")),
    Status.COMPLAINED: ("mail-exclamation", _("reported a campaign's message as unwanted")),
    Status.UNKNOWN: ("mail-question", _("was perhaps sent a campaign's message")),
}


def tell(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """The campaigns' messages that left for the citizen, newest first."""
    left = Delivery.objects.for_actor(actor).filter(citizen=citizen, status__in=list(_TOLD))
    dated = left.annotate(at=F("settled_at")).select_related("run__campaign__topic")
    rows = beyond(dated, SOURCE, asked.before, newest_first=True)
    may_open = actor.holds(VIEW_CAMPAIGN)
    return [
        Moment(
            row.settled_at,
            *_TOLD[row.status],
            by=citizen.full_name,
            about=row.run.campaign.name,
            url=reverse("campaigns:detail", args=[row.run.campaign.uuid]) if may_open else "",
            place=place(row.settled_at, SOURCE, row.pk),
            telling=Telling(
                by=By.PERSON,
                person=row.citizen_id,
                facts=[(_("Topic"), row.run.campaign.topic.name)],
                for_person=True,
            ),
        )
        for row in rows.order_by("-settled_at", "-id")[: asked.limit]
        if row.settled_at is not None
    ]

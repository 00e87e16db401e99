"""Verbs on a campaign under way: pause, resume, stop."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.permissions import RUN_CAMPAIGN
from campaigns.selectors import last_run
from campaigns.services.writing import change, fetch, require_state, worker
from crm.kit.actor import Actor
from crm.kit.policy import require

STOPPED = "stopped"
TOO_MANY_ERRORS = "too_many_errors"
LOOKED_AT = 200  # latest deliveries by which the rate of errors is judged
FEWEST = 20
State = Campaign.State


@transaction.atomic
def pause_campaign(actor: Actor, campaign: UUID) -> Campaign:
    """Nothing more of it leaves; what is being handed over at this moment ends."""
    row = fetch(actor, campaign)
    require(actor, RUN_CAMPAIGN, row)
    require_state(row, State.RUNNING)
    row.state_reason = ""
    change(actor, RUN_CAMPAIGN, row, State.PAUSED, paused=True)
    return row


@transaction.atomic
def resume_campaign(actor: Actor, campaign: UUID) -> Campaign:
    """The rest leaves, and only the rest. Errors count from now on."""
    row = fetch(actor, campaign)
    require(actor, RUN_CAMPAIGN, row)
    require_state(row, State.PAUSED)
    runs = CampaignRun.objects.unscoped("of the actor's campaign").filter(campaign=row)
    runs.update(resumed_at=timezone.now(), not_before=None)
    row.state_reason = ""
    change(actor, RUN_CAMPAIGN, row, State.RUNNING, resumed=True)
    return row


@transaction.atomic
def stop_campaign(actor: Actor, campaign: UUID) -> Campaign:
    """It has ended: what has not left never does."""
    row = fetch(actor, campaign)
    require(actor, RUN_CAMPAIGN, row)
    require_state(row, State.SCHEDULED, State.RUNNING, State.PAUSED)
    now = timezone.now()
    run = last_run(row)
    cancelled = 0
    if run is not None:
        rows = Delivery.objects.unscoped("of the actor's campaign").filter(run=run)
        cancelled = rows.filter(status=Delivery.Status.QUEUED).update(
            status=Delivery.Status.CANCELLED, reason=STOPPED, settled_at=now
        )
        run.finished_at = now
        run.save(update_fields=["finished_at", "updated_at"])
    row.state_reason = ""
    change(actor, RUN_CAMPAIGN, row, State.CANCELLED, stopped=True, not_sent=cancelled)
    return row


@transaction.atomic
def pause_on_errors(run: CampaignRun) -> bool:
    """The campaign pauses by itself when too many of its latest messages were not taken."""
    rows = Delivery.objects.unscoped("of a run in hand").filter(
        run=run, settled_at__gte=run.resumed_at, status__in=[*Delivery.LEFT, *Delivery.ERRORS]
    )
    latest = list(rows.order_by("-settled_at").values_list("status", flat=True)[:LOOKED_AT])
    errors = sum(status in Delivery.ERRORS for status in latest)
    campaign = (
        Campaign.objects.unscoped("of a run in hand")
        .select_related("organisation")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=run.campaign_id)
    )
    beyond = errors * 100 > campaign.max_error_rate * len(latest)
    if len(latest) < FEWEST or not beyond or campaign.state != State.RUNNING:
        return False
    campaign.state_reason = TOO_MANY_ERRORS
    told = {"errors": errors, "of": len(latest)}
    change(worker(campaign.organisation), RUN_CAMPAIGN, campaign, State.PAUSED, **told)
    return True

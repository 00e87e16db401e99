"""What the clock does with approved campaigns: launch, end in time, and finish.

The audience is frozen by one INSERT … SELECT: each citizen described by the approved tree has one
delivery of the run, whatever happens afterwards.
"""

import secrets
import string
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Campaign, CampaignRun, Delivery, ShortLink
from campaigns.permissions import RUN_CAMPAIGN
from campaigns.rendering import targets
from campaigns.selectors import best_mailboxes, last_run
from campaigns.services.drafting import require_sendable
from campaigns.services.writing import change, worker
from campaigns.tokens import short_url
from crm.kit.errors import DomainError

LINKS_SERVE = 365  # days after the last moment for sending
CODE_LENGTH = 10
TOO_LATE = "too_late"
State = Campaign.State


def tend() -> None:
    """Each campaign that is due takes its next step. May run any number of times at once."""
    now = timezone.now()
    rows = Campaign.objects.unscoped("the clock tends everybody's")
    due = rows.filter(state=State.SCHEDULED, send_at__lte=now).order_by("send_at")
    for pk in list(due.values_list("pk", flat=True)[:50]):
        launch(pk)
    for pk in list(rows.filter(state=State.RUNNING).values_list("pk", flat=True)):
        _end(pk)


@transaction.atomic
def launch(pk: int) -> CampaignRun | None:
    """The scheduled campaign is being sent to an audience frozen now; None when somebody else saw to it.

    One that cannot be sent as it was approved waits for a person.
    """
    campaign = _locked(pk, State.SCHEDULED)
    if campaign is None:
        return None
    actor = worker(campaign.organisation)
    now = timezone.now()
    if campaign.send_not_after <= now:
        campaign.state_reason = TOO_LATE
        change(actor, RUN_CAMPAIGN, campaign, State.NEEDS_ATTENTION, reason=TOO_LATE)
        return None
    try:
        require_sendable(campaign)
    except DomainError as error:
        campaign.state_reason = str(error.message)
        change(actor, RUN_CAMPAIGN, campaign, State.NEEDS_ATTENTION, reason=error.code)
        return None
    run = CampaignRun.objects.create(
        campaign=campaign,
        domain=urlsplit(settings.PUBLIC_URL).hostname or "localhost",
        started_at=now,
        resumed_at=now,
        tokens_at=now,
    )
    run.links = _short_links(campaign)
    run.total = freeze(campaign, run)
    run.save(update_fields=["links", "total", "updated_at"])
    change(actor, RUN_CAMPAIGN, campaign, State.RUNNING, launched=True, recipients=run.total)
    return run


def freeze(campaign: Campaign, run: CampaignRun) -> int:
    """Every recipient of the run has a delivery: how many were made. A second time makes none."""
    assert campaign.tree is not None
    chosen = best_mailboxes(campaign.organisation_id, campaign.tree, campaign.topic)
    inner = chosen.values("citizen_id", "pk", "address_key", "language", "refusal")
    sql, parameters = inner.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO campaigns_delivery (
                uuid, updated_at, organisation_id, run_id, citizen_id, contact_point_id,
                recipient_key, language, status, reason, attempts, due_at, lease_owner, settled_at)
            SELECT gen_random_uuid(), now(), %s, %s, c.citizen_id, c.pk,
                c.citizen_id || ':' || c.address_key, coalesce(c.language, ''),
                CASE WHEN c.refusal = '' THEN 'queued' ELSE 'suppressed' END, c.refusal, 0, now(),
                '', CASE WHEN c.refusal = '' THEN NULL ELSE now() END
            FROM ({sql}) c
            ON CONFLICT (run_id, recipient_key) DO NOTHING
            """,  # noqa: S608 - the inner statement is Django's own, its values apart
            [campaign.organisation_id, run.pk, *parameters],
        )
        return int(cursor.rowcount)


def _short_links(campaign: Campaign) -> dict[str, str]:
    """Destination → short address, of every link in the approved words."""
    assert campaign.version is not None
    found = {}
    for target in targets(campaign.version.texts, campaign.values):
        link = ShortLink.objects.create(
            organisation_id=campaign.organisation_id,
            campaign=campaign,
            code=new_code(),
            target=target,
            valid_until=campaign.send_not_after + timedelta(days=LINKS_SERVE),
        )
        found[target] = short_url(link.code)
    return found


def new_code() -> str:
    """A code that nobody guesses and that tells nothing."""
    signs = string.ascii_letters + string.digits
    return "".join(secrets.choice(signs) for _ in range(CODE_LENGTH))


@transaction.atomic
def _end(pk: int) -> None:
    """What may not be sent any more is left out; a campaign with nothing to send has finished."""
    campaign = _locked(pk, State.RUNNING)
    run = last_run(campaign) if campaign else None
    if campaign is None or run is None:
        return
    now = timezone.now()
    rows = Delivery.objects.unscoped("the clock tends everybody's").filter(run=run)
    if campaign.send_not_after <= now:
        rows.filter(status=Delivery.Status.QUEUED).update(
            status=Delivery.Status.SUPPRESSED, reason=TOO_LATE, settled_at=now
        )
    if rows.filter(status__in=Delivery.OPEN).exists():
        return
    run.finished_at = now
    run.save(update_fields=["finished_at", "updated_at"])
    campaign.state_reason = ""
    change(worker(campaign.organisation), RUN_CAMPAIGN, campaign, State.FINISHED, finished=True)


def _locked(pk: int, state: str) -> Campaign | None:
    """The campaign if it is in that state and nobody else sees to it just now."""
    rows = Campaign.objects.unscoped("the clock tends everybody's")
    return (
        rows.select_related("topic", "segment", "template", "version", "organisation")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk=pk, state=state)
        .first()
    )

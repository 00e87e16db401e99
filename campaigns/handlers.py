"""Effects that the campaigns room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any

from campaigns import mailing
from campaigns.models import Campaign
from campaigns.services import feedback
from campaigns.services.drafting import TEST_MAIL, trial
from channels_app.email.reading import Report
from crm.accounts.models import User
from crm.kit import outbox
from crm.kit.errors import Invalid
from crm.kit.mail import post


@outbox.effect(TEST_MAIL)
def send_trial(payload: Mapping[str, Any]) -> None:
    """Who asked for a trial of a campaign has it in their mailbox."""
    user = User.objects.filter(pk=payload["user"], state=User.State.ACTIVE).first()
    campaign = (
        Campaign.objects.unscoped("a worker's errand")
        .select_related("organisation", "topic", "template", "version")
        .get(pk=payload["campaign"])
    )
    if user is None:
        return
    try:
        rendered = trial(campaign, payload["language"])
    except Invalid as error:  # changed meanwhile
        raise outbox.Undeliverable(error.code) from error
    post(mailing.message(campaign, rendered, user.email))


def heard(report: Report, key: str) -> bool:
    """What a mail server reports of a campaign's message stands in its delivery; False if it is none.

    Only of who quotes the mail itself: an address that a forged report had marked would get no more mail.
    """
    if not report.proven:
        return False
    if report.action == "complaint":
        return feedback.complained(report.original_id, key=key)
    if not report.failed:
        return False
    return feedback.bounced(
        report.original_id,
        hard=report.no_such_mailbox,
        status_code=report.status,
        diagnostic=report.diagnostic,
        key=key,
    )

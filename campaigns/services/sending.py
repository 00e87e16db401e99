"""How deliveries leave: claimed in batches under a lease, each handed over once at most.

queued → claimed (a worker has it) → sending (committed right before the hand-over) → sent or why not.
A worker that dies leaves `claimed` to be taken up again, `sending` to become `unknown`: whether the
mail server has it nobody knows, so nobody sends it again.
"""

import secrets
import smtplib
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from campaigns import mailing
from campaigns.models import Campaign, CampaignRun, Delivery, TemplateVersion
from campaigns.rendering import MissingValue
from campaigns.selectors import mailboxes
from campaigns.services import control, feedback
from campaigns.services.launching import TOO_LATE
from campaigns.services.writing import tell
from crm.citizens.models import Citizen, ContactPoint
from crm.kit.mail import Line, NoAnswer
from crm.kit.outbox import InDoubt, LeaseLost, TryLater, Undeliverable

BATCH = 100
LEASE = timedelta(seconds=60)
HANDING_OVER = timedelta(minutes=10)  # longer than the slowest talk with a mail server
WORKS_FOR = 45.0  # seconds of one task
SILENCE = timedelta(seconds=30)  # before a mail server that does not answer is called again
MOST_ATTEMPTS = 5
GONE, BUSY, REFUSED, MISSING = "no_mailbox", "server_busy", "refused", "missing_value"
# what a mail server says of an address that does not exist (RFC 5321 4.2.3, RFC 3463 X.1.X)
_NO_SUCH = ("5.1.", "5.2.1")
_NO_SUCH_CODES = {550, 551, 553}
Status = Delivery.Status


class Left(Exception):  # noqa: N818 - reads as what happened
    """At the moment of sending there is a reason against it."""


class Halted(Exception):  # noqa: N818 - likewise
    """The campaign does not run at this moment: the rest waits."""


def send_due(works_for: float = WORKS_FOR) -> int:
    """Send what is due until nothing is or the time is over; how many deliveries were taken in hand."""
    until, owner, taken = time.monotonic() + works_for, secrets.token_hex(8), 0
    if _senders() >= settings.CAMPAIGN_SENDERS:
        return 0
    with closing(Line()) as line:
        while time.monotonic() < until:
            batches = [send_batch(run, owner, line, until) for run in running()]
            taken += sum(batches)
            if not any(batches):
                break
    return taken


def running() -> list[int]:
    """The runs that have something to send."""
    rows = CampaignRun.objects.unscoped("workers serve every organisation")
    now = timezone.now()
    due = rows.filter(campaign__state=Campaign.State.RUNNING, finished_at=None)
    silent = due.filter(not_before__gt=now)
    return list(due.exclude(pk__in=silent).order_by("pk").values_list("pk", flat=True))


def send_batch(run: int, owner: str, line: Line, until: float | None = None) -> int:
    """A batch of a run is claimed and sent; how many were claimed."""
    rows = claim(run, owner, BATCH)
    if not rows:
        return 0
    job = Job.of(run, rows)
    try:
        for row in rows:
            if until is not None and time.monotonic() > until + LEASE.total_seconds() / 2:
                break  # the lease is running out
            job.send(row, owner, line)
    except NoAnswer:
        CampaignRun.objects.unscoped("a run in hand").filter(pk=run).update(
            not_before=Now() + SILENCE
        )
    except Halted:
        pass
    finally:
        release(owner)
    control.pause_on_errors(job.run)
    with transaction.atomic():
        tell(job.campaign)
    return len(rows)


@transaction.atomic
def claim(pk: int, owner: str, most: int) -> list[Delivery]:
    """Some queued deliveries are the owner's until their lease ends, no more than the pace allows."""
    runs = CampaignRun.objects.unscoped("workers serve every organisation")
    run = (
        runs.select_related("campaign")
        .select_for_update(of=("self",), no_key=True)  # one at a time says how many may leave
        .filter(pk=pk, finished_at=None, campaign__state=Campaign.State.RUNNING)
        .first()
    )
    if run is None or run.campaign.send_not_after <= timezone.now():
        return []
    allowed = _take_tokens(run, most)
    if not allowed:
        return []
    rows = list(
        Delivery.objects.unscoped("workers serve every organisation").raw(
            """
            WITH due AS (
                SELECT id FROM campaigns_delivery
                WHERE run_id = %s AND status = 'queued' AND due_at <= now()
                ORDER BY due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
            UPDATE campaigns_delivery d
            SET status = 'claimed', lease_until = now() + %s, lease_owner = %s,
                attempts = attempts + 1
            FROM due WHERE d.id = due.id RETURNING d.*
            """,
            [pk, allowed, LEASE, owner],
        )
    )
    if run.campaign.rate_per_minute:
        run.tokens -= len(rows)
        run.save(update_fields=["tokens", "tokens_at"])
    return sorted(rows, key=lambda row: row.pk)


def _take_tokens(run: CampaignRun, most: int) -> int:
    """How many may leave now: a bucket that fills by the minute's rate and holds a tenth of it."""
    rate = run.campaign.rate_per_minute
    if not rate:
        return most
    now = timezone.now()
    passed = max(0.0, (now - run.tokens_at).total_seconds())
    run.tokens, run.tokens_at = min(run.tokens + passed * rate / 60, max(1.0, rate / 10)), now
    return min(most, int(run.tokens))


def release(owner: str) -> int:
    """What the owner claimed and did not come to is queued again."""
    mine = Delivery.objects.unscoped("the worker's own").filter(
        status=Status.CLAIMED, lease_owner=owner
    )
    return mine.update(
        status=Status.QUEUED, lease_until=None, lease_owner="", attempts=F("attempts") - 1
    )


@transaction.atomic
def sweep() -> tuple[int, int]:
    """What died with its worker: claimed is queued again, being handed over is in doubt; how many."""
    over = Delivery.objects.unscoped("the sweeper looks after all").filter(lease_until__lt=Now())
    doubtful = over.filter(status=Status.SENDING).update(
        status=Status.UNKNOWN, lease_until=None, settled_at=Now()
    )
    back = over.filter(status=Status.CLAIMED).update(
        status=Status.QUEUED, lease_until=None, lease_owner=""
    )
    # claimed when their campaign was stopped, and given back since
    Delivery.objects.unscoped("the sweeper looks after all").filter(
        status=Status.QUEUED, run__campaign__state=Campaign.State.CANCELLED
    ).update(status=Status.CANCELLED, reason=control.STOPPED, settled_at=Now())
    return back, doubtful


def _senders() -> int:
    """How many workers are sending just now: others have work, too."""
    live = Delivery.objects.unscoped("workers serve every organisation").filter(
        status__in=[Status.CLAIMED, Status.SENDING], lease_until__gt=Now()
    )
    return live.order_by().values("lease_owner").distinct().count()


@dataclass
class Job:
    """One batch with what its messages are made of."""

    run: CampaignRun
    campaign: Campaign
    version: TemplateVersion
    citizens: dict[int, Citizen]

    @classmethod
    def of(cls, pk: int, rows: list[Delivery]) -> "Job":
        """Everything that the batch's messages share, and its citizens, in a few queries."""
        run = (
            CampaignRun.objects.unscoped("a run in hand")
            .select_related("campaign__topic", "campaign__organisation", "campaign__version")
            .get(pk=pk)
        )
        assert run.campaign.version is not None
        people = Citizen.objects.unscoped("recipients of a run in hand").in_bulk(
            [row.citizen_id for row in rows]
        )
        return cls(run, run.campaign, run.campaign.version, people)

    @cached_property
    def _needs_town(self) -> bool:
        return "((municipality" in str(self.version.texts)

    def send(self, row: Delivery, owner: str, line: Line) -> None:
        """The delivery has left, or it says why not."""
        try:
            mail = self._mail(row, self._allowed(row))
            self._post(mail, row, owner, line)
        except LeaseLost:
            return
        except Left as left:
            settle(row, owner, Status.SUPPRESSED, str(left), Status.CLAIMED)
        except MissingValue:
            settle(row, owner, Status.SUPPRESSED, MISSING, Status.CLAIMED)

    def _post(self, mail: EmailMultiAlternatives, row: Delivery, owner: str, line: Line) -> None:
        try:
            line.post(mail, lambda: self._hand_over(row, owner))
        except NoAnswer:
            raise
        except TryLater:
            self._later(row, owner)
        except Undeliverable as error:
            self._refused(row, owner, error.__cause__)
        except InDoubt:
            settle(row, owner, Status.UNKNOWN)
        else:
            settle(row, owner, Status.SENT)

    def _mail(self, row: Delivery, point: ContactPoint) -> EmailMultiAlternatives:
        citizen = self.citizens[row.citizen_id]
        town = mailing.town_of(row.organisation_id, row.citizen_id) if self._needs_town else ""
        to = mailing.recipient(citizen, row.language, town, self.campaign.organisation)
        links = self.run.links
        rendered = mailing.words(
            self.campaign, self.version, to, lambda target: links.get(target, target)
        )
        return mailing.message(self.campaign, rendered, point.address, delivery=row, run=self.run)

    def _allowed(self, row: Delivery) -> ContactPoint:
        """The mailbox, if something about the topic may be sent there at this moment."""
        found = mailboxes(row.organisation_id, self.campaign.topic)
        point = found.filter(pk=row.contact_point_id).first()
        if point is None or row.recipient_key != f"{row.citizen_id}:{point.address_key}":
            raise Left(GONE)
        refusal = str(vars(point)["refusal"])
        if refusal:
            raise Left(refusal)
        return point

    def _hand_over(self, row: Delivery, owner: str) -> None:
        """Right before it leaves: all is asked once more, and written down that it is leaving."""
        with transaction.atomic(durable=True):
            campaign = Campaign.objects.unscoped("a run in hand").get(pk=self.campaign.pk)
            if campaign.state != Campaign.State.RUNNING:
                raise Halted
            if campaign.send_not_after <= timezone.now():
                raise Left(TOO_LATE)
            self._allowed(row)
            held = Delivery.objects.unscoped("the worker's own").filter(
                pk=row.pk, lease_owner=owner, status=Status.CLAIMED
            )
            if not held.update(status=Status.SENDING, lease_until=Now() + HANDING_OVER):
                raise LeaseLost

    def _refused(self, row: Delivery, owner: str, cause: BaseException | None) -> None:
        """The server will not take it: for an address that does not exist, as a bounce; else failed."""
        code, text = next(_answers(cause), (0, ""))
        if not no_such_address(code, text):
            settle(row, owner, Status.FAILED, REFUSED)
        elif settle(row, owner, Status.HARD_BOUNCED):
            feedback.note_bounce(row, hard=True, status_code=str(code), diagnostic=text, key="smtp")

    def _later(self, row: Delivery, owner: str) -> None:
        """The server had a moment's reason: once more, later, but not for ever."""
        if row.attempts >= MOST_ATTEMPTS:
            settle(row, owner, Status.FAILED, BUSY)
            return
        Delivery.objects.unscoped("the worker's own").filter(
            pk=row.pk, lease_owner=owner, status=Status.SENDING
        ).update(
            status=Status.QUEUED,
            lease_until=None,
            lease_owner="",
            due_at=Now() + timedelta(seconds=30 * 3 ** (row.attempts - 1)),
        )


def settle(
    row: Delivery, owner: str, status: str, reason: str = "", held_as: str = Status.SENDING
) -> bool:
    """What became of it stands, if it is still the owner's: compare and swap. Doubt may end so."""
    with transaction.atomic():
        mine = Delivery.objects.unscoped("the worker's own").filter(
            pk=row.pk, lease_owner=owner, status__in=[held_as, Status.UNKNOWN]
        )
        return bool(mine.update(status=status, reason=reason, lease_until=None, settled_at=Now()))


def _answers(cause: BaseException | None) -> Iterator[tuple[int, str]]:
    if isinstance(cause, smtplib.SMTPRecipientsRefused):
        for code, text in cause.recipients.values():
            told = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
            yield int(code), told[:400]


def no_such_address(code: int, text: str) -> bool:
    """Whether a server's no means that the mailbox does not exist, and not that it dislikes us."""
    enhanced = text.split(maxsplit=1)[0] if text else ""
    if enhanced[:2] == "5." and enhanced.count(".") == 2:
        return enhanced.startswith(_NO_SUCH)
    return code in _NO_SUCH_CODES

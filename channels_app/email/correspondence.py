"""What is written on a case's page joins the e-mail thread in which its citizen writes: one conversation
for them, whichever page the employee had open."""

from email.utils import formataddr

from django.db.models import QuerySet

from cases.models import Case
from cases.models import Message as CaseMessage
from cases.ports import Letterhead
from cases.texts import one_line
from channels_app.email import sending
from channels_app.email.reading.letter import LOOP_FIELD
from channels_app.email.setup import loop_mark
from channels_app.models import AccountKind, Conversation
from crm.citizens.models import Channel, ContactPoint

_LATEST = 50  # threads of a case that are looked at


class Threads:
    """The case's conversations by e-mail."""

    def address(self, case: Case) -> str:
        """Where the case's citizen last wrote from; empty when that is nobody or not surely theirs.

        Somebody else's thread may be linked to a case: who is known to be its citizen counts, and of
        a case of nobody yet, who alone has written in it.
        """
        rows = list(_threads(case)[:_LATEST])
        found = {row.contact_address.lower() for row in rows}
        if not found or case.citizen_id is None:
            return found.pop() if len(found) == 1 else ""
        points = ContactPoint.objects.unscoped("of the case's citizen").filter(
            organisation=case.organisation_id, citizen=case.citizen_id, channel=Channel.EMAIL
        )
        of_citizen = list(points.filter(address_key__in=found))
        known = {
            point.address_key
            for point in of_citizen
            if point.ended_at is None and point.quality != ContactPoint.Quality.BAD
        }
        wrong = {point.address_key for point in of_citizen} - known
        for row in rows:
            address = row.contact_address.lower()
            if address in known or (row.citizen_id == case.citizen_id and address not in wrong):
                return row.contact_address
        return ""

    def letterhead(self, message: CaseMessage) -> Letterhead | None:
        """How a message to that address goes on with its thread."""
        row = _threads(message.case).filter(contact_address__iexact=message.address).first()
        if row is None:
            return None
        said = sending.addressed(row)["headers"]
        headers = {LOOP_FIELD: loop_mark()}
        if said["in_reply_to"]:
            headers["In-Reply-To"] = f"<{said['in_reply_to']}>"
        if said["references"]:
            headers["References"] = " ".join(f"<{name}>" for name in said["references"])
        return Letterhead(
            sender=formataddr((one_line(row.account.name), row.account.address)),
            subject=sending.subject_of(row, message.case),
            headers=headers,
            server=lambda: sending.connection_of(row.account),
        )


def _threads(case: Case) -> "QuerySet[Conversation]":
    """Latest first, of accounts that are in use."""
    return (
        Conversation.objects.unscoped("of one case")
        .filter(case_links__case=case, account__kind=AccountKind.EMAIL, account__is_active=True)
        .exclude(contact_address="")
        .select_related("account__organisation")
        .order_by("-last_inbound_at", "-pk")
    )

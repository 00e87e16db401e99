"""What mail servers report comes in through the mail room and stands in the campaign's deliveries."""

import pytest
from django.core import mail

from campaigns.models import Delivery, DeliveryEvent
from campaigns.services import launching, sending
from crm.kit.mail import mark_of
from tests.conftest import World
from tests.factories.campaigns import approved, reader, topic_of
from tests.factories.mail import arrive, make_mailbox

pytestmark = pytest.mark.django_db

REPORT = """From: MAILER-DAEMON@mx.example
To: atencion@here.example
Message-ID: <{key}@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

No pudo ser.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ana@example.org
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 no

--b
Content-Type: text/rfc822-headers

Message-ID: {id}
X-Ventanilla-Mark: {mark}
--b--
"""


@pytest.mark.parametrize(
    ("status", "state", "quality"),
    [("5.1.1", "hard_bounced", "bad"), ("5.7.1", "soft_bounced", "good")],
)
def test_a_report_reaches_the_delivery_that_it_is_about_and_no_other(
    world: World, status: str, state: str, quality: str
) -> None:
    topic = topic_of(world.here)
    point, other = (reader(world.here, topic, name=name) for name in ("Ana", "Bea"))
    type(point).objects.update(quality="good")
    assert launching.launch(approved(world.here, topic).pk)
    sending.send_due()
    (sent,) = (one for one in mail.outbox if one.to == [point.address])
    account = make_mailbox(world.unit)
    forged = REPORT.format(
        status=status, id=sent.extra_headers["Message-ID"], key="dsn-0", mark="0" * 32
    )
    arrive(account, forged.encode())
    assert not DeliveryEvent.objects.exists(), "its Message-ID alone goes round with every answer"
    for key, named in (
        ("dsn-1", sent.extra_headers["Message-ID"]),
        ("dsn-1", sent.extra_headers["Message-ID"]),  # the same report, fetched twice
        ("dsn-2", "<guessed@here.example>"),
    ):
        raw = REPORT.format(status=status, id=named, key=key, mark=mark_of(named))
        arrive(account, raw.encode())
    rows = Delivery.objects.values_list("contact_point", "status")
    assert dict(rows) == {point.pk: state, other.pk: "sent"}
    assert DeliveryEvent.objects.count() == 1
    for row, said in ((point, quality), (other, "good")):
        row.refresh_from_db()
        assert row.quality == said

"""A campaign before it is sent: written, refused for what is missing, approved by somebody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Delivery, Segment, TemplateVersion
from campaigns.services import control, drafting, launching, sending
from campaigns.services.audiences import allow_destination, forbid_destination, save_segment
from campaigns.services.templates import save_template
from crm.audit.models import AuditEntry
from crm.citizens.models import Channel, CitizenRecord, ContactPoint
from crm.kit import outbox
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.campaigns import EVERYBODY, approved, draft, parts, reader, topic_of
from tests.factories.citizens import ContactPointFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(world: World) -> Actor:
    return acting(employee(world.here, "communications", full_name="Autora"))


@pytest.fixture
def approver(world: World) -> Actor:
    return acting(employee(world.here, "supervisor", full_name="Aprobadora"))


def words(body: str) -> dict[str, dict[str, str]]:
    return {"es": {"subject": "Asunto", "body": body}}


def test_nobody_approves_what_they_wrote(world: World, author: Actor) -> None:
    reader(world.here)
    row = draft(author, topic_of(world.here), *parts(world.here))
    drafting.submit_campaign(author, row.uuid)
    with pytest.raises(Refused, match="Somebody else must approve it"):
        drafting.approve_campaign(author, row.uuid)
    other = acting(employee(world.here, "communications"))
    Campaign.objects.filter(pk=row.pk).update(submitted_by=other.user_id)
    with pytest.raises(Refused):
        drafting.approve_campaign(other, row.uuid)  # asked for it, though another wrote it
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=row.pk).update(approved_by=other.user_id)


def test_nothing_is_sent_that_was_not_approved(world: World, author: Actor) -> None:
    reader(world.here)
    row = draft(author, topic_of(world.here), *parts(world.here))
    for state in ("scheduled", "running"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.filter(pk=row.pk).update(state=state)
    launching.tend()
    assert launching.launch(row.pk) is None
    assert not Delivery.objects.exists()


def test_what_was_approved_is_what_is_sent(world: World, author: Actor, approver: Actor) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic, language="es")
    segment, template = parts(world.here, words=words("Lo aprobado"))
    row = draft(author, topic, segment, template)
    drafting.submit_campaign(author, row.uuid)
    save_template(author, template.name, words("Otra cosa"), template.uuid)
    nobody = {"all": [{"field": "language", "op": "is", "value": ["eu"]}]}
    save_segment(author, segment.name, nobody, segment.uuid)
    drafting.approve_campaign(approver, row.uuid)
    run = launching.launch(row.pk)
    assert run is not None
    sending.send_due()
    assert [message.body.partition("\n")[0] for message in mail.outbox] == ["Lo aprobado"]


def test_versions_of_a_template_never_change(world: World, author: Actor) -> None:
    _segment, template = parts(world.here)
    first = TemplateVersion.objects.get(template=template)
    save_template(author, template.name, words("Hola"), template.uuid)
    save_template(author, template.name, words("Hola"), template.uuid)  # the same words
    assert list(template.versions.order_by("number").values_list("number", flat=True)) == [1, 2]
    with pytest.raises(Exception, match="append_only"), transaction.atomic():
        TemplateVersion.objects.filter(pk=first.pk).update(texts={})


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("Hasta el ((until:date))", "((until)) has no value."),
        ("[Ver](((page)))", "((page)) has no value."),
        ("Vive en ((municipality))", "((municipality)): 1 recipients have no value"),
        ("[x](https://evil.example)", "Links may not lead to evil.example."),
        ("[x](https://val.example.evil.org)", "Links may not lead to val.example.evil.org."),
        ("[x](http://www.val.example)", "write a whole address"),
    ],
)
def test_what_is_missing_is_named_before_approval(
    world: World, author: Actor, body: str, refusal: str
) -> None:
    point = reader(world.here)
    reader(world.here)
    ContactPointFactory(
        citizen=point.citizen, organisation=world.here, channel=Channel.POST, locality="Getafe"
    )
    row = draft(author, topic_of(world.here), *parts(world.here, words=words(body)))
    with pytest.raises(Invalid) as refused:
        drafting.submit_campaign(author, row.uuid)
    assert any(refusal in str(text) for text in refused.value.errors[""])
    assert Campaign.objects.get(pk=row.pk).state == "draft"


def test_an_empty_audience_is_refused(world: World, author: Actor) -> None:
    row = draft(author, topic_of(world.here), *parts(world.here))
    with pytest.raises(Invalid, match="Nobody with a mailbox"):
        drafting.submit_campaign(author, row.uuid)


def test_a_destination_forbidden_after_approval_stops_the_launch(
    world: World, author: Actor
) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    campaign = approved(world.here, topic)
    admin = acting(employee(world.here, "administrator"))
    forbid_destination(admin, allow_destination(admin, "val.example").uuid)
    assert launching.launch(campaign.pk) is None
    campaign.refresh_from_db()
    assert campaign.state == "needs_attention"
    assert "www.val.example" in campaign.state_reason
    drafting.withdraw_campaign(author, campaign.uuid)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.approved_by_id, campaign.version_id) == ("draft", None, None)


def test_a_returned_campaign_tells_its_author_why(
    world: World, author: Actor, approver: Actor
) -> None:
    reader(world.here)
    row = draft(author, topic_of(world.here), *parts(world.here))
    with pytest.raises(Conflict):
        drafting.approve_campaign(approver, row.uuid)
    drafting.submit_campaign(author, row.uuid)
    with pytest.raises(Invalid):
        drafting.return_campaign(approver, row.uuid, "  ")
    drafting.return_campaign(approver, row.uuid, "Falta la fecha")
    row.refresh_from_db()
    assert (row.state, row.state_reason) == ("draft", "Falta la fecha")
    told = AuditEntry.objects.filter(action="campaigns.approve_campaign").get()
    assert told.data["returned"] == "Falta la fecha"


@pytest.mark.parametrize(
    "verb",
    [
        drafting.submit_campaign,
        drafting.withdraw_campaign,
        drafting.approve_campaign,
        control.pause_campaign,
        control.resume_campaign,
        control.stop_campaign,
    ],
)
def test_another_organisations_campaign_does_not_exist(
    world: World, author: Actor, verb: Callable[..., Any]
) -> None:
    row = draft(author, topic_of(world.here), *parts(world.here))
    stranger = acting(employee(world.elsewhere, "communications"))
    with pytest.raises(NotFound):
        verb(stranger, row.uuid)
    with pytest.raises(Refused):
        verb(world.actor(world.alice), row.uuid)


def test_another_organisations_parts_do_not_exist(world: World, author: Actor) -> None:
    mine = parts(world.here)
    theirs = parts(world.elsewhere)
    here, elsewhere = topic_of(world.here), topic_of(world.elsewhere)
    for given in ((elsewhere, *mine), (here, theirs[0], mine[1]), (here, mine[0], theirs[1])):
        with pytest.raises(NotFound):
            draft(author, *given)


def test_a_trial_goes_to_who_asked_and_to_nobody_else(world: World, author: Actor) -> None:
    reader(world.here)
    row = draft(author, topic_of(world.here), *parts(world.here))
    drafting.send_test(author, row.uuid, "es", "x@y")
    Outbox.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    while outbox.drain():
        pass
    (message,) = mail.outbox
    user = employee(world.here).__class__.objects.get(pk=author.user_id)
    assert message.to == [user.email]
    assert "María Ejemplo Prueba" in message.body
    assert "This is a trial" in message.body
    assert "List-Unsubscribe" not in message.extra_headers
    assert not Delivery.objects.exists()


def test_a_preview_shows_a_recipient_and_the_look_is_on_record(world: World, author: Actor) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic, name="Ana")
    withdrawn = reader(world.here, topic, name="Bea", state="withdrawn")
    row = draft(author, topic, *parts(world.here))
    _row, shown = drafting.preview_recipient(author, row.uuid, 1)
    assert shown is not None
    assert (shown.citizen, shown.refusal) == (withdrawn.citizen, "withdrawn")
    assert shown.rendered is not None
    assert "Hola, Bea" in shown.rendered.html
    look = AuditEntry.objects.filter(action="viewed").get()
    assert (look.object_id, look.purpose) == (
        str(withdrawn.citizen.uuid),
        "Preview of a campaign",
    )
    assert drafting.preview_recipient(author, row.uuid, 2)[1] is None


def test_the_window_of_sending_is_checked(world: World, author: Actor) -> None:
    topic, (segment, template) = topic_of(world.here), parts(world.here)
    now = timezone.now()
    for begins, ends in (
        (None, now - timedelta(minutes=1)),
        (now + timedelta(days=1), now + timedelta(hours=1)),
        (None, now + timedelta(days=90)),
    ):
        with pytest.raises(Invalid) as refused:
            draft(author, topic, segment, template, send_at=begins, send_not_after=ends)
        assert list(refused.value.errors) == ["send_not_after"]


def test_deliveries_stand_in_the_citizens_timeline(world: World) -> None:
    from crm.citizens.story import timeline

    topic = topic_of(world.here)
    point = reader(world.here, topic)
    left_out = reader(world.here, topic, state="withdrawn")
    launching.launch(approved(world.here, topic, name="Otoño").pk)
    sending.send_due()
    told = timeline(acting(employee(world.here, "supervisor")), point.citizen)["moments"]
    assert isinstance(told, list)
    (moment,) = [one for one in told if one.about == "Otoño"]
    assert str(moment.text) == "was sent a campaign's message"
    assert moment.url.startswith("/campanas/")
    (plain,) = [
        one
        for one in timeline(world.actor(world.alice), point.citizen)["moments"]  # type: ignore[attr-defined]
        if one.about == "Otoño"
    ]
    assert plain.url == ""  # who may not see campaigns is not led to one
    others = timeline(world.actor(world.alice), left_out.citizen)["moments"]
    assert [one for one in others if one.about == "Otoño"] == []  # type: ignore[attr-defined]


# --- Pages ------------------------------------------------------------------------------------------


def browser(actor: Actor) -> Client:
    from crm.accounts.models import User

    client = Client()
    client.force_login(
        User.objects.get(pk=actor.user_id), "crm.accounts.authentication.PasswordBackend"
    )
    return client


def test_results_leave_as_a_file_that_runs_nothing(world: World, author: Actor) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic, name="=HYPERLINK(1)", surname1="Zafra")
    campaign = approved(world.here, topic)
    launching.launch(campaign.pk)
    sending.send_due()
    answer = browser(author).get(f"/campanas/{campaign.uuid}/resultados.csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=HYPERLINK(1) Zafra Prueba" in text
    assert text.count("Sent") == 1


def test_who_was_protected_since_leaves_the_results_by_initials(
    world: World, author: Actor
) -> None:
    topic = topic_of(world.here)
    point = reader(world.here, topic, name="Rosa", surname1="Quiñones")
    campaign = approved(world.here, topic)
    launching.launch(campaign.pk)
    sending.send_due()
    CitizenRecord.objects.unscoped("test").filter(citizen=point.citizen).update(
        protected=True, protected_reason="Violencia"
    )
    answer = browser(author).get(f"/campanas/{campaign.uuid}/resultados.csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "R. Q. P." in text
    assert text.count("Sent") == 1
    assert "Quiñones" not in text
    assert point.address not in text


def test_the_result_page_tells_figures_as_pictures_and_tables(world: World, author: Actor) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    reader(world.here, topic, state="withdrawn")
    campaign = approved(world.here, topic)
    launching.launch(campaign.pk)
    sending.send_due()
    page = browser(author).get(f"/campanas/{campaign.uuid}/").content.decode()
    assert "2 of 2 recipients" in page
    assert "Has said that they do not want it" in page
    assert page.count("<figure") == page.count('<svg class="chart-svg') == 2
    assert page.count("chart-table") == 2


def test_the_builder_works_without_scripts_and_counts(world: World, author: Actor) -> None:
    for _person in range(5):
        reader(world.here, language="eu")
    reader(world.here)
    client = browser(author)
    page = client.post(
        "/campanas/publicos/nuevo/", {"name": "Euskara", "k.0": "all", "act": "add:0"}
    )
    assert b'name="k.0.0"' in page.content
    assert b"choose at least one value" in page.content
    leaf = {"k.0.0": "leaf", "f.0.0": "language", "o.0.0": "is", "v.0.0": ["eu"]}
    part = client.post("/campanas/publicos/condiciones/", {"k.0": "all", **leaf})
    assert "5 people with a mailbox" in " ".join(part.content.decode().split())
    saved = client.post("/campanas/publicos/nuevo/", {"name": "Euskara", "k.0": "all", **leaf})
    assert saved.status_code == 302
    row = Segment.objects.get(name="Euskara")
    assert row.estimated_size == 5
    again = client.post("/campanas/publicos/nuevo/", {"name": "Euskara", "k.0": "all"})
    assert again.status_code == 422
    assert row.tree != EVERYBODY


def test_a_small_count_is_told_to_who_may_see_the_records_only(
    world: World, author: Actor, approver: Actor
) -> None:
    """With the right conditions it would say of somebody that a case of theirs is open."""
    assert not author.holds("citizens.view_citizen")
    assert approver.holds("citizens.view_citizen")
    topic = topic_of(world.here)
    for people, told in ((0, None), (1, None), (4, None), (5, "5"), (6, "6")):
        while ContactPoint.objects.filter(organisation=world.here).count() < people:
            reader(world.here, topic, language="eu")
        tree = {"all": [{"field": "language", "op": "is", "value": ["eu"]}]}
        leaf = {"k.0.0": "leaf", "f.0.0": "language", "o.0.0": "is", "v.0.0": ["eu"]}
        few = "Fewer than 5 people with a mailbox"
        said = few if told is None else f"{told} people with a mailbox"
        built = browser(author).post("/campanas/publicos/condiciones/", {"k.0": "all", **leaf})
        assert said in " ".join(built.content.decode().split())
        row = draft(author, topic, *parts(world.here, tree))
        for actor, expected in (
            (author, said),
            (approver, "1 person" if people == 1 else f"{people} people"),
        ):
            client = browser(actor)
            page = " ".join(client.get(f"/campanas/{row.uuid}/").content.decode().split())
            assert expected in page
            listed = {
                segment.pk: size
                for segment, _words, size in client.get("/campanas/publicos/").context["segments"]
            }
            hidden = actor is author and told is None
            assert hasattr(listed[row.segment_id], "people") is not hidden
    text = " ".join(browser(author).get("/campanas/publicos/").content.decode().split())
    assert text.count("fewer than 5 ·") == 3

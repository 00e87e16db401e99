"""The employee's side: answering, transferring, identifying, linking, closing; and whose it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases import timeline
from cases.models import Case
from channels_app import selectors, services, states
from channels_app.email import verbs
from channels_app.models import (
    AgentSlot,
    Conversation,
    Delivery,
    Direction,
    Message,
    Queue,
    State,
    WorkItem,
)
from channels_app.services import routing, visiting
from crm.audit.models import AuditEntry
from crm.citizens import story
from crm.citizens.models import Channel
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused
from reporting import case_history
from reporting.models import Variant
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.channels_app import PUBLIC, begin, make_account, make_agent, make_queue
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mail import arrive, letter, make_mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(world: World) -> Queue:
    return make_queue(world.unit)


@pytest.fixture
def mine(world: World, queue: Queue) -> Conversation:
    """A conversation that Alice attends."""
    make_agent(world.alice, queue, units=3)
    row, _token = begin(make_account(queue))
    return services.take(acting(world.alice), row.uuid)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_its_owner_answers(world: World, mine: Conversation, queue: Queue) -> None:
    colleague = employee(world.here, "agent", unit=world.unit)
    with pytest.raises(Refused):
        services.reply(acting(colleague), mine.uuid, "Yo también")
    for stranger in (world.bob, world.charlie):
        with pytest.raises(NotFound):
            services.reply(acting(stranger), mine.uuid, "Hola")
    services.add_note(acting(colleague), mine.uuid, "La conozco")
    said = list(mine.messages.order_by("number").values_list("direction", "body"))
    assert said[1:] == [(Direction.INTERNAL, "La conozco")]


def test_an_answer_sent_twice_is_told_once(world: World, mine: Conversation) -> None:
    key = uuid4()
    alice = acting(world.alice)
    first = services.reply(alice, mine.uuid, "Buenos días", key=key)
    again = services.reply(alice, mine.uuid, "Buenos días", key=key)
    assert first.pk == again.pk
    mine.refresh_from_db()
    assert mine.answered_at == first.at
    assert mine.last_number == 2


@pytest.mark.parametrize("body", ["", "   \n", "x" * 4001])
def test_nothing_and_too_much_are_not_sent(world: World, mine: Conversation, body: str) -> None:
    with pytest.raises(Invalid):
        services.reply(acting(world.alice), mine.uuid, body)
    assert mine.messages.count() == 1


def test_what_was_said_never_changes_and_delivery_only_moves_forward(
    world: World, mine: Conversation
) -> None:
    message = services.reply(acting(world.alice), mine.uuid, "Buenos días")
    rows = Message.objects.filter(pk=message.pk)
    rows.update(state=Delivery.READ)
    for change in ({"state": Delivery.SENT}, {"state": Delivery.FAILED}, {"body": "Otra cosa"}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows.update(**change)
    message.refresh_from_db()
    assert (message.state, message.body) == (Delivery.READ, "Buenos días")


def test_a_transfer_takes_everything_and_its_age_along(
    world: World, mine: Conversation, queue: Queue
) -> None:
    age = WorkItem.objects.get().enqueued_at
    other = make_queue(world.other_unit, "tributos")
    alice = acting(world.alice)
    with pytest.raises(Invalid):
        services.transfer(alice, mine.uuid, other.uuid, " ")
    foreign = make_queue(world.foreign_unit, "ajena")
    with pytest.raises(Invalid):
        services.transfer(alice, mine.uuid, foreign.uuid, "No es nuestro")

    services.transfer(alice, mine.uuid, other.uuid, "Es un tributo")

    row = Conversation.objects.get()
    assert (row.state, row.owner, row.queue, row.unit) == (
        State.WAITING,
        None,
        other,
        world.other_unit,
    )
    open_item = WorkItem.objects.exclude(status="done").get()
    assert (open_item.queue, open_item.enqueued_at) == (other, age)
    assert AgentSlot.objects.get().used_units == 0
    assert row.messages.get(direction=Direction.INTERNAL).body == "Es un tributo"
    bob = acting(world.bob)
    make_agent(world.bob, other)
    services.take(bob, row.uuid)
    assert services.reply(bob, row.uuid, "Buenos días").number == 3
    with pytest.raises(NotFound):  # it has left her unit
        services.reply(alice, row.uuid, "Sigo aquí")


def test_who_gives_a_conversation_away_is_not_offered_it_back(
    world: World, mine: Conversation, queue: Queue
) -> None:
    other = make_queue(world.unit, "tributos")
    slot = AgentSlot.objects.get()
    other.members.create(agent=slot)
    services.transfer(acting(world.alice), mine.uuid, other.uuid, "Es un tributo")
    assert routing.match(world.here.pk) == 0


def test_nobody_is_taken_for_a_citizen_by_a_mailbox(world: World, queue: Queue) -> None:
    citizen = CitizenFactory(organisation=world.here)
    ContactPointFactory(
        citizen=citizen,
        organisation=world.here,
        channel=Channel.EMAIL,
        address="ana@example.org",
        address_key="ana@example.org",
    )
    make_agent(world.alice, queue)
    row, _token = begin(make_account(queue))
    alice = acting(world.alice)
    services.take(alice, row.uuid)
    row.refresh_from_db()
    assert row.citizen is None
    page = signed_in(world.alice).get(f"/conversaciones/{row.uuid}/persona/").content.decode()
    assert str(citizen.uuid) in page
    services.identify(alice, row.uuid, citizen.uuid)
    row.refresh_from_db()
    assert row.citizen == citizen
    elsewhere = CitizenFactory(organisation=world.elsewhere)
    with pytest.raises(NotFound):
        services.identify(alice, row.uuid, elsewhere.uuid)


def test_a_case_opened_from_it_tells_the_conversation_to_case_and_citizen(
    world: World, mine: Conversation
) -> None:
    citizen = CitizenFactory(organisation=world.here)
    CaseTypeFactory(organisation=world.here, code="consulta")
    alice = acting(world.alice)
    services.identify(alice, mine.uuid, citizen.uuid)
    services.reply(alice, mine.uuid, "Necesita el volante")
    services.add_note(alice, mine.uuid, "Llamar mañana")

    case = services.open_case(alice, mine.uuid, case_type="consulta", subject="Empadronamiento")

    assert (case.citizen, case.channel) == (citizen, Channel.WEB_CHAT)
    told = timeline.whole_story(alice, case)
    words = [entry.sentence for entry in told]
    assert "Buenos días, ¿qué papeles necesito?" in words
    assert "Necesita el volante" in words
    assert "Llamar mañana" in words
    public = [e.sentence for e in timeline.whole_story(alice, case, groups=["messages"])]
    assert public == ["Buenos días, ¿qué papeles necesito?", "Necesita el volante"]
    newest = timeline.story(alice, case, timeline.Asked(newest_first=True, limit=2))
    rest = timeline.story(
        alice, case, timeline.Asked(newest_first=True, after=newest[-1].sort, limit=100)
    )
    assert [e.sort for e in [*newest, *rest]] == [e.sort for e in reversed(told)]
    moments = [str(m.text) for m in story.timeline(alice, citizen)["moments"]]  # type: ignore[attr-defined]
    assert "attends the conversation" in moments
    full = case_history.content(case, Variant.FULL, "es", alice)
    assert [words.text for words in full.messages] == public
    assert [words.text for words in full.notes] == ["Llamar mañana"]
    redacted = case_history.content(case, Variant.REDACTED, "es", alice)
    assert "Ana Visitante" not in str(redacted)
    assert "Alice Arias" not in str(redacted)
    page = signed_in(world.alice).get(f"/casos/{case.uuid}/")
    assert "Necesita el volante" in page.content.decode()


def test_linking_asks_for_a_case_that_one_may_see(world: World, mine: Conversation) -> None:
    alice = acting(world.alice)
    case = CaseFactory(unit=world.unit)
    hidden = CaseFactory(unit=world.other_unit)
    foreign = CaseFactory(unit=world.foreign_unit)
    for other in (hidden, foreign):
        with pytest.raises(Invalid):
            services.link_case(alice, mine.uuid, other.reference)
    services.link_case(alice, mine.uuid, f" {case.reference.lower()} ")
    services.link_case(alice, mine.uuid, case.reference)
    assert list(mine.cases.all()) == [case]
    assert Case.objects.filter(conversations=mine).count() == 1


def test_closing_asks_how_it_ended(world: World, mine: Conversation, queue: Queue) -> None:
    alice = acting(world.alice)
    foreign = make_queue(world.unit, "otra").wrap_up_codes.get()
    for code in (None, uuid4(), foreign.uuid):
        with pytest.raises(Invalid):
            services.close(alice, mine.uuid, code)
    code = queue.wrap_up_codes.get()
    services.close(alice, mine.uuid, code.uuid, "Todo claro")
    row = Conversation.objects.get()
    assert (row.state, row.wrap_up_code, row.ended_by) == (State.CLOSED, code, "employee")
    assert AgentSlot.objects.get().used_units == 0
    with pytest.raises(Conflict):
        services.close(alice, mine.uuid, code.uuid)
    with pytest.raises(Conflict):
        services.reply(alice, mine.uuid, "Una cosa más")


def test_the_visitor_who_ends_it_leaves_the_wrap_up_to_do(
    world: World, mine: Conversation, queue: Queue
) -> None:
    visiting.leave(mine, PUBLIC)
    row = Conversation.objects.get()
    assert (row.state, row.owner, row.ended_by) == (State.WRAP_UP, world.alice, "citizen")
    assert WorkItem.objects.get().status == WorkItem.Status.WRAP
    services.close(acting(world.alice), mine.uuid, queue.wrap_up_codes.get().uuid)
    assert Conversation.objects.get().ended_by == "citizen"


def test_opening_a_conversation_leaves_an_entry(world: World, mine: Conversation) -> None:
    assert signed_in(world.alice).get(f"/conversaciones/{mine.uuid}/").status_code == 200
    entry = AuditEntry.objects.get(action="viewed", object_id=str(mine.uuid))
    assert entry.actor_id == world.alice.pk
    assert signed_in(world.bob).get(f"/conversaciones/{mine.uuid}/").status_code == 404
    assert signed_in(world.charlie).get(f"/conversaciones/{mine.uuid}/").status_code == 404


def test_the_desk_by_hand(world: World, queue: Queue) -> None:
    """Offer, accept, answer, transfer and close through the pages themselves."""
    client = signed_in(world.alice)
    assert client.get("/conversaciones/").status_code == 200
    AgentSlot.objects.get().memberships.create(queue=queue)
    assert client.post("/conversaciones/presencia/", {"state": "available"}).status_code == 302
    row, _token = begin(make_account(queue))
    routing.match(world.here.pk)
    offer = AgentSlot.objects.get().offers.get()
    assert f"/ofertas/{offer.uuid}/aceptar/" in client.get("/conversaciones/cola/").content.decode()
    taken = client.post(f"/conversaciones/ofertas/{offer.uuid}/aceptar/")
    assert taken.headers["Location"] == f"/conversaciones/{row.uuid}/"
    late = client.post(f"/conversaciones/ofertas/{offer.uuid}/aceptar/")
    assert late.headers["Location"] == "/conversaciones/"
    answer = client.post(
        f"/conversaciones/{row.uuid}/responder/",
        {"text": "Buenos días", "idempotency_key": uuid4().hex},
        headers={"HX-Request": "true"},
    )
    assert "Buenos días" in answer.content.decode()
    assert answer.headers["HX-Reswap"] == "morph:outerHTML"
    assert client.post(f"/conversaciones/{row.uuid}/leida/").status_code == 204
    assert row.messages.get(number=1).state == Delivery.READ
    assert client.post("/conversaciones/latido/").json() == {"state": "available"}
    code = queue.wrap_up_codes.get()
    closed = client.post(f"/conversaciones/{row.uuid}/cerrar/", {"code": str(code.uuid)})
    assert closed.headers["Location"] == "/conversaciones/"


def test_what_a_page_asks_by_itself_does_not_keep_a_session_awake(world: World) -> None:
    client = signed_in(world.alice)
    client.get("/conversaciones/")
    session = client.session
    session["seen"] = session["seen"] - 60
    session.save()
    client.post("/conversaciones/latido/", headers={"X-Passive": "1"})
    assert client.session["seen"] == session["seen"]
    client.get("/conversaciones/")
    assert client.session["seen"] > session["seen"]


def test_the_wallboard_counts_what_is(world: World, queue: Queue) -> None:
    boss = employee(world.here, "supervisor", full_name="Sonia Supervisa")
    make_agent(world.alice, queue)
    account = make_account(queue)
    begin(account)
    taken, _token = begin(account)
    services.take(acting(world.alice), taken.uuid)
    gone, _token = begin(account)
    visiting.leave(gone, PUBLIC)
    (row,), agents = selectors.wallboard(acting(boss))
    assert (row.waiting, row.attended, row.answered_today, row.abandoned_today) == (1, 1, 1, 1)
    assert (row.share, row.agents, row.late) == (50, 1, False)
    assert [agent.user for agent in agents] == [world.alice]
    assert signed_in(boss).get("/colas/").status_code == 200
    assert "Alice Arias" in signed_in(boss).get("/colas/ahora/").content.decode()
    assert signed_in(world.alice).get("/colas/").status_code == 403
    stranger = employee(world.elsewhere, "supervisor")
    assert selectors.wallboard(acting(stranger)) == ([], [])


def test_letters_wait_in_their_queue_too(world: World, queue: Queue) -> None:
    """The regression: a queue of e-mails showed zeros whatever waited in it."""
    boss = employee(world.here, "supervisor")
    mailbox = make_mailbox(world.unit, acknowledge=False)
    mailbox.queue = queue
    mailbox.save()
    for number in range(3):
        arrive(mailbox, letter(sender=f"ana{number}@correo.example", id=f"{number}@mail.example"))
    first, second, third = Conversation.objects.unscoped("a test").order_by("pk")
    rows = Conversation.objects.unscoped("a test's clock")
    an_hour_ago = timezone.now() - timedelta(hours=1)
    rows.filter(pk=first.pk).update(last_inbound_at=an_hour_ago)
    verbs.take(acting(world.alice), second.uuid)
    now = timezone.now()
    rows.filter(pk=third.pk).update(
        opened_at=an_hour_ago, answered_at=now, ended_at=now, closed_at=now, state=State.CLOSED
    )
    (row,), _agents = selectors.wallboard(acting(boss))
    assert (row.waiting, row.oldest, row.attended) == (1, an_hour_ago, 1)
    assert (row.answered_today, row.within_today, row.abandoned_today) == (1, 0, 0)
    assert row.late
    rows.filter(pk=third.pk).update(answered_at=timezone.now() - timedelta(days=2))
    (row,), _agents = selectors.wallboard(acting(boss))
    assert row.answered_today == 0


# --- States --------------------------------------------------------------------------------------


def test_every_state_is_reached_and_can_end() -> None:
    assert set(states.MOVES) == set(State)
    assert set().union(*states.MOVES.values()) == set(State) - {State.MACHINE}
    for state in set(State) - {State.CLOSED}:
        seen, edge = {state}, {state}
        while edge := {after for one in edge for after in states.MOVES[one]} - seen:
            seen |= edge
        assert State.CLOSED in seen


_ACTS = (
    "match",
    "accept",
    "decline",
    "take",
    "reply",
    "transfer",
    "end",
    "leave",
    "close",
    "expire",
)


@given(acts=st.lists(st.sampled_from(_ACTS), max_size=14))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_done_in_whatever_order_the_rows_agree(world: World, acts: list[str]) -> None:
    with transaction.atomic():
        queue = make_queue(world.unit, f"q-{uuid4().hex[:8]}")
        other = make_queue(world.unit, f"o-{uuid4().hex[:8]}")
        user = employee(world.here, "agent", unit=world.unit)
        slot = make_agent(user, queue, other, units=1)
        row, _token = begin(make_account(queue))
        actor = acting(user)
        for act in acts:
            try:
                with transaction.atomic():
                    _do(act, actor, row, queue, other, slot)
            except DomainError:
                pass
            _agree(row, slot)
        transaction.set_rollback(True)


def _do(
    act: str, actor: Any, row: Conversation, queue: Queue, other: Queue, slot: AgentSlot
) -> None:
    offers = slot.offers.filter(outcome=None)
    acts: dict[str, Callable[[], object]] = {
        "match": lambda: routing.match(row.organisation_id),
        "accept": lambda: [services.accept(actor, offer.uuid) for offer in offers],
        "decline": lambda: [services.decline(actor, offer.uuid) for offer in offers],
        "take": lambda: services.take(actor, row.uuid),
        "reply": lambda: services.reply(actor, row.uuid, "Hola"),
        "transfer": lambda: services.transfer(actor, row.uuid, other.uuid, "Nota"),
        "end": lambda: services.end(actor, row.uuid),
        "leave": lambda: visiting.leave(row, PUBLIC),
        "close": lambda: services.close(actor, row.uuid, _code(row)),
        "expire": lambda: [offers.update(expires_at=row.opened_at), routing.expire_offers()],
    }
    acts[act]()


def _code(row: Conversation) -> UUID:
    row.refresh_from_db()
    assert row.queue is not None
    return row.queue.wrap_up_codes.get().uuid


def _agree(row: Conversation, slot: AgentSlot) -> None:
    row.refresh_from_db()
    slot.refresh_from_db()
    items = list(WorkItem.objects.filter(conversation=row).exclude(status="done"))
    held = [item for item in items if item.status in WorkItem.HELD]
    assert slot.used_units == sum(item.weight for item in held)
    wanted = {
        State.WAITING: {"queued", "offered"},
        State.ACTIVE: {"active"},
        State.WRAP_UP: {"wrap"},
        State.CLOSED: set(),
    }[State(row.state)]
    assert {item.status for item in items} <= wanted
    assert len(items) == (0 if row.state == State.CLOSED else 1)
    ringing = slot.offers.filter(outcome=None).count()
    assert ringing == sum(item.status == "offered" for item in items)


def test_of_the_protected_the_desk_shows_initials_and_nothing_that_they_said_of_themselves(
    world: World, mine: Conversation
) -> None:
    Conversation.objects.filter(pk=mine.pk).update(
        contact_name="Rosita Quiñones", contact_address="rosa@example.org"
    )
    mine.messages.filter(direction=Direction.IN).update(author_name="Rosita Quiñones")
    rosa = CitizenFactory(organisation=world.here, name="Rosa", surname1="Quiñones", surname2="Pi")
    services.identify(acting(world.alice), mine.uuid, rosa.uuid)
    alice = signed_in(world.alice)
    paths = [f"/conversaciones/{mine.uuid}/{part}" for part in ("", "hilo/", "persona/")]
    assert "rosa@example.org" in alice.get(paths[2]).content.decode()
    rosa.records.update(protected=True, protected_reason="Orden")
    for path in paths:
        answer = alice.get(path)
        text = answer.content.decode()
        assert answer.status_code == 200
        assert ("R. Q. P." in text) == (path != paths[2]), path  # who may not open them reads why
        for hidden in ("Rosita", "Quiñones", "rosa@example.org"):
            assert hidden not in text, (path, hidden)


def test_what_rings_names_a_protected_person_by_initials(
    world: World, mine: Conversation, queue: Queue
) -> None:
    """One that a colleague identified and gave back rings at the next one."""
    Conversation.objects.filter(pk=mine.pk).update(contact_name="Rosita Quiñones")
    rosa = CitizenFactory(organisation=world.here, name="Rosa", surname1="Quiñones", surname2="Pi")
    services.identify(acting(world.alice), mine.uuid, rosa.uuid)
    services.transfer(acting(world.alice), mine.uuid, queue.uuid, note="Pregunta por su ayuda")
    colleague = employee(world.here, "agent", unit=world.unit)
    slot = make_agent(colleague, queue)
    routing.match(world.here.pk)

    def rings() -> list[str]:
        return [ring.name for ring in selectors.desk(acting(colleague), slot).offers]

    assert rings() == ["Rosita Quiñones"]
    rosa.records.update(protected=True, protected_reason="Orden")
    assert rings() == ["R. Q. P."]
    page = signed_in(colleague).get("/conversaciones/").content.decode()
    assert "R. Q. P." in page
    assert "Rosita" not in page


def test_of_a_linked_case_that_one_may_not_see_not_even_the_number_is_told(
    world: World, mine: Conversation
) -> None:
    boss = acting(employee(world.here, "supervisor"))
    near, far = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    for case in (near, far):
        services.link_case(acting(world.alice), mine.uuid, case.reference)
    Case.objects.filter(pk=far.pk).update(unit=world.other_unit)
    path = f"/conversaciones/{mine.uuid}/hilo/"
    text = signed_in(world.alice).get(path).content.decode()
    assert near.reference in text
    assert far.reference not in text
    everything = "\n".join(part.sentence for part in selectors.thread(boss, mine))
    assert near.reference in everything
    assert far.reference in everything


def test_who_may_only_read_conversations_writes_no_note(world: World, mine: Conversation) -> None:
    auditor = employee(world.here, "auditor", unit=world.unit)
    with pytest.raises(Refused):
        services.add_note(acting(auditor), mine.uuid, "Apunte")
    answer = signed_in(auditor).get(f"/conversaciones/{mine.uuid}/")
    assert (answer.status_code, 'id="composer"' in answer.content.decode()) == (200, False)
    assert not mine.messages.filter(direction=Direction.INTERNAL).exists()

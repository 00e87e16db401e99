"""Transfers between organisations: the packet and nothing else, one responsible unit, status only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cases import services
from cases.models import (
    TRANSFERRED,
    Case,
    CaseTransfer,
    Custody,
    Document,
    Message,
    Note,
    StateCategory,
)
from cases.services import Abroad, told_at
from cases.services.packets import Ticked
from crm.accounts.actors import system_actor
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.organisations.models import DataClass
from tests.cases.transferring import RULE, Killed, Sides, at, killed_at, sides_of
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory


@pytest.fixture
def sides(world: World) -> Sides:
    return sides_of(world)


@pytest.fixture
def lucia(sides: Sides) -> Citizen:
    made: Citizen = CitizenFactory(name="Lucía", surname1="Sanz", organisation=sides.world.here)
    ContactPointFactory(
        citizen=made,
        organisation=sides.world.here,
        channel="email",
        address="lucia@correo.example",
        address_key="lucia@correo.example",
    )
    return made


@pytest.fixture
def case(sides: Sides, lucia: Citizen) -> Case:
    made: Case = CaseFactory(
        unit=sides.world.unit,
        case_type=sides.kind,
        citizen=lucia,
        opened_at=at("2026-03-02"),
        subject="Ayuda urgente",
        description="Sin calefacción",
    )
    services.take_case(acting(sides.world.alice), made.uuid)
    services.add_note(sides.boss, made.uuid, "Nota muy interna")
    services.record_message(sides.boss, made.uuid, "Tengo frío", channel="phone")
    made.refresh_from_db()
    return made


@pytest.fixture
def paper(sides: Sides, case: Case, settings: Any, tmp_path: Any) -> Document:
    settings.MEDIA_ROOT = tmp_path
    return services.attach_document(sides.boss, case.uuid, [b"El papel del padron"], "padron.txt")


@contextmanager
def conflict(code: str) -> Iterator[None]:
    with pytest.raises(Conflict) as error:
        yield
    assert error.value.code == code


def accept(sides: Sides, row: CaseTransfer, **given: Any) -> Case:
    done = services.accept_transfer(sides.far, row.uuid, case_type="socorro", **given)
    assert done.received_case is not None
    return done.received_case


def responsible(case: Case) -> list[tuple[str, str]]:
    """Whoever is responsible for the matter, by all the rows that say so."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    rows = Case.objects.unscoped("a test").select_related("unit__organisation")
    given = rows.get(pk=case.pk)
    transfer = CaseTransfer.objects.unscoped("a test").filter(case=case).exclude(received_case=None)
    found = [
        (row.unit.organisation.code, row.unit.code)
        for row in [given, *(rows.get(pk=one.received_case_id) for one in transfer)]
        if row.state != TRANSFERRED
    ]
    for owner in Custody.objects.unscoped("a test").filter(case=case, until=None):
        assert [(owner.unit.organisation.code, owner.unit.code)] == found
    return found


def test_accepted_with_the_packet_and_nothing_else(
    sides: Sides, case: Case, paper: Document, lucia: Citizen
) -> None:
    services.attach_document(sides.boss, case.uuid, [b"otro"], "no-viaja.txt")
    row = sides.offer_abroad(case, paper)
    assert responsible(case) == [("HERE", "NORTH")]
    received = accept(sides, row)
    assert responsible(case) == [("ELSE", "FAR")]
    assert (received.subject, received.description) == ("Ayuda urgente", "Sin calefacción")
    assert (received.organisation, received.unit) == (
        sides.world.elsewhere,
        sides.world.foreign_unit,
    )
    assert received.citizen == lucia
    assert CitizenRecord.objects.for_actor(sides.far).get().citizen == lucia
    assert received.opened_at == case.opened_at  # its term does not begin anew
    assert received.due_at == case.due_at
    documents = Document.objects.unscoped("a test").filter(case=received)
    assert [(one.name, one.sha256) for one in documents] == [("padron.txt", paper.sha256)]
    said = Message.objects.unscoped("a test").filter(case=received)
    assert [one.body for one in said] == ["Tengo frío"]
    assert not Note.objects.unscoped("a test").filter(case=received).exists()
    kinds = [event.kind for event in received.events.order_by("seq")]
    assert kinds == ["opened", "attached", "messaged", "received"]
    spans = Custody.objects.unscoped("a test").filter(case=received).select_related("unit")
    assert [span.unit.code for span in spans] == ["NORTH", "FAR"]


def test_the_origin_is_told_and_the_citizen_is_too(sides: Sides, case: Case) -> None:
    received = accept(sides, sides.offer_abroad(case))
    given = Case.objects.unscoped("a test").get(pk=case.pk)
    assert (given.state, given.category) == (TRANSFERRED, StateCategory.CLOSED)
    assert (given.assignee, given.version) == (None, case.version + 1)
    kinds = [event.kind for event in given.events.order_by("seq")]
    assert kinds[-4:] == ["noted", "transfer_offered", "messaged", "transferred"]
    (told,) = Message.objects.unscoped("a test").filter(case=given, direction="out")
    assert received.reference in told.body
    assert told.state == "queued"  # on its way by e-mail
    trail = AuditEntry.objects.unscoped("a test").filter(action="cases.transfer_case")
    assert {
        (entry.organisation_id == sides.world.here.pk, entry.object_type) for entry in trail
    } >= {(True, "cases.case"), (False, "cases.case"), (False, "cases.casetransfer")}


def test_nobody_of_the_origin_reads_more_than_the_state(sides: Sides, case: Case) -> None:
    row = sides.offer_abroad(case)
    accept(sides, row)
    system = system_actor(sides.world.here, ORIGIN)
    for actor in (sides.boss, sides.north, acting(sides.world.alice)):
        assert not Case.objects.for_actor(actor).filter(pk=case.pk).exists()
        for model in (Note, Message, Document):
            assert not model.objects.for_actor(actor).filter(case=case).exists()
        found = CaseTransfer.objects.for_actor(actor).get()
        assert "subject" not in found.packet
        with pytest.raises(NotFound):
            services.add_note(actor, case.uuid, "Más")
    assert Case.objects.for_actor(system).filter(pk=case.pk).exists()  # for its citizen
    with pytest.raises(Conflict):
        services.reopen_case(system, case.uuid, reason="Vuelve")


@pytest.mark.parametrize("verb", [services.return_transfer, services.refuse_transfer])
def test_given_back_it_is_whole(sides: Sides, case: Case, verb: Callable[..., Any]) -> None:
    row = sides.offer_abroad(case)
    verb(sides.far, row.uuid, reason="No es de aquí")
    assert responsible(case) == [("HERE", "NORTH")]
    case.refresh_from_db()
    assert (case.state, case.assignee) == ("new", sides.world.alice)
    last = case.events.order_by("-seq")[0]
    assert last.actor_name == sides.world.elsewhere.name  # not who there
    row.refresh_from_db()
    assert row.packet == {"parts": [*row.packet["parts"]], "documents": []}  # nothing kept there


def test_nobody_there_sees_more_than_the_packet(sides: Sides, case: Case, paper: Document) -> None:
    row = sides.offer_abroad(case, parts=["description"])
    assert not Case.objects.for_actor(sides.far).exists()
    found = CaseTransfer.objects.for_actor(sides.far).get()
    assert {*found.packet} == {
        *("subject", "case_type", "opened_at", "priority", "language", "channel"),
        *("documents", "description"),
    }
    assert "Lucía" not in str(found.packet)
    assert "Nota" not in str(found.packet)
    assert not CaseTransfer.objects.for_actor(acting(sides.world.bob)).exists()
    received = accept(sides, row)
    assert received.citizen is None
    assert not Message.objects.unscoped("a test").filter(case=received).exists()


def test_by_an_agreement_in_force_and_only_what_it_covers(sides: Sides, case: Case) -> None:
    def offer(*parts: str) -> CaseTransfer:
        return sides.offer_abroad(case, basis="agreement", text="", parts=parts)

    with pytest.raises(Invalid) as error:
        offer("description")
    assert [*error.value.errors] == ["basis"]
    agreement = sides.agree(DataClass.CASE_STATUS, DataClass.CASE_CONTENT)
    with pytest.raises(Invalid):
        offer("citizen")  # says nothing of who it is
    row = offer("description")
    assert (row.agreement, row.basis_text) == (agreement, "Ley 40/2015, art. 155")
    agreement.revoked_at = timezone.now()
    agreement.save()
    with conflict("agreement_ended"):
        accept(sides, row)
    assert responsible(case) == [("HERE", "NORTH")]


def test_by_the_consent_of_whoever_it_is_about(sides: Sides, case: Case) -> None:
    def offer(**given: Any) -> CaseTransfer:
        abroad = Abroad(basis="consent", **given)
        return sides.offer(case, sides.boss, unit=sides.world.foreign_unit, abroad=abroad)

    for given, field in (
        ({"text": "Lucía, por teléfono"}, "consent_on"),
        ({"text": "Lucía", "consent_on": date(2100, 1, 1)}, "consent_on"),
        ({"consent_on": date(2026, 3, 3)}, "basis_text"),
    ):
        with pytest.raises(Invalid) as error:
            offer(**given)
        assert [*error.value.errors] == [field]
    row = offer(text="Lucía, por teléfono", consent_on=date(2026, 3, 3))
    told = case.events.order_by("-seq")[0].data
    assert (told["basis"], told["basis_text"], told["consent_on"]) == (
        *("consent", "Lucía, por teléfono"),
        "2026-03-03",
    )
    assert row.sent_by == sides.boss_user


def test_it_needs_a_basis(sides: Sides, case: Case) -> None:
    with pytest.raises(Invalid) as error:
        sides.offer(case, sides.boss, unit=sides.world.foreign_unit)
    assert [*error.value.errors] == ["basis"]
    assert not Note.objects.unscoped("a test").filter(case=case, body__contains="calle").exists()


def test_the_specially_protected_only_with_the_right(
    sides: Sides, case: Case, paper: Document
) -> None:
    paper.confidentiality = 3
    paper.save()
    row = sides.offer_abroad(case, paper)  # a supervisor sees such
    services.withdraw_transfer(sides.boss, row.uuid)
    services.change_confidentiality(sides.boss, case.uuid, 3)
    row = sides.offer_abroad(case)
    charlie = acting(sides.world.charlie)
    assert not CaseTransfer.objects.for_actor(charlie).exists()
    assert CaseTransfer.objects.for_actor(sides.far).exists()
    received = accept(sides, row)
    assert received.confidentiality == 3


def test_who_is_protected_travels_protected_and_only_by_who_may_open_it(
    sides: Sides, case: Case, lucia: Citizen
) -> None:
    records = CitizenRecord.objects.unscoped("a test").filter(citizen=lucia)
    records.update(protected=True, protected_reason="Víctima")
    row = sides.offer_abroad(case)
    assert row.packet["citizen"]["name"] == "L. S. P."
    accept(sides, row)
    assert records.get(organisation=sides.world.elsewhere).protected


def test_suspensions_and_extensions_go_along(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-10")):
        services.suspend_clock(
            sides.boss,
            case.uuid,
            ground="22.1.a",
            reason="Papeles",
            limit=date(2026, 3, 25),
        )
    case.refresh_from_db()
    due = case.due_at
    with told_at(at("2026-03-12")):
        row = sides.offer_abroad(case)
    with told_at(at("2026-03-13")):
        received = accept(sides, row)
    received.refresh_from_db()
    assert (received.due_at, received.suspended_on) == (due, date(2026, 3, 10))


def test_it_may_go_on_to_a_third_and_come_back(sides: Sides, case: Case) -> None:
    there = accept(sides, sides.offer_abroad(case))
    abroad = Abroad(basis="rule", text=RULE, ticked=Ticked(parts=frozenset(["citizen"])))
    back = sides.offer(there, sides.far, unit=sides.world.unit, abroad=abroad)
    home = services.accept_transfer(sides.north, back.uuid, case_type="ayuda").received_case
    assert home is not None
    assert (home.unit, home.opened_at) == (sides.world.unit, case.opened_at)
    assert responsible(there) == [("HERE", "NORTH")]
    given = Case.objects.unscoped("a test").get(pk=case.pk)
    assert given.state == TRANSFERRED  # the old number leads on, it does not come to life


def test_what_still_comes_goes_on_to_the_case_there(
    sides: Sides, case: Case, paper: Document
) -> None:
    received = accept(sides, sides.offer_abroad(case))
    system = system_actor(sides.world.here, ORIGIN)  # as the intake of e-mail acts
    services.record_message(system, case.uuid, "Sigo con frío", channel="email")
    services.attach_document(system, case.uuid, [b"Otro papel"], "otro.txt")
    said = Message.objects.for_actor(sides.far).filter(case=received).order_by("created_at")
    assert [one.body for one in said] == ["Tengo frío", "Sigo con frío"]
    names = [one.name for one in Document.objects.for_actor(sides.far).filter(case=received)]
    assert names == ["otro.txt"]


def test_accepting_twice_gives_one_case(sides: Sides, case: Case) -> None:
    row = sides.offer_abroad(case)
    accept(sides, row)
    with conflict("transfer_answered"):
        accept(sides, row)
    assert Case.objects.unscoped("a test").filter(organisation=sides.world.elsewhere).count() == 1


def test_of_a_unit_there_that_is_not_the_accepters(sides: Sides, case: Case) -> None:
    row = sides.offer_abroad(case)
    with pytest.raises(Invalid):  # another organisation's unit
        accept(sides, row, unit=sides.world.unit.uuid)
    with pytest.raises(Refused):
        services.accept_transfer(acting(sides.world.charlie), row.uuid, case_type="socorro")
    with pytest.raises(Invalid):
        services.accept_transfer(sides.far, row.uuid)  # as what?


# --- Killed anywhere -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_killed_before_any_statement_one_unit_is_responsible(
    sides: Sides, case: Case, paper: Document
) -> None:
    row = sides.offer_abroad(case, paper)
    steps = 0
    for statement in range(1, 400):
        try:
            with killed_at(statement):
                accept(sides, row)
        except Killed:
            steps += 1
            row.refresh_from_db()
            assert row.state == "offered"
            assert responsible(case) == [("HERE", "NORTH")]
            assert (
                not Case.objects.unscoped("a test")
                .filter(organisation=sides.world.elsewhere)
                .exists()
            )
        else:
            break
    assert steps > 50
    assert responsible(case) == [("ELSE", "FAR")]


STEPS: dict[str, tuple[Callable[[Sides, Case], Any], Callable[[Sides, Any], object], str, str]] = {
    # what is there, what is done, what the offer is after it, and who is responsible then
    "offered": (
        lambda sides, case: case,
        lambda sides, case: sides.offer(case),
        "offered",
        "NORTH",
    ),
    "offered abroad": (
        lambda sides, case: case,
        lambda sides, case: sides.offer_abroad(case),
        "offered",
        "NORTH",
    ),
    "accepted": (
        lambda sides, case: sides.offer(case),
        lambda sides, row: services.accept_transfer(sides.south, row.uuid),
        "accepted",
        "SOUTH",
    ),
    "returned": (
        lambda sides, case: sides.offer(case),
        lambda sides, row: services.return_transfer(sides.south, row.uuid, reason="Falta"),
        "returned",
        "NORTH",
    ),
    "refused": (
        lambda sides, case: sides.offer(case),
        lambda sides, row: services.refuse_transfer(sides.south, row.uuid, reason="No es nuestro"),
        "refused",
        "NORTH",
    ),
    "withdrawn": (
        lambda sides, case: sides.offer(case),
        lambda sides, row: services.withdraw_transfer(sides.north, row.uuid),
        "withdrawn",
        "NORTH",
    ),
    "expired": (
        lambda sides, case: sides.offer(case),
        lambda sides, row: services.expire_transfers(row.due_at + timedelta(days=1)),
        "expired",
        "NORTH",
    ),
    "returned from abroad": (
        lambda sides, case: sides.offer_abroad(case),
        lambda sides, row: services.return_transfer(sides.far, row.uuid, reason="Falta"),
        "returned",
        "NORTH",
    ),
    "refused abroad": (
        lambda sides, case: sides.offer_abroad(case),
        lambda sides, row: services.refuse_transfer(sides.far, row.uuid, reason="No es nuestro"),
        "refused",
        "NORTH",
    ),
    "withdrawn from abroad": (
        lambda sides, case: sides.offer_abroad(case),
        lambda sides, row: services.withdraw_transfer(sides.boss, row.uuid),
        "withdrawn",
        "NORTH",
    ),
    "expired abroad": (
        lambda sides, case: sides.offer_abroad(case),
        lambda sides, row: services.expire_transfers(row.due_at + timedelta(days=1)),
        "expired",
        "NORTH",
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", list(STEPS))
def test_killed_before_any_statement_of_any_step(sides: Sides, case: Case, step: str) -> None:
    prepared, act, state, unit = STEPS[step]
    given = prepared(sides, case)
    rows = CaseTransfer.objects.unscoped("a test").filter(case=case)
    before = list(rows.values_list("state", flat=True))
    deaths = 0
    for statement in range(1, 400):
        try:
            with killed_at(statement):
                act(sides, given)
        except Killed:
            deaths += 1
            assert list(rows.values_list("state", flat=True)) == before
            assert responsible(case) == [("HERE", "NORTH")]
        else:
            break
    assert deaths >= 10
    assert list(rows.values_list("state", flat=True)) == [state]
    assert responsible(case) == [("HERE", unit)]


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_two_or_none(sides: Sides, case: Case) -> None:
    """Whatever writes it: given away and kept, or gone to nobody, is not committed."""
    rows = Case.objects.unscoped("a test").filter(pk=case.pk)
    with pytest.raises(Exception, match="no responsible unit"), transaction.atomic():
        rows.update(state=TRANSFERRED)
    row = sides.offer_abroad(case)
    received = CaseFactory(unit=sides.world.foreign_unit, case_type=sides.far_kind)
    with pytest.raises(Exception, match="given away and kept"), transaction.atomic():
        CaseTransfer.objects.unscoped("a test").filter(pk=row.pk).update(
            state="accepted", received_case=received, answered_at=timezone.now()
        )
    accept(sides, row)
    with pytest.raises(Exception, match="no responsible unit"), transaction.atomic():
        rows.update(state="new")

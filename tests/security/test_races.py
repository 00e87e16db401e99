"""Two at once: one has the effect, the others are told; nobody meets a fault of ours."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from pytest_django import Settings

from cases import services as cases
from cases.models import BulkAction, Case, Event, EventKind, Import, Link, Note
from cases.services.bulk import Bulk, chosen_cases, prepare_bulk, run_bulk, start_bulk
from cases.services.imports import keep_upload, map_columns, start_import
from crm.accounts.models import Invitation, Membership, Role, User
from crm.accounts.services import people, roles
from crm.audit.models import AuditEntry
from crm.kit.errors import DomainError
from crm.kit.secrets import digest, new_token
from crm.organisations.services import load_public_holidays
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.cases import CaseFactory

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> Counter[Any]:
    """How often each answer was given: a status, "done", or the code of a refusal."""
    ready = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            ready.wait(20)
            return getattr(work(), "status_code", "done")
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return Counter(future.result(60) for future in [pool.submit(run, work) for work in works])


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def told(case: Case, kind: EventKind) -> int:
    return Event.objects.filter(case=case, kind=kind).count()


# --- Cases


def test_of_four_who_take_a_case_one_has_it(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    agents = [acting(employee(world.here, "agent", unit=world.unit)) for _each in range(4)]
    given = at_once(*[partial(cases.take_case, agent, case.uuid) for agent in agents])
    assert given == {"done": 1, "case_taken": 3}
    assert told(case, EventKind.ASSIGNED) == 1


def test_a_case_is_closed_once_and_reopened_once(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    agents = [acting(employee(world.here, "supervisor", unit=world.unit)) for _each in range(4)]
    closing = [partial(cases.close_case, agent, case.uuid, outcome="Hecho") for agent in agents]
    assert at_once(*closing) == {"done": 1, "case_ended": 3}
    opening = [partial(cases.reopen_case, agent, case.uuid, reason="Falta") for agent in agents]
    assert at_once(*opening) == {"done": 1, "case_open": 3}
    assert told(case, EventKind.MOVED) == 2


def test_a_link_is_made_and_undone_once(world: World) -> None:
    boss = acting(employee(world.here, "supervisor"))
    one, two = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    linking = partial(cases.link_cases, boss, one.uuid, two.uuid)
    assert at_once(linking, linking, linking) == {"done": 1, "link_exists": 2}
    link = Link.objects.unscoped("test").get()
    undoing = partial(cases.unlink_cases, boss, one.uuid, link.uuid)
    assert at_once(undoing, undoing, undoing) == {"done": 1, "not_found": 2}
    assert [told(case, EventKind.UNLINKED) for case in (one, two)] == [1, 1]


def test_undoing_a_link_locks_both_cases_in_the_order_in_which_a_link_is_made(
    world: World,
) -> None:
    """In another order two such acts would wait for each other until one of them fails."""
    boss = acting(employee(world.here, "supervisor"))
    first, second = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    link = cases.link_cases(boss, second.uuid, first.uuid)

    def undo() -> None:
        try:
            cases.unlink_cases(boss, second.uuid, link.uuid)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Case.objects.unscoped("test").select_for_update(no_key=True).get(pk=first.pk)
            undone = pool.submit(undo)
            wait_until_somebody_waits()
            free = Case.objects.unscoped("test").select_for_update(no_key=True, nowait=True)
            assert free.get(pk=second.pk) == second  # held by the other, it would be refused
        undone.result(20)
    assert not Link.objects.unscoped("test").exists()


def wait_until_somebody_waits() -> None:
    """Until another connection of this database stands before one of our locks."""
    with connection.cursor() as cursor:
        for _each in range(2_000):
            cursor.execute(
                "SELECT count(*), pg_sleep(0.01) FROM pg_locks"
                " WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            row = cursor.fetchone()
            if row and row[0]:
                return
    raise AssertionError("nobody waits")


def test_a_note_whose_key_is_that_of_another_case_is_refused(world: World) -> None:
    mine = CaseFactory(unit=world.unit)
    client = signed_in(world.alice)
    for unit, author in ((world.unit, world.alice), (world.foreign_unit, world.charlie)):
        note = cases.add_note(acting(author), CaseFactory(unit=unit).uuid, "Suya")
        sent = {"text": "Mía", "idempotency_key": str(note.uuid)}
        assert client.post(f"/casos/{mine.uuid}/notas/", sent).status_code == 409
    assert not Note.objects.unscoped("test").filter(case=mine).exists()


def test_a_bulk_action_run_by_two_workers_does_each_case_once(world: World) -> None:
    boss = acting(employee(world.here, "supervisor"))
    mine = [CaseFactory(unit=world.unit) for _each in range(6)]
    bulk = Bulk(action="assign", person=world.alice.uuid)
    action = prepare_bulk(boss, chosen_cases(boss, [case.uuid for case in mine]), bulk)
    start_bulk(boss, action.uuid)
    running = partial(run_bulk, action.uuid)
    assert at_once(running, running, running) == {"done": 3}
    action.refresh_from_db()
    assert (action.status, action.done) == (BulkAction.Status.DONE, 6)
    assert [told(case, EventKind.ASSIGNED) for case in mine] == [1] * 6


def test_an_import_starts_once(world: World, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    admin = acting(employee(world.here, "administrator"))
    load = keep_upload(admin, [b"id,asunto\n1,Farola\n"], "a.csv", None)
    fixed = {"type": {"value": "x"}, "opened_at": {"value": "2026-01-02"}}
    columns = {"external_id": "id", "subject": "asunto"}
    map_columns(admin, load.uuid, {"source": "s", "case": columns | fixed})
    starting = partial(start_import, admin, load.uuid)
    assert at_once(starting, starting, starting) == {"done": 1, "import_started": 2}
    assert Import.objects.unscoped("test").get().status == Import.Status.LOADING


# --- People


def test_an_invitation_is_accepted_once(world: World) -> None:
    admin = acting(employee(world.here, "administrator"))
    membership = people.invite(admin, email="n@example.org", full_name="N", unit=None)
    token = new_token()
    Invitation.objects.unscoped("test").update(token_digest=digest(token))
    words = ["one two three four", "five six seven eight", "nine ten eleven twelve"]
    given = at_once(*[partial(people.accept_invitation, token, word, ORIGIN) for word in words])
    assert given == {"done": 1, "not_found": 2}
    assert AuditEntry.objects.filter(action="password_changed").count() == 1
    membership.user.refresh_from_db()
    assert sum(membership.user.check_password(word) for word in words) == 1


def test_a_person_invited_by_two_organisations_has_one_account(world: World) -> None:
    inviting = [
        partial(
            signed_in(employee(organisation, "administrator")).post,
            "/organizacion/personal/invitar/",
            {"email": "n@example.org", "full_name": "N"},
        )
        for organisation in (world.here, world.elsewhere)
    ]
    given = at_once(*inviting)
    assert given[302] >= 1
    assert set(given) <= {302, 409}
    user = User.objects.get(email="n@example.org")
    assert Membership.objects.unscoped("test").filter(user=user).count() == given[302]


def test_a_role_is_given_to_many_at_a_new_place(world: World) -> None:
    admin = acting(employee(world.here, "administrator"))
    role = Role.objects.get(organisation=world.here, code="supervisor")
    staff = [employee(world.here, "agent", unit=world.unit) for _each in range(4)]
    for unit in (world.other_unit, None):
        given = at_once(*[partial(roles.give_role, admin, user, role, unit) for user in staff])
        assert given == {"done": 4}
        (place,) = role.places.filter(unit=unit)
        assert place.group.user_set.count() == 4
    assert all(acting(user).holds("cases.assign_case") for user in staff)


# --- Whatever has a name


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/organizacion/roles/nuevo/", {"name": "Nuevo"}),
        ("/organizacion/unidades/{unit}/nueva/", {"name": "Nueva", "code": "NEW"}),
        (
            "/organizacion/calendarios/nuevo/",
            {"name": "Nuevo", "code": "NEW", "layer": "unit", "base": "{base}"},
        ),
    ],
)
def test_what_two_make_by_one_name_is_there_once(
    world: World, address: str, sent: dict[str, str]
) -> None:
    base = load_public_holidays("MD")
    sent = {name: value.format(base=base.uuid) for name, value in sent.items()}
    clients = [signed_in(employee(world.here, "administrator")) for _each in range(4)]
    given = at_once(
        *[partial(client.post, address.format(unit=world.unit.uuid), sent) for client in clients]
    )
    assert given[302] == 1, given
    assert set(given) <= {302, 409, 422}

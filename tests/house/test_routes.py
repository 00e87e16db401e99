"""Every address × everybody who may come: nobody, strangers, colleagues, the auditor, machines."""

from uuid import uuid4

import pytest

from crm.audit.models import AuditEntry, Result
from crm.kit.policy import catalogue
from tests.house.asking import ask, entry_of, ids_of, is_file, methods_of, told, writes
from tests.house.doors import ENTRIES, EXPORTS, Door, Guarded, Own, Public, doors
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db

SIGN_IN = "/entrar/"

KNOWN = [door for door in doors() if door.name in ENTRIES]
GUARDED = [door for door in KNOWN if isinstance(ENTRIES[door.name], Guarded)]
WITH_IDS = [door for door in GUARDED if door.names]
OWN = [door for door in KNOWN if isinstance(ENTRIES[door.name], Own)]
PUBLIC = [door for door in KNOWN if isinstance(ENTRIES[door.name], Public)]
# Things that lie in a unit, or are one employee's: who works in another unit does not see them.
UNSEEN_FROM_ANOTHER_UNIT = {
    *("case", "filed", "document", "message", "participant", "link", "history"),
    *("load", "action", "batch", "export", "employee"),
    *("mail_thread", "mail_file", "mail_apart"),
    *("conversation", "waiting", "attachment", "offer"),
}


def each(found: list[Door]) -> pytest.MarkDecorator:
    """One test for each door."""
    return pytest.mark.parametrize("door", found, ids=lambda door: door.name)


def test_every_route_has_an_entry_and_no_entry_is_of_the_past() -> None:
    names = {door.name for door in doors()}
    new, gone = names - set(ENTRIES), set(ENTRIES) - names
    assert not new, f"new route: say in tests/house/doors.py what its ids are: {sorted(new)}"
    assert not gone, f"no such route any more: {sorted(gone)}"
    for door in KNOWN:
        missing = set(door.names) - set(entry_of(door).ids)
        assert not missing, f"{door.name}: say what {missing} is"


@pytest.mark.parametrize("door", doors(), ids=lambda door: door.name)
def test_every_view_is_guarded_or_says_why_not(door: Door) -> None:
    kind = Guarded if door.guarded else (Own, Public)
    assert isinstance(entry_of(door), kind), f"{door.name}: a view without `needs`"


@each(GUARDED)
def test_nobody_is_led_to_sign_in(door: Door, estate: Estate) -> None:
    ids = ids_of(door, estate.here)
    for method in methods_of(door, estate):
        with writes() as written:
            answer = ask(estate.caller("nobody"), door, method, ids, estate.here)
        if door.api is not None:
            assert answer.status_code == 401, method
            assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        else:
            assert answer.status_code == 302, (method, answer.status_code)
            assert answer["Location"].startswith(f"{SIGN_IN}?next=/"), answer["Location"]
        assert not written, method


@each(GUARDED)
def test_a_key_opens_no_page(door: Door, estate: Estate) -> None:
    if door.api is not None:
        return
    ids = ids_of(door, estate.here)
    method = methods_of(door, estate)[0]
    answer = ask(estate.caller("machine"), door, method, ids, estate.here)
    assert answer.status_code == 302
    assert answer["Location"].startswith(SIGN_IN)


@each(WITH_IDS)
def test_to_a_stranger_it_does_not_exist(door: Door, estate: Estate) -> None:
    caller = "stranger" if door.api is None else "foreign_machine"
    real = ids_of(door, estate.here)
    of_their_own = ids_of(door, estate.elsewhere)
    for method in methods_of(door, estate):
        for changed in _changes(door, real):  # every id, then each alone among ids of their own
            with writes() as written:
                answer = ask(
                    estate.caller(caller),
                    door,
                    method,
                    {**of_their_own, **changed},
                    estate.elsewhere,
                )
            assert answer.status_code == 404, (method, changed, answer.status_code)
            assert not written, (method, changed)
            absent = _absent(door, changed)
            other = ask(
                estate.caller(caller), door, method, {**of_their_own, **absent}, estate.elsewhere
            )
            assert other.status_code == 404, (method, absent)
            assert told(answer, changed) == told(other, absent), "a 404 that gives something away"


def _changes(door: Door, real: dict[str, str]) -> list[dict[str, str]]:
    """Foreign ids all at once, and one by one; words that mean the same everywhere stay."""
    entry = entry_of(door)
    named = {name: value for name, value in real.items() if "." in entry.ids[name]}
    ones = [{name: value} for name, value in named.items()] if len(named) > 1 else []
    return [named, *ones] if named else []


def _absent(door: Door, changed: dict[str, str]) -> dict[str, str]:
    """Ids of the same form that nothing has."""
    made = {}
    for name, value in changed.items():
        if value.isdigit():
            made[name] = "999999999999"
        else:
            made[name] = str(uuid4()) if value.count("-") == 4 else f"no-{value}"[: len(value)]
    return made


@each(GUARDED)
def test_a_colleague_without_the_right_is_refused_and_it_is_written_down(
    door: Door, estate: Estate
) -> None:
    ids = ids_of(door, estate.here)
    caller = "nothing" if door.api is None else "bare_machine"
    for method in methods_of(door, estate):
        permission = door.permission(method)
        if permission is None:
            continue
        before = _refusals(permission)
        with writes() as written:
            answer = ask(estate.caller(caller), door, method, ids, estate.here)
        assert answer.status_code == 403, (method, answer.status_code)
        assert not written, method
        assert _refusals(permission) == before + 1, "a refusal is written down once"


def _refusals(permission: str) -> int:
    rows = AuditEntry.objects.unscoped("counting")
    return rows.filter(action=permission, result=Result.REFUSED).count()


@each([door for door in GUARDED if door.api is None])
def test_what_needs_no_right_bears_who_has_none(door: Door, estate: Estate) -> None:
    for method in methods_of(door, estate):
        if door.permission(method) is None:
            answer = ask(
                estate.caller("nothing"), door, method, ids_of(door, estate.here), estate.here
            )
            assert answer.status_code < 500


@each(WITH_IDS)
def test_from_another_unit_its_things_are_not_seen(door: Door, estate: Estate) -> None:
    things = {path.partition(".")[0] for path in entry_of(door).ids.values()}
    if door.api is not None or not things & UNSEEN_FROM_ANOTHER_UNIT:
        return
    ids = ids_of(door, estate.here)
    for method in methods_of(door, estate):
        with writes() as written:
            answer = ask(estate.caller("neighbour"), door, method, ids, estate.here)
        assert answer.status_code in {403, 404}, (method, answer.status_code)
        assert not written, method


@each(GUARDED)
def test_the_auditor_reads_and_changes_nothing(door: Door, estate: Estate) -> None:
    if door.api is not None:
        return
    ids = ids_of(door, estate.here)
    for method in methods_of(door, estate):
        permission = door.permission(method)
        held = permission is None or "auditor" in catalogue[permission].roles
        answer = ask(estate.caller("auditor"), door, method, ids, estate.here)
        if not held:
            assert answer.status_code == 403, (method, answer.status_code)
        else:
            assert answer.status_code < 500, method


@each(KNOWN)
def test_no_method_of_any_address_falls_over(door: Door, estate: Estate) -> None:
    """Whoever may do everything, with their own ids, an empty body and a full one."""
    entry = entry_of(door)
    ids = {name: str(estate.here.get(entry.ids[name])) for name in door.names}
    caller = "everything" if door.api is None else "machine"
    for method in methods_of(door, estate):
        answer = ask(estate.caller(caller), door, method, ids, estate.here)
        assert answer.status_code < 500, (method, "full")
        listed = EXPORTS.get(door.name) == method
        assert is_file(answer) == listed, "a new export: list it in EXPORTS"
        if method != "get" and door.api is None:
            empty = getattr(estate.caller(caller), method)(door.address(ids), {})
            assert empty.status_code < 500, (method, "empty")


@each([door for door in GUARDED if "get" in getattr(door.api, "operations", ["get"])])
def test_whoever_may_see_it_sees_it_and_the_look_is_written_down_once(
    door: Door, estate: Estate
) -> None:
    if "get" not in methods_of(door, estate):
        return
    entry = entry_of(door)
    ids = ids_of(door, estate.here)
    caller = "everything" if door.api is None else "machine"
    before = _looks()
    client = estate.caller(caller)
    answer = ask(client, door, "get", ids, estate.here)
    if answer.streaming:
        assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    things = [estate.here.get(path) for path in entry.ids.values() if path.endswith(".uuid")]
    if things and not entry.silent:
        assert answer.status_code in {200, 403}, answer.status_code  # 403: the reason is asked for
        assert _looks() == before + 1, f"{door.name}: a look leaves one entry"


def _looks() -> int:
    return AuditEntry.objects.unscoped("counting").exclude(action="key_used").count()


@each(OWN)
def test_ones_own_pages_lead_others_to_sign_in(door: Door, estate: Estate) -> None:
    for method in ("get", "post"):
        answer = ask(estate.caller("nobody"), door, method, dict(entry_of(door).ids), estate.here)
        if answer.status_code != 405:
            assert answer.status_code == 302, (method, answer.status_code)
            assert answer["Location"].startswith(SIGN_IN), answer["Location"]


@each(PUBLIC)
def test_a_public_page_says_nothing_of_a_case_or_a_citizen(door: Door, estate: Estate) -> None:
    ids = {name: str(estate.here.get(path)) for name, path in entry_of(door).ids.items()}
    for method in ("get", "post"):
        answer = ask(estate.caller("nobody"), door, method, ids, estate.here)
        assert answer.status_code < 500
        for secret in (estate.here.case.subject, estate.here.citizen.full_name):
            assert secret.encode() not in answer.content


def test_every_public_address_has_a_reason() -> None:
    assert [name for name, entry in ENTRIES.items() if getattr(entry, "reason", "said") == ""] == []

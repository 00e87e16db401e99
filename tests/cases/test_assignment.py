"""Work given out by rule, taken by turn, and moved out of the hands of whoever is away."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from cases import services
from cases.models import Case, Confidentiality, Distribution, Handover, Method, WorkProfile
from cases.services import dealing, distribution
from crm.accounts.models import Absence, Membership, User
from crm.accounts.services import absences
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from tests.api.conftest import key_for
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory


def rule(world: World, method: Method = Method.LEAST_BUSY, **values: Any) -> Distribution:
    values = {"unit": world.unit, **values}
    return Distribution.objects.create(organisation=world.here, method=method, **values)


def away(user: User, world: World, substitute: User | None = None, **values: Any) -> Absence:
    now = timezone.now()
    values = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(days=7), **values}
    return Absence.objects.create(
        organisation=world.here, user=user, substitute=substitute, **values
    )


def is_over(absence: Absence) -> None:
    absence.ends_at = absence.starts_at + timedelta(minutes=1)
    absence.save()


def holder(case: Case) -> str:
    case.refresh_from_db()
    return case.assignee.full_name if case.assignee else ""


def whys(case: Case) -> list[str]:
    rules = case.events.order_by("seq").values_list("data__rule__how", flat=True)
    return [how for how in rules if how]


@pytest.fixture
def carla(world: World) -> User:
    return employee(world.here, "agent", unit=world.unit, full_name="Carla Coll")


@pytest.fixture
def boss(world: World) -> User:
    return employee(world.here, "supervisor", unit=world.unit, full_name="Berta Boix")


# --- By itself -----------------------------------------------------------------------------------


def test_free_cases_go_to_who_has_least_and_say_why(world: World, carla: User) -> None:
    rule(world)
    CaseFactory(unit=world.unit, assignee=world.alice)
    cases = [CaseFactory(unit=world.unit) for _ in range(3)]
    assert services.deal_waiting() == 3
    assert sorted(map(holder, cases)) == ["Alice Arias", "Carla Coll", "Carla Coll"]
    assert whys(cases[0]) == ["least_busy"]
    assert services.deal_waiting() == 0  # nothing is left, and nothing is given twice


def test_in_turn(world: World, carla: User) -> None:
    rule(world, Method.ROUND_ROBIN)
    CaseFactory.create_batch(5, unit=world.unit, assignee=world.alice)
    cases = [CaseFactory(unit=world.unit) for _ in range(4)]
    services.deal_waiting()
    assert sorted(map(holder, cases)) == ["Alice Arias"] * 2 + ["Carla Coll"] * 2


def test_units_without_an_automatic_rule_are_left_alone(world: World) -> None:
    rule(world, Method.TAKE_NEXT)
    case, other = CaseFactory(unit=world.unit), CaseFactory(unit=world.other_unit)
    assert services.deal_waiting() == 0
    assert (holder(case), holder(other)) == ("", "")


def test_the_nearest_rule_counts_and_there_first_that_of_the_type(world: World) -> None:
    rule(world, Method.LEAST_BUSY, unit=None)
    rule(world, Method.MANUAL)
    urgent = CaseTypeFactory(organisation=world.here)
    rule(world, Method.ROUND_ROBIN, case_type=urgent)
    plain = CaseTypeFactory(organisation=world.here)
    cases = {
        "of the type": CaseFactory(unit=world.unit, case_type=urgent),
        "by hand": CaseFactory(unit=world.unit, case_type=plain),
        "of the organisation": CaseFactory(unit=world.other_unit, case_type=plain),
    }
    services.deal_waiting()
    assert {name: holder(case) for name, case in cases.items()} == {
        "of the type": "Alice Arias",
        "by hand": "",
        "of the organisation": "Bob Bueno",
    }


def test_two_rules_of_one_place_cannot_be(world: World) -> None:
    rule(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(world)
    rule(world, unit=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(world, unit=None)


def test_capacity_counts_the_weight_of_each_kind(world: World) -> None:
    rule(world, weight=15)
    WorkProfile.objects.create(organisation=world.here, user=world.alice, capacity=40)
    cases = [CaseFactory(unit=world.unit) for _ in range(3)]
    assert services.deal_waiting() == 2
    assert [holder(case) for case in cases] == ["Alice Arias", "Alice Arias", ""]


def test_skills_and_special_protection_and_people_of_other_units(
    world: World, boss: User, carla: User
) -> None:
    rule(world, skills=["herencias"])
    case = CaseFactory(unit=world.unit)
    assert services.deal_waiting() == 0  # nobody has the skill
    WorkProfile.objects.create(organisation=world.here, user=carla, skills=["herencias"])
    WorkProfile.objects.create(organisation=world.here, user=world.bob, skills=["herencias"])
    assert services.deal_waiting() == 1
    assert holder(case) == "Carla Coll"  # Bob works elsewhere
    special = CaseFactory(unit=world.unit, confidentiality=Confidentiality.SPECIAL)
    assert services.deal_waiting() == 0
    WorkProfile.objects.create(organisation=world.here, user=boss, skills=["herencias"])
    assert services.deal_waiting() == 1
    assert holder(special) == "Berta Boix"


def test_who_gave_a_case_back_is_not_given_it_again(world: World, carla: User) -> None:
    rule(world)
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    CaseFactory.create_batch(3, unit=world.unit, assignee=carla)
    services.release_case(world.actor(world.alice), case.uuid)
    services.deal_waiting()
    assert holder(case) == "Carla Coll"
    services.release_case(world.actor(carla), case.uuid)
    assert services.deal_waiting() == 0
    assert holder(case) == ""


def test_nothing_is_given_out_while_the_office_is_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(world)
    case = CaseFactory(unit=world.unit)
    opened: list[bool] = [False]
    monkeypatch.setattr(dealing, "_open", lambda _unit, _now: opened[0])
    assert services.deal_waiting() == 0
    opened[0] = True
    assert services.deal_waiting() == 1
    assert holder(case) == "Alice Arias"


def test_a_supervisor_has_it_given_by_the_rule_and_is_told_why_not(
    world: World, boss: User
) -> None:
    actor = world.actor(boss)
    case = CaseFactory(unit=world.unit)
    services.deal_case(actor, case.uuid)
    assert holder(case) in ("Alice Arias", "Berta Boix")
    with pytest.raises(Conflict) as taken:
        services.deal_case(actor, case.uuid)
    assert taken.value.code == "case_taken"
    with pytest.raises(Refused):
        services.deal_case(world.actor(world.alice), CaseFactory(unit=world.unit).uuid)
    away(world.alice, world)
    WorkProfile.objects.update_or_create(
        organisation=world.here, user=boss, defaults={"capacity": 0}
    )
    with pytest.raises(Conflict) as nobody:
        services.deal_case(actor, CaseFactory(unit=world.unit).uuid)
    assert "Alice Arias: Away; Berta Boix: No room" in str(nobody.value.message)


def test_taking_the_next_one(world: World, carla: User) -> None:
    late = timezone.now() - timedelta(days=1)
    first, second = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    Case.objects.unscoped("made late by a test").filter(pk=second.pk).update(due_at=late)
    CaseFactory(unit=world.other_unit)
    alice = world.actor(world.alice)
    assert services.take_next(alice) == second
    assert whys(second) == ["take_next"]
    assert services.take_next(alice) == first
    assert services.take_next(alice) is None
    rule(world, Method.TAKE_NEXT, skills=["herencias"])
    asks = CaseFactory(unit=world.unit)
    assert services.take_next(alice) is None
    WorkProfile.objects.create(organisation=world.here, user=carla, skills=["herencias"])
    assert services.take_next(world.actor(carla)) == asks
    with pytest.raises(Refused):
        services.take_next(world.actor(employee(world.here, "auditor")))


# --- Absence -------------------------------------------------------------------------------------


def test_nobodys_case_stays_with_somebody_who_is_away(world: World, carla: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    other = CaseFactory(unit=world.unit, assignee=carla)
    absence = away(world.alice, world, carla)
    assert services.hand_over() == 1
    assert holder(case) == "Carla Coll"
    assert whys(case) == ["substitute"]
    assert services.hand_over() == 0
    is_over(absence)
    assert services.give_back() == 1
    assert (holder(case), holder(other)) == ("Alice Arias", "Carla Coll")
    assert whys(case) == ["substitute", "back"]
    absence.refresh_from_db()
    assert absence.settled
    assert services.give_back() == 0


def test_without_a_substitute_who_can_have_it_it_goes_back_to_the_queue(
    world: World, carla: User
) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    absence = away(world.alice, world, world.bob)  # who works elsewhere
    services.hand_over()
    assert holder(case) == ""
    assert whys(case) == ["away"]
    is_over(absence)
    services.give_back()
    assert holder(case) == "Alice Arias"
    again = away(world.alice, world, starts_at=timezone.now() - timedelta(minutes=30))
    services.hand_over()
    rule(world)
    services.deal_waiting()
    assert holder(case) == "Carla Coll"
    is_over(again)
    assert services.give_back() == 0  # it has moved on, and is worked on
    assert holder(case) == "Carla Coll"


def test_substitutes_of_substitutes(world: World, carla: User, boss: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    first = away(world.alice, world, carla)
    services.hand_over()
    second = away(carla, world, boss)
    services.hand_over()
    assert holder(case) == "Berta Boix"
    is_over(first)
    services.give_back()
    assert holder(case) == "Alice Arias"  # the first who had it
    is_over(second)
    assert services.give_back() == 0
    assert holder(case) == "Alice Arias"


def test_two_who_stand_in_for_each_other_leave_it_to_the_queue(world: World, carla: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    away(world.alice, world, carla)
    away(carla, world, world.alice)
    services.hand_over()
    assert holder(case) == ""


def test_what_ended_meanwhile_does_not_come_back(world: World, carla: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    absence = away(world.alice, world, carla)
    services.hand_over()
    services.close_case(world.actor(carla), case.uuid, outcome="Hecho")
    is_over(absence)
    assert services.give_back() == 0
    assert holder(case) == "Carla Coll"


def test_without_return_it_stays_with_who_stood_in(world: World, carla: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    absence = away(world.alice, world, carla, returns=False)
    services.hand_over()
    is_over(absence)
    assert services.give_back() == 0
    assert holder(case) == "Carla Coll"


def test_who_was_suspended_or_left_keeps_nothing(world: World, carla: User) -> None:
    cases = [CaseFactory(unit=world.unit, assignee=user) for user in (world.alice, carla)]
    kept = CaseFactory(unit=world.other_unit, assignee=world.bob)
    now = timezone.now()
    Membership.objects.unscoped("a test's own").filter(user=world.alice).update(suspended_at=now)
    Membership.objects.unscoped("a test's own").filter(user=carla).update(ended_at=now)
    assert services.hand_over() == 2
    assert [holder(case) for case in cases] == ["", ""]
    assert whys(cases[0]) == ["gone"]
    assert holder(kept) == "Bob Bueno"
    assert not Handover.objects.unscoped("a test's own").exists()


def test_who_is_away_is_given_nothing(world: World, boss: User, carla: User) -> None:
    away(world.alice, world, carla)
    case = CaseFactory(unit=world.unit)
    with pytest.raises(Invalid) as refused:
        services.assign_case(world.actor(boss), case.uuid, world.alice.uuid)
    assert "Alice Arias is away until" in refused.value.in_a_line
    assert "Carla Coll stands in" in refused.value.in_a_line
    with pytest.raises(Invalid) as mine:
        services.take_case(world.actor(world.alice), case.uuid)
    assert "end the absence in your profile first" in mine.value.in_a_line
    assert holder(case) == ""


# --- Recording it --------------------------------------------------------------------------------


def test_one_records_ones_own_absence_in_whole_days(world: World, carla: User) -> None:
    alice = world.actor(world.alice)
    today = timezone.localdate()
    absence = absences.record_absence(
        alice,
        world.alice.uuid,
        first=today + timedelta(days=2),
        last=today + timedelta(days=3),
        substitute=carla.uuid,
    )
    assert absences.local_day(alice, absence.starts_at) == today + timedelta(days=2)
    assert absence.starts_at == absences.day_begins(alice, today + timedelta(days=2))
    assert absence.ends_at == absences.day_begins(alice, today + timedelta(days=4))
    assert world.alice.pk not in absences.absent_now(world.here.pk)
    assert absences.end_absence(alice, absence.uuid) is None
    assert not Absence.objects.unscoped("a test's own").exists()


def test_coming_back_early(world: World, carla: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    absence = away(world.alice, world, carla)
    services.hand_over()
    ended = absences.end_absence(world.actor(world.alice), absence.uuid)
    assert ended is not None
    assert ended.ends_at <= timezone.now()
    services.give_back()
    assert holder(case) == "Alice Arias"
    with pytest.raises(Conflict):
        absences.end_absence(world.actor(world.alice), absence.uuid)


def test_absences_of_others_need_the_right_in_their_unit(world: World, boss: User) -> None:
    today = timezone.localdate()
    days = {"first": today, "last": today}
    actor = world.actor(boss)
    with pytest.raises(Refused):
        absences.record_absence(world.actor(world.alice), boss.uuid, **days)
    with pytest.raises(Refused):
        absences.record_absence(actor, world.bob.uuid, **days)
    with pytest.raises(NotFound):
        absences.record_absence(actor, world.charlie.uuid, **days)
    absence = absences.record_absence(actor, world.alice.uuid, **days)
    with pytest.raises(NotFound):
        absences.end_absence(world.actor(world.charlie), absence.uuid)
    with pytest.raises(Refused):
        absences.end_absence(world.actor(world.bob), absence.uuid)


@pytest.mark.parametrize(
    ("first", "last", "field", "said"),
    [
        (1, 0, "last", "ends before it begins"),
        (-3, -1, "last", "over already"),
        (0, 1200, "last", "three years at most"),
    ],
)
def test_days_that_cannot_be(world: World, first: int, last: int, field: str, said: str) -> None:
    today = timezone.localdate()
    with pytest.raises(Invalid) as refused:
        absences.record_absence(
            world.actor(world.alice),
            world.alice.uuid,
            first=today + timedelta(days=first),
            last=today + timedelta(days=last),
        )
    assert said in str(refused.value.errors[field][0])


def test_overlapping_absences_and_impossible_substitutes(world: World) -> None:
    alice, today = world.actor(world.alice), timezone.localdate()
    ten = today + timedelta(days=10)
    absences.record_absence(alice, world.alice.uuid, first=today, last=ten)
    with pytest.raises(Invalid) as twice:
        absences.record_absence(alice, world.alice.uuid, first=ten, last=ten + timedelta(days=1))
    assert "There is an absence from" in str(twice.value.errors["first"][0])
    row = Absence.objects.unscoped("a test's own").get()
    with pytest.raises(IntegrityError), transaction.atomic():
        away(world.alice, world, starts_at=row.ends_at - timedelta(minutes=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        away(world.bob, world, world.bob)
    for other, said in ((world.alice, "for themselves"), (world.charlie, "does not work here")):
        with pytest.raises(Invalid) as refused:
            absences.record_absence(
                alice,
                world.alice.uuid,
                first=ten + timedelta(days=5),
                last=ten + timedelta(days=6),
                substitute=other.uuid,
            )
        assert said in str(refused.value.errors["substitute"][0])


# --- Rules and profiles --------------------------------------------------------------------------


def test_setting_a_rule_needs_the_right_in_its_place(world: World, boss: User) -> None:
    actor = world.actor(boss)
    kept = distribution.set_rule(
        actor, world.unit.uuid, method="least_busy", weight=3, skills=["Herencias", "herencias"]
    )
    assert (kept.weight, kept.skills, kept.by_language) == (3, ["herencias"], True)
    again = distribution.set_rule(actor, world.unit.uuid, method="round_robin")
    assert again.pk == kept.pk  # one place, one rule
    assert AuditEntry.objects.filter(action="cases.distribute", object_id=str(world.unit.uuid))
    for unit in (None, world.other_unit.uuid):
        with pytest.raises(Refused):
            distribution.set_rule(actor, unit, method="manual")
    with pytest.raises(Invalid):
        distribution.set_rule(actor, world.foreign_unit.uuid, method="manual")
    with pytest.raises(NotFound):
        distribution.drop_rule(world.actor(world.charlie), kept.uuid)
    with pytest.raises(Refused):
        distribution.drop_rule(world.actor(world.alice), kept.uuid)
    distribution.drop_rule(actor, kept.uuid)
    assert not Distribution.objects.unscoped("a test's own").exists()


def test_a_rule_with_mistakes_says_where(world: World, boss: User) -> None:
    with pytest.raises(Invalid) as refused:
        distribution.set_rule(
            world.actor(boss), world.unit.uuid, method="dice", weight=0, skills=["a/b", "c" * 41]
        )
    assert sorted(refused.value.errors) == ["method", "skills", "weight"]
    assert len(refused.value.errors["skills"]) == 2
    with pytest.raises(Invalid) as unknown:
        distribution.set_rule(
            world.actor(boss), world.unit.uuid, method="manual", case_type="no-such"
        )
    assert list(unknown.value.errors) == ["case_type"]


def test_a_profile_is_kept_and_checked(world: World, boss: User) -> None:
    actor = world.actor(boss)
    kept = distribution.set_profile(
        actor, world.alice.uuid, capacity=12, share=50, skills=["Signos"], languages=["ca"]
    )
    assert (kept.capacity, kept.share, kept.skills, kept.languages) == (12, 50, ["signos"], ["ca"])
    with pytest.raises(Invalid) as refused:
        distribution.set_profile(
            actor, world.alice.uuid, capacity=-1, share=0, languages=["klingon"]
        )
    assert sorted(refused.value.errors) == ["capacity", "languages", "share"]
    with pytest.raises(Refused):
        distribution.set_profile(actor, world.bob.uuid, capacity=1)
    with pytest.raises(NotFound):
        distribution.set_profile(actor, world.charlie.uuid, capacity=1)


# --- Pages and API -------------------------------------------------------------------------------


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_shows_who_has_what_and_who_would_get_the_next(
    world: World, boss: User, carla: User
) -> None:
    rule(world, skills=["herencias"])
    WorkProfile.objects.create(organisation=world.here, user=carla, skills=["herencias"])
    away(world.alice, world, carla)
    free = CaseFactory(unit=world.unit, subject="Farola apagada")
    html = signed_in(boss).get("/reparto/").content.decode()
    assert "Norte: to whoever has least." in html
    assert "0 of 40 points" in html
    assert free.subject in html
    assert "<b>Carla Coll</b><br>Nobody else could have it; 0 of 40 points before." in html
    assert "Alice Arias: away; Berta Boix: lacks a skill" in html
    assert "Bob Bueno" not in html


def test_a_rule_is_set_on_the_page_and_a_mistake_loses_nothing(world: World, boss: User) -> None:
    client = signed_in(boss)
    sent = {"unit": str(world.unit.uuid), "method": "round_robin", "weight": "0", "skills": "a, b"}
    answer = client.post("/reparto/regla/", sent)
    assert answer.status_code == 422
    assert 'value="a, b"' in answer.content.decode()
    answer = client.post("/reparto/regla/", {**sent, "weight": "2"})
    assert answer["Location"] == f"/reparto/?unidad={world.unit.uuid}"
    row = Distribution.objects.unscoped("a test's own").get()
    assert (row.unit_id, row.method, row.weight, row.skills) == (
        world.unit.pk,
        "round_robin",
        2,
        ["a", "b"],
    )
    client.post(f"/reparto/regla/{row.uuid}/quitar/")
    assert not Distribution.objects.unscoped("a test's own").exists()


def test_taking_the_next_from_the_days_page(world: World) -> None:
    client = signed_in(world.alice)
    case = CaseFactory(unit=world.unit)
    assert 'action="/casos/siguiente/"' in client.get("/").content.decode()
    assert client.post("/casos/siguiente/")["Location"] == f"/casos/{case.uuid}/"
    assert holder(case) == "Alice Arias"
    answer = client.post("/casos/siguiente/", follow=True)
    assert "There is no free case that you could take now." in answer.content.decode()


def test_ones_own_absence_on_the_page(world: World, carla: User) -> None:
    client, today = signed_in(world.alice), timezone.localdate()
    address = f"/organizacion/personal/{world.alice.uuid}/ausencias/"
    html = client.get(address).content.decode()
    assert "Carla Coll" in html
    assert "Bob Bueno" not in html
    wrong = {"first": today.isoformat(), "last": (today - timedelta(days=1)).isoformat()}
    answer = client.post(address, wrong)
    assert answer.status_code == 422
    assert "It ends before it begins." in answer.content.decode()
    assert f'value="{wrong["last"]}"' in answer.content.decode()
    right = {**wrong, "last": today.isoformat(), "substitute": carla.pk, "returns": "on"}
    assert client.post(address, right).status_code == 302
    absence = Absence.objects.unscoped("a test's own").get()
    assert (absence.substitute, absence.returns) == (carla, True)
    assert "Carla Coll stands in" in client.get(address).content.decode()
    client.post(f"/organizacion/personal/ausencias/{absence.uuid}/terminar/")
    absence.refresh_from_db()
    assert absence.ends_at <= timezone.now()


def test_the_story_tells_why(world: World, carla: User) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    away(world.alice, world, carla)
    services.hand_over()
    html = signed_in(carla).get(f"/casos/{case.uuid}/").content.decode()
    assert "and this is who stands in." in html


def test_absences_by_api(world: World, carla: User, boss: User) -> None:
    key = key_for(world.here, "accounts.manage_absences")
    headers = {"Authorization": f"Bearer {key}"}
    today = timezone.localdate()
    sent = {
        "person": world.alice.email.upper(),
        "first": today.isoformat(),
        "last": today.isoformat(),
        "substitute": carla.email,
    }
    address, client = "/api/v1/absences/", Client()

    def post(body: dict[str, Any]) -> Any:
        return client.post(address, body, content_type="application/json", headers=headers)

    made = post(sent)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["person"], told["substitute"]) == (world.alice.email, carla.email)
    twice = post(sent)
    assert twice.status_code == 422
    assert [one["pointer"] for one in twice.json()["errors"]] == ["/first"]
    unknown = post({**sent, "person": world.charlie.email})
    assert [one["pointer"] for one in unknown.json()["errors"]] == ["/person"]
    listed = client.get(address, headers=headers).json()["results"]
    assert [one["id"] for one in listed] == [told["id"]]
    gone = client.delete(f"{address}{told['id']}/", headers=headers)
    assert gone.status_code == 204
    assert client.get(address, headers=headers).json()["results"] == []

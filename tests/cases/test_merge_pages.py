"""The pages and the API by which cases are merged, parted and split."""

import pytest
from django.test import Client
from django.urls import reverse

from cases import services as cases
from cases.models import Case, CaseMerge, Link, Message
from cases.services.merging import merge_cases
from channels_app.email.threads import on_case
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db
WHY = "El mismo asunto"
SCOPES = ("cases.view_case", "cases.change_case", "cases.merge_case", "cases.open_case")


@pytest.fixture
def alice(world: World) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.alice)
    return client


@pytest.fixture
def pair(world: World) -> tuple[Case, Case]:
    person = CitizenFactory(organisation=world.here)
    actor = world.actor(world.alice)
    stays, gone = (CaseFactory(unit=world.unit, citizen=person, actor=actor) for _ in range(2))
    cases.record_message(actor, gone.uuid, "Llamé ayer", channel="phone")
    return stays, gone


def page(name: str, *args: object) -> str:
    return reverse(f"cases:{name}", args=args)


def test_two_cases_are_merged_and_parted_again(alice, pair):
    stays, gone = pair
    asked = alice.get(page("merge", gone.uuid)).content.decode()
    assert stays.reference in asked  # the citizen's other case is at hand
    given = {"reference": stays.reference.lower(), "stays": "other", "reason": WHY}
    for wrong in ({**given, "reason": ""}, {**given, "reference": "HERE-2026-9999999"}):
        assert alice.post(page("merge", gone.uuid), wrong).status_code == 422
    answer = alice.post(page("merge", gone.uuid), given)
    assert answer["Location"] == page("detail", stays.uuid)
    merge = CaseMerge.objects.get()
    assert (merge.merged, merge.survivor) == (gone, stays)
    led = alice.get(page("detail", gone.uuid))
    assert (led.status_code, led["Location"]) == (302, page("detail", stays.uuid))
    shown = alice.get(f"{page('detail', gone.uuid)}?unido=1").content.decode()
    assert f"This case was merged into {stays.reference}" in shown
    assert page("unmerge", merge.uuid) in shown
    assert (
        f"{page('detail', gone.uuid)}?unido=1"
        in alice.get(page("detail", stays.uuid)).content.decode()
    )
    preview = alice.get(page("unmerge", merge.uuid)).content.decode()
    assert f"It goes back to {gone.reference}" in preview
    back = alice.post(page("unmerge", merge.uuid), {"reason": "Eran dos"})
    assert back["Location"] == page("detail", gone.uuid)
    assert alice.get(page("detail", gone.uuid)).status_code == 200
    assert Message.objects.get().case == gone


def test_a_case_is_split_on_its_page(alice, pair):
    _stays, gone = pair
    message = Message.objects.get()
    assert "Llamé ayer" in alice.get(page("split", gone.uuid)).content.decode()
    none = alice.post(page("split", gone.uuid), {"subject": "Otro", "reason": "Es otro"})
    assert none.status_code == 422
    given = {"subject": "Otro", "reason": "Es otro", "messages": str(message.uuid)}
    answer = alice.post(page("split", gone.uuid), given)
    new = Case.objects.get(subject="Otro")
    assert answer["Location"] == page("detail", new.uuid)
    message.refresh_from_db()
    assert message.case == new
    assert "Llamé ayer" in alice.get(page("detail", new.uuid)).content.decode()


def test_ending_a_case_names_the_open_ones_that_are_part_of_it(world, alice, pair):
    whole, part = pair
    cases.link_cases(world.actor(world.alice), part.uuid, whole.uuid, Link.Kind.PARENT)
    moves = [m for m in ("close", "resolve", "start") if True]
    for move in moves:
        shown = alice.get(page("move", whole.uuid, move))
        if shown.status_code == 200 and shown.context["parts"]:
            assert part.reference in shown.content.decode()
            break
    else:
        pytest.fail("no move that ends the case warned")


def test_letters_about_an_old_number_reach_the_case_that_stayed(world, pair):
    from channels_app.email import threads

    stays, gone = pair
    merge_cases(world.actor(world.alice), gone.uuid, stays.uuid, reason=WHY)
    assert threads.merged_into(Case.objects.get(pk=gone.pk)) == stays
    assert not on_case(stays, "nadie@correo.example")


def test_cases_by_api(world, pair):
    stays, gone = pair
    system = Caller(key_for(world.here, *SCOPES))
    made = system.send(
        "post", f"/cases/{stays.uuid}/merge/", {"merged": str(gone.uuid), "reason": WHY}
    )
    assert made.status_code == 201, made.content
    late = system.send("post", f"/cases/{gone.uuid}/notes/", {"body": "Tarde", "text": "Tarde"})
    assert late.status_code in (409, 422)
    shown = system.send("get", f"/case-merges/{made.json()['id']}/").json()
    assert shown["returned"] == [{"kind": "Messages", "rows": 1}]
    undone = system.send("post", f"/case-merges/{made.json()['id']}/undo/", {"reason": "Eran dos"})
    assert undone.status_code == 200, undone.content
    message = Message.objects.get()
    split = system.send(
        "post",
        f"/cases/{gone.uuid}/split/",
        {"subject": "Otro", "reason": "Es otro", "messages": [str(message.uuid)]},
    )
    assert split.status_code == 201, split.content
    message.refresh_from_db()
    assert str(message.case.uuid) == split.json()["id"]

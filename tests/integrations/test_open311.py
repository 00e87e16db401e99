"""Open311 GeoReport v2: the published shapes, who may read what, and one case for one report."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as Tree

import pytest
from django.test import Client
from django.utils import timezone

from cases import services as cases
from cases.models import Case, Confidentiality, Note
from cases.services import reports
from crm.citizens.models import Channel
from crm.integrations.models import PublishedService
from crm.kit.actor import Actor
from crm.kit.api import limits
from crm.kit.errors import Invalid, Refused
from tests.api.conftest import key_for
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.house.estate import PAPER

pytestmark = pytest.mark.django_db

BASE = "/open311/here/v2/"
MAY = ("cases.open_case", "cases.view_case", "cases.change_case")
FIELDS = {
    "type": "object",
    "properties": {
        "elemento": {"type": "string", "title": "Elemento", "enum": ["Farola", "Acera"]},
        "altura": {"type": "integer", "title": "Altura"},
        "riesgo": {"type": "boolean", "title": "Hay riesgo"},
        "cuando": {"type": "string", "title": "Cuándo", "format": "date"},
    },
    "required": ["elemento"],
}
REPORT = {
    "service_code": "farolas",
    "description": "La farola no luce. Lleva así una semana.",
    "lat": "40.4567",
    "long": "-3.6867",
    "attribute[elemento]": "Farola",
    "attribute[riesgo]": "true",
    "email": "vecina@example.org",
    "first_name": "Remedios",
    "media_url": "http://169.254.169.254/foto.jpg",
}


@pytest.fixture(autouse=True)
def own_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else's requests count."""
    monkeypatch.setattr(limits, "PREFIX", f"test:{uuid4()}")


@pytest.fixture
def boss(world: World) -> Actor:
    """Who publishes services."""
    return acting(employee(world.here, "administrator", "supervisor"))


@pytest.fixture
def service(world: World, boss: Actor) -> PublishedService:
    """Street lamps, which anybody may read of."""
    CaseTypeFactory(organisation=world.here, code="alumbrado", fields=FIELDS, term="10wd")
    given = {
        "code": "farolas",
        "name": "Farola apagada",
        "description": "Luces de la calle",
        "group": "Vía pública",
        "keywords": "luz, farola",
        "case_type": "alumbrado",
        "unit": world.unit.uuid,
        "public": True,
    }
    return reports.publish_service(boss, given)


@pytest.fixture
def key(world: World) -> str:
    """Of an application of neighbours."""
    return key_for(world.here, *MAY)


def parsed(text: str | bytes) -> Tree.Element:
    return Tree.fromstring(text)  # noqa: S314 - of this repository's own making


def ask(client: Client, place: str, form: str = "json", *, answers: int = 200, **query: str) -> Any:
    answer = client.get(f"{BASE}{place}.{form}", query)
    assert answer.status_code == answers, answer.content
    return read(answer, form)


def read(answer: Any, form: str) -> Any:
    if form == "json":
        assert answer["Content-Type"] == "application/json; charset=utf-8"
        return json.loads(answer.content)
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    return parsed(answer.content)


def send(client: Client, key: str, form: str = "json", **changed: Any) -> Any:
    body = {**REPORT, "api_key": key, **changed}
    return client.post(f"{BASE}requests.{form}", {n: v for n, v in body.items() if v is not None})


def reported(client: Client, key: str, **changed: Any) -> Case:
    answer = send(client, key, **changed)
    assert answer.status_code == 201, answer.content
    number = json.loads(answer.content)[0]["service_request_id"]
    return Case.objects.unscoped("a test").get(reference=number)


# --- The published shapes ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def published(shared_data: Path) -> Callable[[str], Tree.Element]:
    """The answers of a published server."""

    def shape(name: str) -> Tree.Element:
        text = (shared_data / "open311" / "georeport_xml" / f"{name}.xml").read_text()
        return parsed(text[text.index("<?xml") :])

    return shape


def tags(element: Tree.Element) -> list[str]:
    return [child.tag for child in element]


def test_services_have_the_published_shape(
    client: Client, service: PublishedService, published: Callable[[str], Tree.Element]
) -> None:
    theirs, ours = published("services"), ask(client, "services", "xml")
    assert ours.tag == theirs.tag
    assert {tuple(sorted(tags(one))) for one in ours} == {
        tuple(sorted(tags(one))) for one in theirs
    }
    (said,) = ask(client, "services")
    assert sorted(said) == sorted(tags(theirs[0]))
    assert said == {
        "service_code": "farolas",
        "service_name": "Farola apagada",
        "description": "Luces de la calle",
        "metadata": True,
        "type": "realtime",
        "keywords": "luz, farola",
        "group": "Vía pública",
    }


def test_a_definition_has_the_published_attributes(
    client: Client, service: PublishedService, published: Callable[[str], Tree.Element]
) -> None:
    """The standard's text holds them in `attributes`, which this published answer leaves out."""
    theirs, ours = published("service_definition"), ask(client, "services/farolas", "xml")
    assert (ours.tag, ours.findtext("service_code")) == (theirs.tag, "farolas")
    (example,) = theirs.iter("attribute")
    for one in ours.iterfind("attributes/attribute"):
        assert tags(one) == tags(example)
        for value in one.iter("value"):
            assert tags(value) == tags(next(example.iter("value")))
    said = ask(client, "services/farolas")
    kinds = {one["code"]: (one["datatype"], one["required"]) for one in said["attributes"]}
    assert kinds == {
        "elemento": ("singlevaluelist", True),
        "altura": ("number", False),
        "riesgo": ("singlevaluelist", False),
        "cuando": ("datetime", False),
    }
    assert said["attributes"][0]["values"] == [
        {"key": "Farola", "name": "Farola"},
        {"key": "Acera", "name": "Acera"},
    ]


def test_requests_have_the_published_shape(
    client: Client,
    service: PublishedService,
    key: str,
    published: Callable[[str], Tree.Element],
) -> None:
    case = reported(client, key)
    for name, place in (
        ("service_requests", "requests"),
        ("get_service_request", f"requests/{case.reference}"),
    ):
        theirs, ours = published(name), ask(client, place, "xml")
        assert (ours.tag, ours[0].tag) == (theirs.tag, theirs[0].tag)
        assert tags(ours[0]) == tags(theirs[0])
        (said,) = ask(client, place)
        assert list(said) == tags(theirs[0])
        for moment in ("requested_datetime", "updated_datetime", "expected_datetime"):
            assert datetime.fromisoformat(said[moment]).tzinfo is not None
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", said[moment])
        assert (said["lat"], said["long"], said["status"]) == (40.4567, -3.6867, "open")
    empty = ask(client, "requests", "xml", status="closed")
    assert (empty.tag, len(empty)) == (published("service_requests_empty").tag, 0)
    assert ask(client, "requests", status="closed") == []


def test_a_report_and_errors_are_answered_in_the_published_shape(
    client: Client,
    service: PublishedService,
    key: str,
    published: Callable[[str], Tree.Element],
) -> None:
    theirs, ours = published("post_service_request"), read(send(client, key, "xml"), "xml")
    assert (ours.tag, tags(ours), tags(ours[0])) == (theirs.tag, tags(theirs), tags(theirs[0]))
    theirs = published("get_service_request_not_found")
    ours = ask(client, "requests/HERE-2026-9999999", "xml", answers=404)
    assert (ours.tag, tags(ours), tags(ours[0])) == (theirs.tag, tags(theirs), tags(theirs[0]))
    assert ours.findtext("error/code") == theirs.findtext("error/code") == "404"
    (wrong,) = read(send(client, "vnt_wrong_key"), "json")
    assert wrong["code"] == 403


def test_a_token_gives_the_number_in_the_published_shape(
    client: Client,
    service: PublishedService,
    key: str,
    world: World,
    published: Callable[[str], Tree.Element],
) -> None:
    case = reported(client, key)
    theirs, ours = published("request_id_from_token"), ask(client, f"tokens/{case.uuid}", "xml")
    assert (ours.tag, tags(ours), tags(ours[0])) == (theirs.tag, tags(theirs), tags(theirs[0]))
    said = {"service_request_id": case.reference, "token": str(case.uuid)}
    assert ask(client, f"tokens/{case.uuid}") == [said]
    hidden = CaseFactory(
        unit=world.unit, case_type=case.case_type, data={"elemento": "Acera"}, confidentiality=1
    )
    elsewhere = CaseFactory(unit=world.foreign_unit)
    for token in (hidden.uuid, elsewhere.uuid, uuid4(), case.reference, "12345"):
        ask(client, f"tokens/{token}", answers=404)
    assert ask(client, f"tokens/{hidden.uuid}", api_key=key) == [
        {"service_request_id": hidden.reference, "token": str(hidden.uuid)}
    ]
    ask(client, f"tokens/{elsewhere.uuid}", answers=404, api_key=key)


def test_what_a_city_publishes_has_the_same_kinds_of_values(
    client: Client, service: PublishedService, key: str, shared_data: Path
) -> None:
    reported(client, key)
    (ours,) = ask(client, "requests")
    for file in sorted((shared_data / "open311" / "madrid_requests").glob("*.json")):
        for theirs in json.loads(file.read_text()):
            for name in set(ours) & set(theirs) - {"media_url"}:
                if ours[name] is not None and theirs[name] is not None:
                    assert type(ours[name]) is type(theirs[name]), name


def test_discovery_leads_to_the_endpoint(client: Client, service: PublishedService) -> None:
    said = json.loads(client.get("/open311/here/discovery.json").content)
    (endpoint,) = said["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"].endswith("/open311/here/v2")
    assert endpoint["formats"] == ["application/json", "text/xml"]
    xml = parsed(client.get("/open311/here/discovery.xml").content)
    assert xml.findtext("endpoints/endpoint/url") == endpoint["url"]
    assert [one.text for one in xml.iterfind("endpoints/endpoint/formats/format")] == [
        "application/json",
        "text/xml",
    ]


# --- Reporting -----------------------------------------------------------------------------------


def test_a_report_is_a_case_of_its_unit_and_who_reports_stays_inside(
    client: Client, service: PublishedService, key: str, world: World
) -> None:
    case = reported(client, key)
    assert (case.unit, case.case_type.code, case.channel) == (
        world.unit,
        "alumbrado",
        Channel.WEB_FORM,
    )
    assert case.subject == "La farola no luce"
    assert (case.confidentiality, case.source) == (Confidentiality.PUBLIC, "open311")
    assert case.data == {"elemento": "Farola", "riesgo": True}
    assert case.citizen is None, "who they are is not proved"
    note = Note.objects.unscoped("a test").get(case=case).body
    for said in ("Remedios", "vecina@example.org", "169.254.169.254"):
        assert said in note
    told = client.get(f"{BASE}requests/{case.reference}.json").content.decode()
    for private in ("Remedios", "vecina@example.org", "169.254"):
        assert private not in told


def test_sent_again_it_is_the_same_case(
    client: Client, service: PublishedService, key: str
) -> None:
    first = reported(client, key)
    assert reported(client, key) == first
    other = reported(client, key, description="Otra farola no luce")
    assert other != first
    named = [
        client.post(
            f"{BASE}requests.json",
            {**REPORT, "api_key": key, "description": "Una más"},
            headers={"Idempotency-Key": "k-1"},
        )
        for _time in range(2)
    ]
    assert named[0].content == named[1].content
    assert named[1]["Idempotency-Replayed"] == "true"
    assert Case.objects.unscoped("a test").count() == 3


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"description": ""}, "description"),
        ({"description": "x" * 4001}, "description"),
        ({"lat": "91"}, "lat"),
        ({"lat": "nan"}, "lat"),
        ({"long": None}, "lat"),
        ({"lat": None, "long": None}, "lat"),
        ({"attribute[elemento]": "Buzón"}, "data.elemento"),
        ({"attribute[elemento]": None}, "data.elemento"),
        ({"attribute[altura]": "mucha"}, "data.altura"),
        ({"attribute[citizen__user]": "1"}, "attribute[citizen__user]"),
        ({"address_string": "c" * 301}, "address_string"),
    ],
)
def test_a_wrong_report_says_what_is_wrong_and_opens_nothing(
    client: Client, service: PublishedService, key: str, changed: dict[str, Any], place: str
) -> None:
    answer = send(client, key, **changed)
    assert answer.status_code == 400
    said = json.loads(answer.content)
    assert {one["code"] for one in said} == {400}
    assert any(one["description"].startswith(f"{place}:") for one in said), said
    assert not Case.objects.unscoped("a test").exists()


@pytest.mark.parametrize("text", ["\0", "a\0b"])
def test_what_cannot_be_kept_is_refused(
    client: Client, service: PublishedService, key: str, text: str
) -> None:
    assert send(client, key, description=text).status_code == 400
    assert client.get(f"{BASE}requests.json", {"service_request_id": text}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(3_000))),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 300_000),
        ("application/json", b"{}"),
    ],
)
def test_what_cannot_be_read_is_answered_in_the_same_form(
    client: Client, service: PublishedService, kind: str, body: bytes
) -> None:
    answer = client.generic("POST", f"{BASE}requests.xml", body, content_type=kind)
    assert answer.status_code in {400, 403}
    assert read(answer, "xml").tag == "errors"


def test_without_a_key_that_may_nothing_is_opened(
    client: Client, service: PublishedService, world: World
) -> None:
    assert send(client, "").status_code == 403
    assert send(client, "vnt_abc_def").status_code == 403
    reader = key_for(world.here, "cases.view_case", name="Lee")
    assert send(client, reader).status_code == 403
    stranger = key_for(world.elsewhere, *MAY, name="Ajeno")
    assert send(client, stranger).status_code == 403
    assert ask(client, "requests", answers=403, api_key=stranger)
    assert not Case.objects.unscoped("a test").exists()


def test_mass_assignment_changes_nothing(
    client: Client, service: PublishedService, key: str, world: World
) -> None:
    case = reported(
        client,
        key,
        organisation=str(world.elsewhere.pk),
        confidentiality="3",
        assignee=str(world.bob.uuid),
        status="closed",
        closed_at="2020-01-01",
    )
    assert (case.organisation, case.assignee, case.ended) == (world.here, None, False)


# --- Reading -------------------------------------------------------------------------------------


def test_strangers_read_what_is_public_and_a_key_what_it_may_see(
    client: Client, service: PublishedService, key: str, world: World
) -> None:
    open_to_all = reported(client, key)
    alumbrado = open_to_all.case_type
    hidden, special = (
        CaseFactory(
            unit=world.unit, case_type=alumbrado, data={"elemento": "Acera"}, confidentiality=level
        )
        for level in (Confidentiality.INTERNAL, Confidentiality.SPECIAL)
    )
    other = CaseFactory(unit=world.unit, case_type=CaseTypeFactory(organisation=world.here))
    numbers = {one["service_request_id"] for one in ask(client, "requests")}
    assert numbers == {open_to_all.reference}
    numbers = {one["service_request_id"] for one in ask(client, "requests", api_key=key)}
    assert numbers == {open_to_all.reference, hidden.reference}
    for case in (hidden, special, other):
        ask(client, f"requests/{case.reference}", answers=404)
    ask(client, f"requests/{special.reference}", answers=404, api_key=key)


def test_requests_are_filtered(client: Client, service: PublishedService, key: str) -> None:
    one, two = (reported(client, key, description=text) for text in ("Primera", "Segunda"))
    old = timezone.now() - timedelta(days=100)
    Case.objects.unscoped("a test").filter(pk=one.pk).update(opened_at=old)

    def found(**query: str) -> list[str]:
        return [each["service_request_id"] for each in ask(client, "requests", **query)]

    assert found() == [two.reference]
    assert found(service_request_id=f"{one.reference},{two.reference}") == [
        two.reference,
        one.reference,
    ]
    begin = (old - timedelta(days=1)).isoformat()
    assert found(start_date=begin) == [one.reference]
    assert found(start_date=begin, end_date=(old + timedelta(days=1)).isoformat()) == [
        one.reference
    ]
    assert found(status="open,closed") == [two.reference]
    assert found(service_code="otra") == []
    for wrong in (
        {"status": "lost"},
        {"start_date": "ayer"},
        {"start_date": begin, "end_date": timezone.now().isoformat()},
        {"end_date": "99999-01-01T00:00:00Z"},
    ):
        assert ask(client, "requests", answers=400, **wrong)


def test_an_ended_case_is_closed_and_says_how(
    client: Client, service: PublishedService, key: str, boss: Actor
) -> None:
    case = reported(client, key)
    cases.close_case(boss, case.uuid, outcome="Bombilla cambiada")
    (said,) = ask(client, f"requests/{case.reference}")
    assert (said["status"], said["status_notes"]) == ("closed", "Bombilla cambiada")


def test_only_a_public_picture_of_a_public_report_is_shown(
    client: Client, service: PublishedService, key: str, boss: Actor, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = reported(client, key)
    picture = (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
        b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0"
        b"\x00\x00\x00\x00IEND\xaeB`\x82"
    )
    paper = cases.attach_document(boss, case.uuid, [PAPER], "acta.pdf", confidentiality=0)
    inside = cases.attach_document(boss, case.uuid, [picture], "dentro.png")
    assert ask(client, f"requests/{case.reference}")[0]["media_url"] is None
    shown = cases.attach_document(boss, case.uuid, [picture], "farola.png", confidentiality=0)
    (said,) = ask(client, f"requests/{case.reference}")
    assert said["media_url"].endswith(f"/open311/here/v2/media/{shown.uuid}")
    for document, status in ((shown, 200), (inside, 404), (paper, 404)):
        assert client.get(f"{BASE}media/{document.uuid}").status_code == status
    cases.change_confidentiality(boss, case.uuid, Confidentiality.INTERNAL, reason="Datos")
    assert client.get(f"{BASE}media/{shown.uuid}").status_code == 404


def test_who_publishes_nothing_answers_nothing(client: Client, world: World) -> None:
    assert ask(client, "services") == []
    assert client.get("/open311/nowhere/v2/services.json").status_code == 404
    assert client.get(f"{BASE}services.json", {"jurisdiction_id": "other"}).status_code == 404
    answer = client.delete(f"{BASE}requests.json")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")


# --- Publishing ----------------------------------------------------------------------------------


def test_who_may_publishes_and_a_case_type_is_offered_once(
    world: World, boss: Actor, service: PublishedService
) -> None:
    given = {"code": "otra", "name": "Otra", "case_type": "alumbrado", "unit": world.unit.uuid}
    with pytest.raises(Invalid) as refused:
        reports.publish_service(boss, given)
    assert list(refused.value.errors) == ["case_type"]
    reports.change_service(boss, service.uuid, {"is_active": False})
    assert reports.publish_service(boss, given).code == "otra"
    with pytest.raises(Refused):
        reports.publish_service(world.actor(world.alice), given)
    CaseTypeFactory(organisation=world.elsewhere, code="ajeno")
    for wrong in ({"case_type": "ajeno"}, {"unit": world.foreign_unit.uuid}, {"code": "Ñ"}):
        with pytest.raises(Invalid) as refused:
            reports.change_service(boss, service.uuid, {**given, "code": "tercera", **wrong})
        assert set(wrong) <= set(refused.value.errors)


def test_the_pages_offer_and_change_it(client: Client, world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="alumbrado", name="Alumbrado")
    client.force_login(
        employee(world.here, "administrator"),
        backend="crm.accounts.authentication.PasswordBackend",
    )
    form = {
        "name": "Farolas",
        "code": "farolas",
        "case_type": "alumbrado",
        "unit": str(world.unit.uuid),
        "is_active": "on",
    }
    assert client.post("/organizacion/open311/nuevo/", form).status_code == 302
    row = PublishedService.objects.unscoped("a test").get()
    place = f"/organizacion/open311/{row.uuid}/"
    assert client.post(place, {**form, "public": "on"}).status_code == 302
    row.refresh_from_db()
    assert row.public
    assert "Farolas" in client.get("/organizacion/open311/").content.decode()
    assert client.post(place, {**form, "code": "Ñ"}).status_code == 422

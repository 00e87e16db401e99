"""Nobody learns by asking who is known: one answer for what is unknown, foreign, hidden or revoked."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core.cache import cache
from django.utils import timezone
from django.utils.module_loading import import_string

from crm.celery import app
from reporting.models import IssuedHistory
from tests.house.asking import told
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_has_tried() -> None:
    cache.clear()


def test_a_number_known_elsewhere_is_found_like_one_that_nobody_has(estate: Estate) -> None:
    client = estate.caller("everything")
    known = estate.elsewhere.identifier.value
    unknown = "99999999R"
    one = client.get("/ciudadania/", {"q": known})
    other = client.get("/ciudadania/", {"q": unknown})
    assert one.status_code == other.status_code == 200
    assert told(one, {"": known}) == told(other, {"": unknown})
    machine = estate.caller("machine")
    found = machine.get("/api/v1/citizens/", {"q": known})
    assert found.json()["results"] == []
    assert found.json() == machine.get("/api/v1/citizens/", {"q": unknown}).json()


def test_the_palette_and_the_picker_find_nothing_of_others(estate: Estate) -> None:
    client, foreign = estate.caller("everything"), estate.elsewhere
    for text in (
        foreign.citizen.full_name,
        foreign.identifier.value,
        foreign.point.address,
        foreign.case.reference,
        foreign.case.subject,
    ):
        assert str(foreign.case.uuid) not in client.get("/paleta/", {"q": text}).content.decode()
        assert str(foreign.citizen.uuid) not in client.get("/paleta/", {"q": text}).content.decode()
        picked = client.get("/casos/nuevo/persona/", {"person": text}).content.decode()
        assert str(foreign.citizen.uuid) not in picked


def test_a_code_unknown_and_a_code_revoked_are_answered_alike(estate: Estate) -> None:
    client = estate.caller("nobody")
    history = estate.here.history
    answers = []
    for code in ("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ", history.code):
        IssuedHistory.objects.unscoped("a test revokes").filter(pk=history.pk).update(
            revoked_at=timezone.now(), revoked_reason="Motivo"
        )
        answer = client.post("/verificar/", {"code": code})
        answers.append((answer.status_code, told(answer, {"": code})))
    assert answers[0] == answers[1]


def test_guessing_codes_is_slowed_down(estate: Estate) -> None:
    client = estate.caller("nobody")
    statuses = [
        client.post("/verificar/", {"code": f"AAAA-{number:04}"}).status_code
        for number in range(60)
    ]
    assert 429 in statuses, "codes may be guessed without end"
    assert statuses[0] == 200


def test_an_address_known_and_one_unknown_are_answered_alike(estate: Estate) -> None:
    known, unknown = estate.here.everything.email, f"{uuid4().hex}@example.org"
    for address, field in (("/entrar/contrasena/", "email"), ("/entrar/", "login")):
        answers = []
        for email in (known, unknown):
            client = estate.caller("nobody")
            answer = client.post(address, {field: email, "password": "no es esta"})
            answers.append((answer.status_code, answer.get("Location"), told(answer, {"": email})))
        assert answers[0] == answers[1], address


def test_an_invitation_unknown_says_nothing(estate: Estate) -> None:
    client = estate.caller("nobody")
    one = client.get("/invitacion/no-such-token/")
    other = client.get(f"/invitacion/{'a' * 43}/")
    assert one.status_code == other.status_code == 404
    assert told(one, {"": "no-such-token"}) == told(other, {"": "a" * 43})


def test_nothing_kept_is_ever_unpickled() -> None:
    assert import_string(settings.SESSION_SERIALIZER) is JSONSerializer
    assert app.conf.task_serializer == app.conf.result_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}
    assert "pickle" not in (app.conf.result_accept_content or ())


def test_the_cache_keeps_nothing_that_has_to_be_unpickled() -> None:
    """Django's Redis cache pickles whatever is no integer."""
    serializer = settings.CACHES["default"].get("OPTIONS", {}).get("serializer", "")
    assert serializer, "set a JSON serializer: who writes into Valkey would run code here"

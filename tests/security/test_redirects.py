"""Nobody is led away: `next`, Referer, the language switch and htmx's own header stay in the house."""

from urllib.parse import urlsplit

import pytest

from tests.factories.accounts import PASSWORD
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db

AWAY = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://testserver@evil.example/",
    "///evil.example",
    "/%09/evil.example",
    "\t//evil.example",
    "http://testserver.evil.example/",
    "ftp://testserver/",
]


def stays(location: str) -> bool:
    """Whether a browser that follows stays on this server."""
    cleaned = "".join(character for character in location if ord(character) > 32)
    parts = urlsplit(cleaned.replace("\\", "/"))
    local = parts.scheme in {"", "http", "https"} and parts.netloc in {"", "testserver"}
    return local and not cleaned.startswith(("//", "/\\", "\\"))


@pytest.mark.parametrize("away", AWAY)
def test_signing_in_leads_nowhere_else(away: str, estate: Estate) -> None:
    client = estate.caller("nobody")
    form = {"login": estate.here.everything.email, "password": PASSWORD, "next": away}
    answer = client.post(f"/entrar/?next={away}", form)
    assert answer.status_code == 302, answer.content
    assert stays(answer["Location"]), answer["Location"]


@pytest.mark.parametrize("away", AWAY)
def test_no_page_of_the_console_leads_away(away: str, estate: Estate) -> None:
    client = estate.caller("everything")
    tries = [
        client.post("/perfil/preferencias/", {"next": away, "theme": "dark"}),
        client.post("/casos/columnas/", {"next": away, "column": "state"}),
        client.post("/casos/columnas/", {"column": "state"}, headers={"Referer": away}),
        client.post("/i18n/setlang/", {"language": "es", "next": away}),
        client.post("/i18n/setlang/", {"language": "es"}, headers={"Referer": away}),
        client.post(
            f"/ciudadania/{estate.here.citizen.uuid}/motivo/", {"reason": "Motivo", "next": away}
        ),
        client.post(f"/casos/{estate.here.other_case.uuid}/asumir/", {"lista": away}),
        client.get("/bloqueo/", {"next": away}),
    ]
    for answer in tries:
        assert answer.status_code < 500
        if answer.status_code in {301, 302, 303, 307}:
            assert stays(answer["Location"]), answer["Location"]


@pytest.mark.parametrize("away", AWAY)
def test_a_partial_of_nobody_leads_to_the_door_of_this_house(away: str, estate: Estate) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": away}
    answer = estate.caller("nobody").get("/casos/", headers=headers)
    assert stays(answer["HX-Redirect"])
    assert "evil.example" not in urlsplit(answer["HX-Redirect"]).netloc

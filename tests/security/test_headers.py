"""What every answer says to browsers, and what no request's headers may do."""

import re

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from crm.kit.models import Outbox
from tests.house.asking import ask, ids_of, methods_of
from tests.house.doors import ENTRIES, Door, Guarded, Public, doors
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db

SEEN = [
    door
    for door in doors()
    if isinstance(ENTRIES.get(door.name), Guarded | Public)
    and door.name not in {"metrics", "channels_app:demo_page"}  # a made-up page of another site
]
CACHED = {
    *("organisations:accent", "organisations:logo", "organisations:preview_css"),
    "channels_app:widget_script",
}
# The chat stands in frames of the sites that its account names, a letter's own HTML in one of ours.
FRAMED = {"channels_app:widget": None, "mail:html": "SAMEORIGIN"}
STRICTER = {"mail:html": "no-referrer"}
LINES = ["\r\nSet-Cookie: a=b", "\nX: y", "\r", "a\0b", "é\r\n", "\u2028x", "%0d%0aX: y"]


@pytest.mark.parametrize("door", SEEN, ids=lambda door: door.name)
def test_every_answer_protects_itself(door: Door, estate: Estate) -> None:
    if "get" not in methods_of(door, estate):
        return
    caller = "everything" if door.api is None else "machine"
    answer = ask(estate.caller(caller), door, "get", ids_of(door, estate.here), estate.here)
    policy = answer.headers.get("Content-Security-Policy", "")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("X-Frame-Options") == FRAMED.get(door.name, "DENY")
    assert answer["Referrer-Policy"] == STRICTER.get(door.name, "same-origin")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    # a letter brings its own looks; in its frame nothing runs
    own_looks = "style-src 'unsafe-inline'" if door.name == "mail:html" else "-"
    assert "unsafe-inline" not in policy.replace(own_looks, "")
    assert "unsafe-eval" not in policy
    assert "frame-ancestors" in policy or "sandbox" in policy, policy
    assert "frame-ancestors 'none'" in policy or "sandbox" in policy or door.name in FRAMED, policy
    # Open311 is read by pages of other sites; it knows no cookie and answers what is public
    everybody = "*" if re.fullmatch(r"open311:\w+_(json|xml)", door.name) else None
    assert answer.headers.get("Access-Control-Allow-Origin") == everybody
    assert "Access-Control-Allow-Credentials" not in answer
    if door.name not in CACHED:
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "door",
    [door for door in SEEN if isinstance(ENTRIES[door.name], Guarded) and door.api is None],
    ids=lambda door: door.name,
)
def test_no_form_is_taken_without_its_token(door: Door, estate: Estate) -> None:
    if "post" not in methods_of(door, estate):
        return
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies = estate.caller("everything").cookies
    answer = client.post(door.address(ids_of(door, estate.here)), {"a": "b"})
    assert answer.status_code == 403


def test_no_api_write_is_taken_by_a_session_without_its_token(estate: Estate) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies = estate.caller("everything").cookies
    address = f"/api/v1/cases/{estate.here.case.uuid}/notes/"
    answer = client.post(address, '{"text": "x"}', content_type="application/json")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "a b", "", "127.0.0.1@e"]
)
def test_a_foreign_host_name_is_refused(host: str, estate: Estate) -> None:
    answer = estate.caller("nobody").get("/entrar/", headers={"Host": host})
    assert answer.status_code == 400


def test_the_link_of_a_mail_never_comes_from_a_request(estate: Estate) -> None:
    client = estate.caller("nobody")
    email = estate.here.everything.email
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = client.post("/entrar/contrasena/", {"email": email}, headers=headers)
    assert answer.status_code == 302
    assert "evil.example" not in answer["Location"]
    owed = Outbox.objects.order_by("-pk").first()
    assert owed is not None
    assert "evil" not in str(owed.payload)
    assert mail.outbox == []


@pytest.mark.parametrize("line", LINES)
def test_no_header_is_broken_by_what_is_typed(line: str, estate: Estate) -> None:
    client = estate.caller("everything")
    case = estate.here.case
    for answer in (
        client.get("/casos/", {"q": line, "vista": line, "cursor": line}),
        client.get("/entrar/", {"next": f"/{line}"}),
        client.post(f"/casos/{case.uuid}/notas/", {"text": line or "x"}),
        client.post("/perfil/preferencias/", {"next": f"/{line}", "theme": "dark"}),
        client.get(f"/casos/{case.uuid}/historiales/", headers={"HX-Current-URL": f"/{line}"}),
        client.get("/", headers={"X-Request-ID": line.replace("\r", "").replace("\n", "")}),
    ):
        assert answer.status_code < 500
        for name, value in answer.headers.items():
            assert "\r" not in value, name
            assert "\n" not in value, name


@pytest.mark.parametrize("who", ["nobody", "everything"])
@pytest.mark.parametrize("address", ["http://[::1", "//[", "%zz", "javascript:alert(1)"])
def test_no_address_of_the_page_before_falls_over(address: str, who: str, estate: Estate) -> None:
    client = estate.caller(who)
    for headers in (
        {"Referer": address},
        {"HX-Request": "true", "HX-Current-URL": address},
    ):
        for page in ("/casos/", "/perfil/preferencias/"):
            for answer in (client.get(page, headers=headers), client.post(page, headers=headers)):
                assert answer.status_code < 500
                assert "javascript" not in answer.get("Location", "")
                assert "javascript" not in answer.get("HX-Redirect", "")


@pytest.mark.parametrize(
    "name", ["papel\r\nX: y.pdf", 'a"; x="b.pdf', "../../etc/passwd.pdf", "\u202efdp.exe.pdf"]
)
def test_no_file_name_breaks_the_header_of_its_download(name: str, estate: Estate) -> None:
    from cases.models import Document

    document = estate.here.document
    Document.objects.unscoped("as if it had come in so").filter(pk=document.pk).update(name=name)
    address = f"/casos/{estate.here.case.uuid}/documentos/{document.uuid}/"
    answer = estate.caller("everything").get(address)
    assert answer.status_code == 200
    said = answer["Content-Disposition"]
    assert said.startswith("attachment")
    assert "\r" not in said
    assert "\n" not in said
    assert "X-Injected" not in answer


def test_cookies_are_not_for_scripts_nor_for_others(estate: Estate) -> None:
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
    client = Client()
    client.get("/entrar/")
    for morsel in client.cookies.values():
        assert morsel["samesite"] in {"Lax", "Strict"}, morsel

"""What citizens and colleagues write is shown as they wrote it, never run."""

from html.parser import HTMLParser

import pytest
from django.http import HttpResponse

from cases import services as cases
from cases.models import Case, Document
from crm.citizens.models import Citizen, ContactPoint
from crm.kit.files import safe_name
from tests.factories.cases import CaseFactory
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db

CORPUS = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>-->",
    "{{ 7*7 }}{% debug %}${7*7}",
    "javascript:alert(1)",
    '<a href="javascript:alert(1)">x</a>',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<div style="position:fixed;inset:0">x</div>',
    "\u202e<img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    '" autofocus onfocus=alert(1) x="',
    "' hx-get='/casos/' hx-trigger='load' x='",
    "<iframe srcdoc='<script>alert(1)</script>'>",
]


def _together(texts: list[str], most: int = 100) -> list[str]:
    """The texts one after the other in as few as the shortest field takes: each page is asked less."""
    found = [texts[0]]
    for text in texts[1:]:
        if len(found[-1]) + len(text) <= most:
            found[-1] += text
        else:
            found.append(text)
    return found


TEXTS = _together(CORPUS)
FOREIGN = {"math", "mglyph", "mtext", "iframe", "style", "object", "embed", "base"}


class Page(HTMLParser):
    """Reads a page as a browser does and keeps what would act."""

    def __init__(self) -> None:
        super().__init__()
        self.acting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of ours never has these."""
        given = dict(attrs)
        loads = tag == "script" and "src" not in given and given.get("type") != "application/json"
        hostile = any(
            name.startswith("on")
            or name in {"style", "srcdoc"}
            or (
                (value or "").strip().lower().startswith("javascript:")
                and name in {"href", "src", "action", "formaction"}
            )
            for name, value in attrs
        )
        if loads or hostile or tag in FOREIGN or given.get("src") == "x" or "x" in given:
            self.acting.append(self.get_starttag_text() or tag)


def assert_dead(answer: HttpResponse) -> None:
    """Nothing of the corpus stands in the page as markup."""
    assert answer.status_code in {200, 403, 409, 422}, answer.status_code
    page = Page()
    page.feed(answer.content.decode())
    assert page.acting == []


def test_the_reader_knows_what_would_act() -> None:
    for text in [*CORPUS, *TEXTS]:
        page = Page()
        page.feed(f"<input value=\"{text}\"><p title='{text}'>{text}</p>")
        assert page.acting or text.startswith(("{{", "javascript:", "&lt;", "<!--")), text


@pytest.mark.parametrize("text", TEXTS)
def test_a_case_and_a_citizen_show_it_as_text(text: str, estate: Estate) -> None:
    here, actor = estate.here, estate.here.actor
    Citizen.objects.unscoped("as if written so").filter(pk=here.citizen.pk).update(
        name=text[:150], surname1=text[:100], surname2=text[:100]
    )
    ContactPoint.objects.unscoped("as if written so").filter(pk=here.point.pk).update(
        channel="post", address=text, locality=text[:100]
    )
    case = CaseFactory(
        unit=here.unit,
        case_type=here.case_type,
        citizen=here.citizen,
        subject=text,
        description=text,
        address=text,
    )
    Case.objects.unscoped("as if written so").filter(pk=case.pk).update(outcome=text[:240])
    cases.add_note(actor, case.uuid, text)
    cases.record_message(actor, case.uuid, text, channel="phone")
    document = cases.attach_document(
        actor, case.uuid, [b"%PDF-1.4\n%%EOF\n"], f"papel-{safe_name(text, ('.txt',))}.pdf"
    )
    Document.objects.unscoped("as if it had come in so").filter(pk=document.pk).update(
        name=text[:200]
    )
    cases.link_cases(actor, here.case.uuid, case.uuid)
    client = estate.caller("everything")
    for address in (
        f"/casos/{case.uuid}/",
        f"/casos/{case.uuid}/editar/",
        f"/casos/{case.uuid}/cronologia/",
        f"/casos/{here.case.uuid}/",
        "/casos/?vista=&estado=all",
        "/",
        f"/ciudadania/{here.citizen.uuid}/",
        f"/ciudadania/{here.citizen.uuid}/datos/",
        "/auditoria/",
        f"/casos/nuevo/?citizen={here.citizen.uuid}",
    ):
        assert_dead(client.get(address))


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_sent_back_at_once_is_text_too(text: str, estate: Estate) -> None:
    client = estate.caller("everything")
    here = estate.here
    for answer in (
        client.get("/casos/", {"q": text, "responsable": text, "vista": text, "estado": text}),
        client.get("/ciudadania/", {"q": text}),
        client.get("/casos/nuevo/persona/", {"person": text}),
        client.post("/casos/nuevo/", {"subject": text, "case_type": text, "citizen": text}),
        client.post("/ciudadania/nueva/", {"name": text, "surname1": text}),
        client.post("/organizacion/personal/invitar/", {"email": text, "full_name": text}),
        client.post("/organizacion/roles/nuevo/", {"name": text, "description": text}),
        client.post("/organizacion/tipos/nuevo/", {"name": text, "start": text}),
        client.get("/auditoria/", {"object": text, "who": text, "since": text}),
        client.get("/organizacion/permisos/", {"thing": text, "person": text}),
        client.post(f"/casos/{here.case.uuid}/editar/", {"subject": text, "version": text}),
        estate.caller("nobody").post("/verificar/", {"code": text}),
    ):
        if answer.status_code not in {302, 400}:
            assert_dead(answer)


def test_every_name_of_a_palette_is_json(estate: Estate) -> None:
    here = estate.here
    Citizen.objects.unscoped("as if written so").filter(pk=here.citizen.pk).update(
        surname1="</script><script>alert(1)</script>"
    )
    answer = estate.caller("everything").get("/paleta/", {"q": "Lucía"})
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"

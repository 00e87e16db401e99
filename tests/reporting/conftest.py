"""A case with a life of its own, and a place for keys and files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.core.cache import cache

from cases import services as cases
from cases.models import Case, Confidentiality, Document
from crm.accounts.models import User
from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.pdf import render
from reporting import printing
from reporting.models import IssuedHistory
from reporting.services import issue_history, make_history
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory

PAPER = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of the demo authority, made once for all tests."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(autouse=True)
def places(settings: Any, tmp_path: Path, keys: Path) -> None:
    """Files and keys of the test's own; nobody has tried a code yet."""
    settings.MEDIA_ROOT, settings.KEYS_DIR = tmp_path / "media", keys
    cache.clear()


@pytest.fixture(scope="session")
def _sheet() -> bytes:
    """A page as the renderer makes it."""
    return render("<p>One sheet", assets={}, language="es", title="One sheet")


@pytest.fixture
def sheet(_sheet: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document is the same sheet, but sealed and kept as its own: for tests of all around it."""

    def printed(
        _html: str, *, progress: Callable[[int], None] | None = None, **_kwargs: Any
    ) -> bytes:
        if progress:
            progress(1)
        return _sheet

    monkeypatch.setattr(printing, "render", printed)


@pytest.fixture
def boss(world: World) -> Actor:
    """May issue histories of Alice's unit."""
    return world.actor(supervisor(world))


def supervisor(world: World) -> User:
    """Somebody who supervises Alice's unit."""
    return employee(world.here, "supervisor", unit=world.unit, full_name="Berta Salcedo Roig")


@pytest.fixture
def person(world: World) -> Citizen:
    """The citizen of the case, with a telephone."""
    found = CitizenFactory(
        name="Íñigo",
        surname1="Zubizarreta",
        surname2="Peñalver",
        organisation=world.here,
        nif="12345678Z",
    )
    ContactPointFactory(citizen=found, organisation=world.here, address="+34600123456")
    return found


@pytest.fixture
def case(world: World, person: Citizen) -> Case:
    """A case in which everything happened once."""
    alice = world.actor(world.alice)
    row = CaseFactory(
        unit=world.unit,
        actor=alice,
        citizen=person,
        subject="Devolución de ingresos de Íñigo Zubizarreta",
        description="Dice ZUBIZARRETA que le llamen al 600 123 456; su DNI es 12.345.678-Z.",
        address="Calle del Olmo 14, Valdelagua",
    )
    other = CitizenFactory(
        name="Xoana", surname1="Castromil", surname2="", organisation=world.here, nif="00000000T"
    )
    cases.take_case(alice, row.uuid)
    cases.add_participant(alice, row.uuid, other.uuid, "representative")
    cases.record_message(alice, row.uuid, "Soy Íñigo. ¿Cuándo me pagan?", channel="phone")
    cases.send_message(alice, row.uuid, "Estimado Sr. Peñalver: la semana próxima.")
    cases.add_note(alice, row.uuid, "Sospechamos de Castromil. SECRETO-INTERNO")
    for name, level, origin in (
        ("informe-secreto.pdf", Confidentiality.CONFIDENTIAL, Document.Origin.ADMINISTRATION),
        ("oficio-interno.pdf", Confidentiality.INTERNAL, Document.Origin.ADMINISTRATION),
        ("recibo-zubizarreta.pdf", Confidentiality.INTERNAL, Document.Origin.CITIZEN),
        ("resolucion.pdf", Confidentiality.PUBLIC, Document.Origin.ADMINISTRATION),
    ):
        cases.attach_document(alice, row.uuid, [PAPER], name, origin=origin, confidentiality=level)
    cases.edit_case(alice, row.uuid, {"priority": Case.Priority.HIGH})
    cases.close_case(alice, row.uuid, outcome="Se devuelve el ingreso", reason="MOTIVO-INTERNO")
    row.refresh_from_db()
    return row


def made(actor: Actor, case: Case, variant: str = "full") -> IssuedHistory:
    """The finished history of a case."""
    history = issue_history(actor, case.uuid, variant)
    make_history(history.pk)
    history.refresh_from_db()
    assert history.status == "done", history.error
    return history


def pages_of(document: bytes) -> list[str]:
    """The text of each page, on one line."""
    return [
        " ".join(page.get_textpage().get_text_range().split())
        for page in pypdfium2.PdfDocument(document)
    ]

"""The import wizard: upload, map, try, load; wrong files are said and lose nothing."""

import gzip
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from cases.imports.mapping import build, open_mapping, read, ready_names
from cases.imports.tasks import resume_imports, run_import
from cases.imports.wizard import to_toml
from cases.models import Case, CaseType, Import
from cases.services.catalogue import create_case_type
from cases.services.imports import forget_files
from cases.workflow import simple_bundle
from crm.accounts.actors import system_actor
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee

CSV = "id;asunto;fecha;estado\n1;Farola;03/02/2026;abierto\n2;Árbol caído;04/02/2026;abierto\n3;;05/02/2026;abierto\n"


@pytest.fixture
def admin(world: World, client: Client, settings: object, tmp_path: object) -> Client:
    settings.MEDIA_ROOT = tmp_path
    create_case_type(
        system_actor(world.here, ORIGIN),
        code="aviso",
        name="Aviso",
        nature="incident",
        bundle=simple_bundle(
            fields={"type": "object", "properties": {"estado": {"type": "string"}}}
        ),
    )
    client.force_login(employee(world.here, "administrator"))
    return client


def upload(client: Client, content: bytes = CSV.encode("cp1252"), **data: str) -> Import:
    file = SimpleUploadedFile("avisos.csv", content, "text/csv")
    response = client.post("/importaciones/nueva/", {"file": file, **data})
    assert response.status_code == 302, response.content.decode()
    return Import.objects.unscoped("test").get()


FILLED = {
    "source": "old-crm",
    "encoding": "cp1252",
    "delimiter": ";",
    "missing": "",
    "zone": "Europe/Madrid",
    "external_id-column": "id",
    "subject-column": "asunto",
    "type-value": "aviso",
    "opened_at-column": "fecha",
    "opened_at-format": "%d/%m/%Y",
    "state-column": "estado",
    "state-values": "abierto = open\ncerrado = closed",
    "keep": ["estado"],
}


def test_from_the_file_to_the_cases(
    admin: Client, django_capture_on_commit_callbacks: object
) -> None:
    load = upload(admin)
    page = admin.get(f"/importaciones/{load.uuid}/columnas/")
    assert page.context["form"].initial["delimiter"] == ";"
    assert page.context["form"].initial["encoding"] == "cp1252"
    response = admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    assert response.status_code == 302, response.content.decode()
    page = admin.get(f"/importaciones/{load.uuid}/columnas/")
    assert [bool(row.get("case")) for row in page.context["tried"]] == [True, True, False]
    assert page.context["tried"][0]["state"] == "In progress"  # as people read it, not "open"
    assert "Árbol caído" in page.content.decode()
    admin.post(f"/importaciones/{load.uuid}/iniciar/")
    run_import(load.pk)
    load.refresh_from_db()
    assert (load.status, load.inserted, load.bad) == (Import.Status.DONE, 2, 1)
    assert Case.objects.unscoped("test").get(external_id="2").data == {"estado": "abierto"}
    page = admin.get(f"/importaciones/{load.uuid}/")
    assert page.context["problems"][0].row == 3
    errors = b"".join(admin.get(f"/importaciones/{load.uuid}/errores.csv").streaming_content)
    assert b"3,3," in errors


def test_a_trial_leaves_the_draft_and_loads_nothing(admin: Client) -> None:
    load = upload(admin)
    admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    admin.post(f"/importaciones/{load.uuid}/iniciar/", {"try": "1"})
    trial = Import.objects.unscoped("test").get(dry_run=True)
    run_import(trial.pk)
    trial.refresh_from_db()
    load.refresh_from_db()
    assert (trial.inserted, trial.bad, load.status) == (2, 1, Import.Status.DRAFT)
    assert not Case.objects.unscoped("test").exists()


def test_from_a_trial_one_goes_on_to_load_what_was_tried(admin: Client) -> None:
    load = upload(admin)
    admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    admin.post(f"/importaciones/{load.uuid}/iniciar/", {"try": "1"})
    trial = Import.objects.unscoped("test").get(dry_run=True)
    to_load = f'action="/importaciones/{load.uuid}/iniciar/"'
    to_change = f'href="/importaciones/{load.uuid}/columnas/"'
    running = admin.get(f"/importaciones/{trial.uuid}/").content.decode()
    assert to_load not in running
    run_import(trial.pk)
    tried = admin.get(f"/importaciones/{trial.uuid}/").content.decode()
    assert to_load in tried
    assert to_change in tried
    admin.post(f"/importaciones/{load.uuid}/columnas/", {**FILLED, "source": "another"})
    changed = admin.get(f"/importaciones/{trial.uuid}/").content.decode()
    assert to_load not in changed  # what would be loaded was not tried
    assert to_change in changed
    admin.post(f"/importaciones/{load.uuid}/iniciar/")
    assert to_change not in admin.get(f"/importaciones/{trial.uuid}/").content.decode()


def test_a_wrong_mapping_is_said_at_its_field_and_keeps_what_was_typed(admin: Client) -> None:
    load = upload(admin)
    wrongs = [("subject-column", ""), ("encoding", "klingon"), ("encoding", "undefined")]
    for place, wrong in wrongs:
        response = admin.post(f"/importaciones/{load.uuid}/columnas/", {**FILLED, place: wrong})
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [place]
    assert response.context["form"]["state-values"].value() == FILLED["state-values"]


def test_what_is_wrong_is_said_in_words_and_the_codes_there_are_are_offered(admin: Client) -> None:
    # regression: "case.type: This field is needed." beside a box that expected a code by heart
    load = upload(admin)
    answer = admin.post(f"/importaciones/{load.uuid}/columnas/", {**FILLED, "type-value": ""})
    assert answer.context["form"].errors == {"type-column": ["This field is needed."]}
    seen = answer.content.decode()
    kind = CaseType.objects.unscoped("test").get(code="aviso")
    assert f'<option value="aviso">{kind.name}</option>' in seen
    assert 'list="offers-type"' in seen
    assert '<option value="high">High</option>' in seen
    assert '<option value="phone">' in seen


def as_shown(page: Any) -> dict[str, Any]:
    """What a browser would send of a form that nobody touched."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize("name", ready_names())
def test_saving_a_ready_mapping_loses_nothing_of_it(admin: Client, name: str) -> None:
    mapping = open_mapping(name)
    mark = mapping.file.delimiter
    header = mark.join(sorted(mapping.columns)) + "\n" + mark.join("x" for _ in mapping.columns)
    load = upload(admin, header.encode(mapping.file.encoding), ready=name)
    page = admin.get(f"/importaciones/{load.uuid}/columnas/")
    answer = admin.post(f"/importaciones/{load.uuid}/columnas/", as_shown(page))
    assert answer.status_code == 302, answer.context["form"].errors
    load.refresh_from_db()
    saved = build(load.mapping)
    assert saved.case == mapping.case
    assert saved.data == mapping.data
    assert saved.file == mapping.file


def test_another_separator_shows_the_columns_that_it_makes(admin: Client) -> None:
    load = upload(admin, b"id,asunto;fecha,estado\n1,Farola;hoy,abierto\n")
    address = f"/importaciones/{load.uuid}/columnas/"
    assert admin.get(address).context["header"] == ["id", "asunto;fecha", "estado"]
    again = admin.post(address, {**FILLED, "delimiter": ";", "encoding": "utf-8"})
    assert again.context["header"] == ["id,asunto", "fecha,estado"]


def test_an_empty_file_is_refused(admin: Client) -> None:
    file = SimpleUploadedFile("nada.csv", b"", "text/csv")
    response = admin.post("/importaciones/nueva/", {"file": file})
    assert response.status_code == 422
    assert not Import.objects.unscoped("test").exists()


PACKED = gzip.compress(CSV.encode() * 500)


@pytest.mark.parametrize(
    "content",
    [PACKED[:-20], PACKED[:20] + b"\xff" * 40 + PACKED[60:], PACKED[:2] + b"\xff" * 40],
    ids=["cut", "broken", "no gzip"],
)
def test_a_damaged_packed_file_is_refused_and_not_kept(
    admin: Client, content: bytes, tmp_path: Path
) -> None:
    file = SimpleUploadedFile("avisos.csv.gz", content)
    response = admin.post("/importaciones/nueva/", {"file": file})
    assert response.status_code == 422
    assert "The packed file is damaged." in response.content.decode()
    assert not Import.objects.unscoped("test").exists()
    assert list((tmp_path / "imports").iterdir()) == []


def test_bytes_of_no_encoding_are_shown_as_question_marks(admin: Client) -> None:
    load = upload(admin, b"id;a\x81unto\n1;\x81\xff\n")
    response = admin.get(f"/importaciones/{load.uuid}/columnas/")
    assert response.status_code == 200
    assert response.context["header"] == ["id", "a?unto"]
    assert response.context["sample"] == [["1", "?ÿ"]]


def test_a_file_of_endless_columns_is_refused(admin: Client) -> None:
    """A page with all of them to choose from, for each field, would take half a minute."""
    load = upload(admin, b";" * 50_000 + b"\n")
    response = admin.get(f"/importaciones/{load.uuid}/columnas/")
    assert response.status_code == 422
    assert "more columns" in response.content.decode()


def test_a_cancelled_import_loads_no_more(admin: Client) -> None:
    load = upload(admin)
    admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    admin.post(f"/importaciones/{load.uuid}/iniciar/")
    admin.post(f"/importaciones/{load.uuid}/detener/")
    run_import(load.pk)
    assert not Case.objects.unscoped("test").exists()


def test_who_may_not_import_is_refused_and_strangers_find_nothing(
    admin: Client, world: World
) -> None:
    load = upload(admin)
    agent = Client()
    agent.force_login(world.alice)
    assert agent.get(f"/importaciones/{load.uuid}/").status_code == 403
    stranger = Client()
    stranger.force_login(employee(world.elsewhere, "administrator"))
    assert stranger.get(f"/importaciones/{load.uuid}/").status_code == 404
    assert stranger.post(f"/importaciones/{load.uuid}/iniciar/").status_code == 404


def test_the_mapping_as_a_file_is_the_same_mapping(admin: Client) -> None:
    load = upload(admin)
    admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    load.refresh_from_db()
    assert read(to_toml(load.mapping)).raw == load.mapping


def test_an_import_whose_worker_died_is_taken_up(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = upload(admin)
    admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    admin.post(f"/importaciones/{load.uuid}/iniciar/")
    Import.objects.unscoped("test").update(updated_at="2020-01-01T00:00:00Z")
    taken: list[int] = []
    monkeypatch.setattr(run_import, "delay", taken.append)
    resume_imports()
    assert taken == [load.pk]


def test_files_are_not_kept_longer_than_they_serve(admin: Client, tmp_path: Path) -> None:
    load = upload(admin)
    admin.post(f"/importaciones/{load.uuid}/columnas/", FILLED)
    nobodys, by_hand = tmp_path / "imports" / "nobodys", tmp_path / "by-hand.csv"
    for path in (nobodys, by_hand):
        path.write_text(CSV)

    def grow_old(days: int) -> None:
        moment = timezone.now() - timedelta(days=days)
        for path in (nobodys, by_hand, Path(load.file_path)):
            if path.exists():
                os.utime(path, (moment.timestamp(),) * 2)
        Import.objects.unscoped("test").update(updated_at=moment)

    assert forget_files() == 0
    grow_old(2)
    assert forget_files() == 1
    assert not nobodys.exists()
    grow_old(31)
    assert forget_files() == 1
    assert not Path(load.file_path).exists()
    assert by_hand.exists()
    load.refresh_from_db()
    assert load.status == Import.Status.CANCELLED
    assert admin.get(f"/importaciones/{load.uuid}/columnas/").status_code == 302
    Import.objects.unscoped("test").update(status=Import.Status.FAILED)
    assert admin.post(f"/importaciones/{load.uuid}/iniciar/").status_code == 409

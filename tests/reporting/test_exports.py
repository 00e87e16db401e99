"""Files of figures and cases: asked for with a reason, made by a worker, handed out to their asker only."""

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from cases import services as cases
from crm.accounts.models import Role, User
from crm.accounts.services.roles import place_for
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import StreamEvent
from reporting import exporting, facts, leases, tasks
from reporting.asking import asked_by
from reporting.board import Board
from reporting.exporting import ask_export, download_export, forget_exports, make_export
from reporting.models import Export, Status
from reporting.streams import may_follow_export
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.reporting.test_board import agreement
from tests.reporting.test_spreadsheet import cells

EVIL = '=HYPERLINK("http://evil.example","x")'
ASKED = {"figura": ["opened"]}


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def director(world: World) -> User:
    return employee(world.here, "supervisor", full_name="Berta Salcedo")


@pytest.fixture
def boss(director: User) -> Actor:
    return acting(director)


@pytest.fixture
def three(world: World, boss: Actor) -> None:
    """Three cases, one of a type and with an outcome that somebody meant to be run."""
    evil = CaseTypeFactory(organisation=world.here, code="evil", name=EVIL)
    plain = CaseTypeFactory(organisation=world.here, code="plain", name="Ayuda")
    for unit in (world.unit, world.other_unit):
        CaseFactory(actor=boss, unit=unit, case_type=plain)
    closed = CaseFactory(actor=boss, unit=world.unit, case_type=evil)
    cases.close_case(boss, closed.uuid, outcome="+34 pagado")
    facts.refresh(world.here)


def done(
    actor: Actor, subject: str, form: str, query: dict[str, list[str]] | None = None
) -> Export:
    export = ask_export(actor, subject, form, query or ASKED, purpose="Memoria anual")
    make_export(export.pk)
    export.refresh_from_db()
    assert export.status == Status.DONE, export.error
    return export


def content(export: Export) -> bytes:
    return (Path(settings.MEDIA_ROOT) / export.path).read_bytes()


def rows_of(export: Export) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(export).decode("utf-8-sig"), newline="")))


@pytest.mark.usefixtures("three")
def test_the_figures_as_csv_are_those_of_the_board(boss: Actor) -> None:
    rows = rows_of(done(boss, "figures", "csv", {"periodo": ["7"]}))
    told = {row[1]: row[2] for row in rows if row[0] == "Figures" and len(row) > 2}
    figures = Board(asked_by(boss, QueryDict("periodo=7"))).figures
    for figure in figures:
        said = told[str(figure.metric.name)]
        assert (float(said) if said else None) == pytest.approx(figure.value)
    assert told["Cases opened"] == "3"
    assert ["By case type", f"'{EVIL}", "1"] in rows  # a number stays a number, a formula text
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


@pytest.mark.usefixtures("three")
def test_the_figures_as_workbook_have_a_sheet_for_each_part(boss: Actor) -> None:
    export = done(boss, "figures", "xlsx")
    archive = zipfile.ZipFile(io.BytesIO(content(export)))
    assert archive.testzip() is None
    book = archive.read("xl/workbook.xml").decode()
    for name in ("Figures", "Over time", "By case type", "By unit", "By hour"):
        assert f'name="{name}"' in book
    first = cells(archive)[1]
    assert (first[0][2], first[1]) == ("Cases opened", (None, "0", "3"))
    assert not any("<f>" in archive.read(name).decode() for name in archive.namelist())


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_cases_behind_a_figure_are_those_of_its_list(form: str, boss: Actor) -> None:
    export = done(boss, "cases", form)
    assert (export.done, export.total) == (3, 3)
    if form == "csv":
        rows = rows_of(export)
        assert len(rows) == 4
        evil = next(row for row in rows if row[1] == f"'{EVIL}")
        assert evil[8] == "'+34 pagado"
        assert evil[10] == evil[11] == "0"  # minutes, as numbers
    else:
        rows = cells(zipfile.ZipFile(io.BytesIO(content(export))))
        kinds = {cell[:2] for row in rows[1:] for cell in row if cell[2] in (EVIL, "+34 pagado")}
        assert kinds == {("inlineStr", "5")}
        assert {row[5][1] for row in rows[1:]} == {"3"}  # the opening is a moment


@pytest.mark.usefixtures("three")
def test_an_export_holds_what_its_asker_may_see(world: World) -> None:
    chief = acting(employee(world.here, "supervisor", unit=world.other_unit))
    assert len(rows_of(done(chief, "cases", "csv"))) == 2
    told = rows_of(done(chief, "figures", "csv"))
    assert ["Figures", "Cases opened", "1"] in [row[:3] for row in told]
    director = acting(employee(world.here, "communications"))
    assert len(rows_of(done(director, "cases", "csv"))) == 1  # sees figures, but no case


@pytest.mark.usefixtures("three")
def test_rights_lost_meanwhile_make_no_file(world: World) -> None:
    user = employee(world.here, "supervisor")
    export = ask_export(acting(user), "figures", "csv", {}, purpose="Memoria")
    user.groups.clear()
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.error, export.path) == (Status.FAILED, "no_rights", "")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("subject", ["figures", "cases"])
def test_a_file_that_tells_of_more_than_its_asker_may_see_now_stays_here(
    world: World, subject: str
) -> None:
    """Asked for with the whole organisation in reach; a role in one unit is what is left."""
    user = employee(world.here, "supervisor")
    whole = done(acting(user), subject, "csv")
    narrow = done(acting(user), subject, "csv", {**ASKED, "unidad": [str(world.unit.uuid)]})
    file = f"/informes/exportaciones/{whole.uuid}/fichero/"
    assert signed_in(user).get(file).status_code == 200
    user.groups.clear()
    role = Role.objects.get(organisation=world.here, code="supervisor")
    place_for(role, world.unit).group.user_set.add(user)
    answer = signed_in(user).get(file)
    assert answer.status_code == 403
    assert "more than your roles reach now" in answer.content.decode()
    refused = AuditEntry.objects.for_actor(acting(user)).filter(object_id=str(whole.uuid))
    assert refused.latest("pk").result == "refused"
    assert download_export(acting(user), narrow.uuid) == narrow  # of what is still theirs
    user.groups.clear()
    place_for(role, world.other_unit).group.user_set.add(user)
    with pytest.raises(Refused):
        download_export(acting(user), narrow.uuid)


@pytest.mark.usefixtures("three")
def test_who_sees_figures_but_no_cases_any_more_gets_no_file_of_cases(world: World) -> None:
    user = employee(world.here, "supervisor", "communications")
    cases_of, figures = (done(acting(user), subject, "csv") for subject in ("cases", "figures"))
    user.groups.clear()
    role = Role.objects.get(organisation=world.here, code="communications")
    place_for(role, None).group.user_set.add(user)
    assert download_export(acting(user), figures.uuid) == figures
    with pytest.raises(Refused):
        download_export(acting(user), cases_of.uuid)


def test_of_an_organisation_that_shares_no_more_no_figures_go_out(
    world: World, boss: Actor
) -> None:
    row = agreement(world)
    export = done(boss, "figures", "csv", {})
    assert "Organismo de allí" in content(export).decode()
    assert download_export(boss, export.uuid) == export
    row.revoked_at = timezone.now()
    row.save()
    with pytest.raises(Refused):
        download_export(boss, export.uuid)


def test_a_file_of_a_version_that_did_not_say_is_for_who_sees_everything(
    world: World, boss: Actor
) -> None:
    chief = acting(employee(world.here, "supervisor", unit=world.unit))
    for actor, goes in ((boss, True), (chief, False)):
        export = done(actor, "figures", "csv", {})
        del export.query["told"]
        export.save()
        if goes:
            assert download_export(actor, export.uuid) == export
        else:
            with pytest.raises(Refused):
                download_export(actor, export.uuid)


def test_an_export_says_what_for_and_in_which_form(world: World, boss: Actor) -> None:
    for given in (
        {"form": "csv", "purpose": "  "},
        {"form": "exe", "purpose": "Memoria"},
    ):
        with pytest.raises(Invalid):
            ask_export(boss, "figures", given["form"], {}, purpose=given["purpose"])
    with pytest.raises(Invalid):
        ask_export(boss, "everything", "csv", {}, purpose="Memoria")
    with pytest.raises(NotFound):
        ask_export(boss, "cases", "csv", {"figura": ["x"]}, purpose="Memoria")
    with pytest.raises(Refused):
        ask_export(acting(world.alice), "figures", "csv", {}, purpose="Memoria")
    assert not Export.objects.unscoped("none was made").exists()


@pytest.mark.usefixtures("three")
def test_asking_and_taking_are_written_down_with_the_reason(boss: Actor) -> None:
    export = done(boss, "figures", "csv")
    download_export(boss, export.uuid)
    entries = AuditEntry.objects.for_actor(boss).filter(object_type="reporting.export")
    told = [(entry.action, entry.purpose) for entry in entries.order_by("pk")]
    assert told == [
        ("reporting.view_report", "Memoria anual"),
        ("exported", "Memoria anual"),
    ]


def test_only_its_asker_has_it(world: World, boss: Actor, director: User) -> None:
    export = ask_export(boss, "figures", "csv", {}, purpose="Memoria")
    colleague, stranger = (employee(place, "supervisor") for place in (world.here, world.elsewhere))
    url = f"/informes/exportaciones/{export.uuid}/"
    for user, status in ((colleague, 404), (stranger, 404), (world.alice, 403), (director, 200)):
        assert signed_in(user).get(url).status_code == status
        page = signed_in(user).get("/informes/exportaciones/")
        assert (str(export.uuid) in page.content.decode()) is (user == director)
    assert signed_in(director).get(f"{url}fichero/").status_code == 409  # not made yet
    with pytest.raises(Conflict):
        download_export(boss, export.uuid)
    assert may_follow_export(boss, str(export.uuid))
    assert not may_follow_export(acting(colleague), str(export.uuid))
    assert not may_follow_export(boss, "x")


@pytest.mark.usefixtures("three")
def test_the_pages_ask_follow_and_hand_out(director: User, boss: Actor) -> None:
    client = signed_in(director)
    answer = client.post(
        "/informes/exportar/",
        {"subject": "cases", "form": "csv", "purpose": "", "figura": "opened", "periodo": "7"},
    )
    assert answer.status_code == 422
    assert 'name="figura" value="opened"' in answer.content.decode()  # nothing of it is lost
    answer = client.post(
        "/informes/exportar/",
        {"subject": "cases", "form": "csv", "purpose": "Pleno", "figura": "opened"},
    )
    assert (answer.status_code, answer["Location"]) == (302, "/informes/exportaciones/")
    export = Export.objects.for_actor(boss).get()
    assert export.query["figura"] == ["opened"]
    assert export.query["periodo"] == ["otro"]  # the days stay those that were seen
    make_export(export.pk)
    page = client.get("/informes/exportaciones/").content.decode()
    assert "Pleno" in page
    assert f"/informes/exportaciones/{export.uuid}/fichero/" in page
    file = client.get(f"/informes/exportaciones/{export.uuid}/fichero/")
    assert file["Content-Disposition"].startswith("attachment")
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(file.streaming_content).startswith(b"\xef\xbb\xbf")  # type: ignore[attr-defined]


@pytest.mark.usefixtures("three")
def test_a_killed_worker_s_file_is_made_by_another(
    boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(tasks, "enqueue", lambda name, pk: sent.append((name, pk)))
    export = ask_export(boss, "figures", "csv", {}, purpose="Memoria")
    assert leases.claim(Export, export.pk) is not None  # and here the worker is killed
    make_export(export.pk)
    export.refresh_from_db()
    assert export.status == Status.RUNNING
    rows = Export.objects.unscoped("the test's own").filter(pk=export.pk)
    rows.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    assert sent == [("reporting.make_export", export.pk)]
    make_export(export.pk)
    make_export(export.pk)
    export.refresh_from_db()
    assert export.status == Status.DONE
    told = StreamEvent.objects.filter(stream=f"export:{export.uuid}")
    assert told.filter(patch__finished=True).count() == 1


@pytest.mark.usefixtures("three")
def test_too_many_cases_are_refused_in_words(boss: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_CASES", 2)
    export = ask_export(boss, "cases", "csv", ASKED, purpose="Memoria")
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.error) == (Status.FAILED, "too_many_rows")
    page = signed_in(User.objects.get(pk=boss.id)).get("/informes/exportaciones/")
    assert "choose a shorter period" in page.content.decode()


@pytest.mark.usefixtures("three")
def test_exports_go_after_a_week_with_their_bytes(boss: Actor) -> None:
    old, new = done(boss, "figures", "csv"), done(boss, "cases", "csv")
    rows = Export.objects.unscoped("the test's own")
    rows.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert forget_exports() == 1
    assert list(rows.values_list("pk", flat=True)) == [new.pk]
    assert not (Path(settings.MEDIA_ROOT) / old.path).exists()
    assert content(new)


@pytest.mark.usefixtures("three")
def test_bytes_that_something_else_has_stay(boss: Actor) -> None:
    old = done(boss, "cases", "csv")
    rows = Export.objects.unscoped("the test's own")
    again = done(boss, "cases", "csv")
    assert again.path == old.path
    rows.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert forget_exports() == 1
    assert content(again)

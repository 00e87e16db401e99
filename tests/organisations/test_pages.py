"""The organisation's pages: what is typed reaches the verbs, what they refuse is shown beside the field."""

import re
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import Settings

from cases.models import Case
from crm.accounts.models import User
from crm.organisations import options
from crm.organisations.calendars import Interval
from crm.organisations.forms import WeekForm
from crm.organisations.models import (
    Holiday,
    OpeningHours,
    Organisation,
    SharingAgreement,
    Unit,
    WorkingCalendar,
)
from crm.organisations.services import load_public_holidays
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.organisations import UnitFactory
from tests.organisations.test_organisation import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, world: World) -> Client:
    """The administrator's browser."""
    client.force_login(employee(world.here, "administrator", full_name="Ada Admin", language="en"))
    return client


@pytest.fixture
def local(world: World) -> WorkingCalendar:
    return WorkingCalendar.objects.create(
        organisation=world.here,
        layer="local",
        name="Aquí",
        code="28079",
        base=load_public_holidays("MD"),
    )


def text(page: Client, path: str, status: int = 200) -> str:
    answer = page.get(path)
    assert answer.status_code == status
    return answer.content.decode()


# --- settings -------------------------------------------------------------------------------------


def given(organisation: Organisation, **other: object) -> dict[str, object]:
    return {
        "name": organisation.name,
        "short_name": "",
        "dir3_code": "",
        "accent": "#7a1f3d",
        "languages": ["es", "ca"],
        "time_zone": "Atlantic/Canary",
        "calendar": "",
    } | other


def test_settings_are_changed(page: Client, world: World, local: WorkingCalendar) -> None:
    answer = page.post("/organizacion/", given(world.here, calendar=str(local.uuid)))

    assert answer.status_code == 302
    world.here.refresh_from_db()
    assert (world.here.accent, world.here.languages) == ("#7a1f3d", ["es", "ca"])
    assert (world.here.time_zone, world.here.calendar) == ("Atlantic/Canary", local)


def test_what_is_refused_is_shown_and_what_was_typed_stays(page: Client, world: World) -> None:
    answer = page.post("/organizacion/", given(world.here, accent="#ffffff", dir3_code="nonsense"))

    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "Text on this colour could not be read well." in shown
    assert 'value="nonsense"' in shown
    world.here.refresh_from_db()
    assert world.here.accent == "#0b5a6b"


def test_the_slower_of_two_administrators_is_told_and_may_go_on(page: Client, world: World) -> None:
    other = Client()
    other.force_login(employee(world.here, "administrator"))
    unit = world.unit
    unit_page = reverse("organisations:unit", args=[unit.uuid])
    settings_page = reverse("organisations:settings")

    def shown(address: str, form: str) -> dict[str, Any]:
        found = page.get(address).context[form]
        return {name: found[name].value() for name in found.fields if found[name].value()}

    places = (
        (unit_page, unit_page, "form", "name", "Name"),
        (settings_page, settings_page, "form", "short_name", "Short name"),
        (settings_page, reverse("organisations:options"), "options_form", "idle_minutes", ""),
    )
    for address, save, name, field, label in places:
        first = shown(address, name)
        theirs, mine = ("11", "12") if field == "idle_minutes" else ("Suyo", "Mío")
        assert other.post(save, {**first, field: theirs}).status_code == 302
        late = page.post(save, {**first, field: mine})
        assert late.status_code == 409, field
        form = late.context[name]
        assert [value for words, value in form.now if not label or words == label] == [theirs]
        assert form[field].value() == mine
        assert (
            page.post(save, {**first, field: mine, "seen": form["seen"].value()}).status_code == 302
        )
    world.here.refresh_from_db()
    unit.refresh_from_db()
    assert (unit.name, world.here.short_name) == ("Mío", "Mío")
    assert world.here.options["idle_minutes"] == 12


def test_options_are_changed(page: Client, world: World) -> None:
    sent = {
        "idle_minutes": 5,
        "session_hours": 8,
        "search_months": 6,
        "map_latitude": "39.47",
        "map_longitude": "-0.38",
        "map_zoom": 12,
        "mail_source_months": 36,
        "transfer_days": 4,
        "acceptance_units": "SOUTH",
        "purposes": "Uno\r\nDos\r\n",
    }

    assert page.post("/organizacion/opciones/", sent).status_code == 302
    assert page.post("/organizacion/opciones/", sent | {"idle_minutes": 0}).status_code == 422
    for wrong in ("NaN", "inf", "91", "-90.5", "1e400", "", "norte"):
        answer = page.post("/organizacion/opciones/", sent | {"map_latitude": wrong})
        assert answer.status_code == 422, wrong

    world.here.refresh_from_db()
    assert options.read(world.here) == options.Options(
        second_factor=False,
        idle_minutes=5,
        session_hours=8,
        search_months=6,
        map_latitude=39.47,
        map_longitude=-0.38,
        map_zoom=12,
        mail_source_months=36,
        transfer_days=4,
        acceptance_units=("SOUTH",),
        purposes=("Uno", "Dos"),
    )
    assert "Uno\nDos" in text(page, "/organizacion/")


def test_the_logo_is_set_refused_and_removed(
    page: Client, world: World, tmp_path: Path, settings: Settings
) -> None:
    settings.MEDIA_ROOT = tmp_path
    answer = page.post(
        "/organizacion/logotipo/", {"file": SimpleUploadedFile("logo.svg", b"<svg/>")}
    )
    assert answer.status_code == 422
    assert "logo.svg" in answer.content.decode()

    assert (
        page.post(
            "/organizacion/logotipo/", {"file": SimpleUploadedFile("logo.png", picture())}
        ).status_code
        == 302
    )
    assert "/organizacion/HERE/logo" in text(page, "/organizacion/")
    assert page.post("/organizacion/logotipo/").status_code == 302
    world.here.refresh_from_db()
    assert world.here.logo == ""


def test_a_colour_is_tried_before_it_is_kept(page: Client, client: Client) -> None:
    shown = text(page, "/organizacion/vista-previa/?accent=%237a1f3d")
    assert "/organizacion/vista-previa/7a1f3d.css" in shown
    assert "could not be read" not in shown
    assert "could not be read" in text(page, "/organizacion/vista-previa/?accent=%23ffffff")
    assert ".css" not in text(page, "/organizacion/vista-previa/?accent=red%3B%7D")

    css = client.get("/organizacion/vista-previa/7a1f3d.css")
    assert css.content == b'[data-org="preview"]{--accent-base:#7a1f3d}\n'
    assert client.get("/organizacion/vista-previa/7a1f3.css").status_code == 404


# --- units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["settings", "units", "calendars"])
def test_the_menu_says_where_one_is_on_the_pages_behind_a_tab(page: Client, name: str) -> None:
    # regression: palette commands, which the menu does not show, took the mark for themselves
    seen = text(page, reverse(f"organisations:{name}"))
    at_the_settings = (
        f'<a class="v-nav" href="{reverse("organisations:settings")}" aria-current="page">'
    )
    assert at_the_settings in seen
    assert seen.count('class="v-nav"') > 1
    assert len(re.findall(r'class="v-nav" href="[^"]*" aria-current', seen)) == 1


def test_the_tree_shows_units_and_closed_ones_when_asked(page: Client, world: World) -> None:
    UnitFactory(organisation=world.here, parent=world.unit, name="Debajo")
    Unit.objects.filter(pk=world.other_unit.pk).update(closed_on=timezone.localdate())
    Organisation.objects.filter(pk=world.here.pk).update(units_version=99)

    shown = text(page, "/organizacion/unidades/")
    assert shown.index("Dirección") < shown.index("Norte") < shown.index("Debajo")
    assert str(world.other_unit.uuid) not in shown
    assert str(world.other_unit.uuid) in text(page, "/organizacion/unidades/?closed=1")
    assert "Lejos" not in shown


def test_a_unit_is_created_changed_moved_and_its_history_shown(page: Client, world: World) -> None:
    base = "/organizacion/unidades/"
    made = page.post(f"{base}{world.unit.uuid}/nueva/", {"name": "Registro", "code": "REG"})
    unit = Unit.objects.get(code="REG")
    assert made["Location"] == f"{base}{unit.uuid}/"

    assert (
        page.post(made["Location"], {"name": "Registro general", "code": "REG"}).status_code == 302
    )
    moved = page.post(f"{made['Location']}mover/", {"target": str(world.other_unit.uuid)})
    assert moved.status_code == 302

    unit.refresh_from_db()
    assert (unit.name, unit.parent) == ("Registro general", world.other_unit)
    shown = text(page, made["Location"])
    assert "Registro → <b>Registro general</b>" in shown
    assert "Norte → <b>Sur</b>" in shown


def test_units_merge_and_close_from_their_page(page: Client, world: World) -> None:
    base = f"/organizacion/unidades/{world.unit.uuid}/"
    third = UnitFactory(organisation=world.here, name="Tercera")
    today = timezone.localdate().isoformat()

    assert page.post(f"{base}cerrar/", {"on": today}).status_code == 422  # people work there
    empty = f"/organizacion/unidades/{third.uuid}/cerrar/"
    refused = page.post(empty, {"on": "2199-01-01"})
    assert refused.status_code == 422
    assert "Choose a day between" in refused.content.decode()
    assert page.post(empty, {"on": today}).status_code == 302

    assert page.post(f"{base}unir/", {"target": str(world.unit.uuid)}).status_code == 422
    assert page.post(f"{base}unir/", {"target": str(world.foreign_unit.uuid)}).status_code == 422


def test_what_was_merged_keeps_its_page_and_its_cases_their_story(
    page: Client, world: World
) -> None:
    case = CaseFactory(unit=world.unit, subject="De Norte")
    base = f"/organizacion/unidades/{world.unit.uuid}/"
    merged = page.post(f"{base}unir/", {"target": str(world.other_unit.uuid)})
    assert merged.status_code == 302
    shown = text(page, base)
    assert "merged into" in shown
    assert "— → <b>Sur</b>" in shown  # what it was
    assert "Norte" not in text(page, "/organizacion/unidades/")
    assert "Norte" in text(page, "/organizacion/unidades/?closed=1")
    case.refresh_from_db()
    assert case.unit == world.other_unit
    reader = Client()
    reader.force_login(employee(world.here, "agent", unit=world.other_unit, language="en"))
    story = reader.get(f"/casos/{case.uuid}/").content.decode()
    assert "changed the unit from Norte to Sur" in story
    # who worked there works on: people and the roles that they had there went along
    alice = world.actor(world.alice)
    assert alice.home_unit_id == world.other_unit.pk
    assert Case.objects.for_actor(alice).filter(pk=case.pk).exists()


def test_a_closed_unit_offers_nothing_more(page: Client, world: World) -> None:
    Unit.objects.filter(pk=world.unit.pk).update(
        closed_on=date(2026, 3, 1), merged_into=world.other_unit
    )
    base = f"/organizacion/unidades/{world.unit.uuid}/"

    shown = text(page, base)
    assert "merged into" in shown
    assert "/cerrar/" not in shown
    answer = page.post(f"{base}cerrar/", {"on": "2026-03-02"})
    assert answer.status_code == 409


# --- calendars ------------------------------------------------------------------------------------


def test_a_calendar_is_created_and_its_days_and_hours_set(
    page: Client, world: World, local: WorkingCalendar
) -> None:
    made = page.post(
        "/organizacion/calendarios/nuevo/",
        {"name": "Norte", "code": "N", "layer": "unit", "base": str(local.uuid)},
    )
    base = made["Location"]
    calendar = WorkingCalendar.objects.get(code="N")

    page.post(f"{base}festivos/", {"day": "2026-05-15", "name": "San Isidro"})
    page.post(f"{base}festivos/", {"day": "2026-06-01", "name": "Otro"})
    page.post(f"{base}festivos/quitar/", {"day": "2026-06-01"})
    assert list(Holiday.objects.filter(calendar=calendar).values_list("name", flat=True)) == [
        "San Isidro"
    ]
    week = {f"mode_{day}": "inherit" for day in range(7)}
    week |= {"mode_0": "open", "weekday_0": "9:00 - 14:00, 16:00–18:00", "mode_5": "closed"}
    assert page.post(f"{base}horario/", week).status_code == 302
    assert sorted(OpeningHours.objects.values_list("weekday", "opens", "closes"), key=str) == [
        (0, time(16), time(18)),
        (0, time(9), time(14)),
        (5, None, None),
    ]
    page.post(f"{base}fechas/", {"day": "2026-12-24", "intervals": "00:00-12:00"})
    shown = text(page, f"{base}?year=2026")
    assert "San Isidro" in shown
    assert "Fiesta de la Comunidad de Madrid" in shown
    assert 'value="09:00-14:00, 16:00-18:00"' in shown
    assert "00:00-12:00" in shown
    page.post(f"{base}fechas/quitar/", {"day": "2026-12-24"})
    assert not OpeningHours.objects.filter(day__isnull=False).exists()


def test_a_calendar_may_stand_on_a_region_that_nobody_has_loaded(page: Client) -> None:
    offered = text(page, "/organizacion/calendarios/nuevo/")
    assert "Galicia (Regional)" in offered
    typed = {"name": "Oficina de Lugo", "code": "27028", "layer": "local", "base": "GA"}
    made = page.post("/organizacion/calendarios/nuevo/", typed)
    assert made.status_code == 302
    shown = text(page, f"{made['Location']}?year=2026")
    assert "España → Galicia → Oficina de Lugo" in shown
    assert WorkingCalendar.objects.get(code="ES-GA").organisation is None
    again = text(page, "/organizacion/calendarios/nuevo/")
    assert again.count("Galicia (Regional)") == 1
    assert 'value="GA"' not in again


def test_a_week_is_read_back_as_it_was_set() -> None:
    rows = [
        OpeningHours(weekday=1, opens=time(0), closes=time(0)),
        OpeningHours(weekday=2, opens=None, closes=None),
    ]

    initial = WeekForm.of(rows)

    assert (initial["mode_0"], initial["mode_1"], initial["mode_2"]) == (
        "inherit",
        "open",
        "closed",
    )
    assert initial["weekday_1"] == [Interval(time(0), time(0))]
    assert 'value="00:00-00:00"' in str(WeekForm(initial=initial)["weekday_1"])


def test_the_slower_of_two_who_set_the_hours_is_told_and_keeps_what_they_wrote(
    page: Client, world: World, local: WorkingCalendar
) -> None:
    other = Client()
    other.force_login(employee(world.here, "administrator"))
    address = reverse("organisations:calendar", args=[local.uuid])

    def shown() -> dict[str, Any]:
        form = page.get(address).context["week_form"]
        return {name: form[name].value() or "" for name in form.fields}

    mine, theirs = (
        shown() | {"mode_0": "open", "weekday_0": hours} for hours in ("9:00-14:00", "8:00-15:00")
    )
    mine |= {"mode_5": "closed"}
    assert other.post(f"{address}horario/", theirs).status_code == 302
    page.post(f"{address}festivos/", {"day": "2026-05-15", "name": "San Isidro"})

    late = page.post(f"{address}horario/", mine)

    assert late.status_code == 409
    form = late.context["week_form"]
    assert form.now == [
        ("Hours on Monday", "08:00-15:00"),
        ("Saturday", "As the layer below"),
    ]
    assert (form["weekday_0"].value(), form["mode_5"].value()) == ("9:00-14:00", "closed")
    seen = f'name="seen" value="{escape(form["seen"].value())}"'
    assert seen in late.content.decode()
    assert list(local.hours.values_list("opens", flat=True)) == [time(8)]
    again = mine | {"seen": form["seen"].value()}
    assert page.post(f"{address}horario/", again).status_code == 302
    assert set(local.hours.values_list("weekday", "opens")) == {(0, time(9)), (5, None)}


def test_days_that_others_entered_do_not_hinder_who_sets_the_hours(
    page: Client, local: WorkingCalendar
) -> None:
    address = reverse("organisations:calendar", args=[local.uuid])
    form = page.get(address).context["week_form"]
    page.post(f"{address}festivos/", {"day": "2026-05-15", "name": "San Isidro"})
    page.post(f"{address}fechas/", {"day": "2026-12-24", "intervals": "09:00-12:00"})

    typed = {name: form[name].value() or "" for name in form.fields} | {"mode_6": "closed"}

    assert page.post(f"{address}horario/", typed).status_code == 302


def test_a_calendar_is_renamed_and_the_slower_of_two_is_told(
    page: Client, world: World, local: WorkingCalendar
) -> None:
    address = reverse("organisations:calendar", args=[local.uuid])

    assert (
        page.post(f"{address}nombre/", {"name": "  Casa   Norte ", "seen": "Aquí"}).status_code
        == 302
    )
    late = page.post(f"{address}nombre/", {"name": "Casa Sur", "seen": "Aquí"})

    assert late.status_code == 409
    form = late.context["name_form"]
    assert form.now == [("Name", "Casa Norte")]
    assert 'value="Casa Sur"' in late.content.decode()
    again = {"name": "Casa Sur", "seen": form["seen"].value()}
    assert page.post(f"{address}nombre/", again).status_code == 302
    assert page.post(f"{address}nombre/", {"name": " "}).status_code == 422
    assert "<h1>Casa Sur</h1>" in text(page, address)


def test_the_slower_of_two_who_enter_a_holiday_is_told_and_keeps_what_they_wrote(
    page: Client, local: WorkingCalendar
) -> None:
    address = reverse("organisations:calendar", args=[local.uuid])
    seen = page.get(address).context["holiday_form"]["seen"].value()
    theirs = {"day": "2027-05-15", "name": "San Isidro", "seen": seen}
    mine = theirs | {"name": "Romería", "working": "on"}
    assert page.post(f"{address}festivos/", theirs).status_code == 302
    # who wants the same is not in anybody's way
    assert page.post(f"{address}festivos/", theirs).url == f"{address}?year=2027"  # type: ignore[attr-defined]

    late = page.post(f"{address}festivos/", mine)

    assert late.status_code == 409
    form = late.context["holiday_form"]
    assert form.now == [
        ("Name", "San Isidro"),
        ("It is a working day here, although a wider calendar rests", "No"),
    ]
    shown = late.content.decode()
    assert "The calendar says something of this day already." in shown
    assert 'value="Romería"' in shown
    assert "Holidays of 2027" in shown  # where the day is seen
    assert list(local.days.values_list("name", "working")) == [("San Isidro", False)]

    again = mine | {"seen": form["seen"].value()}
    assert page.post(f"{address}festivos/", again).status_code == 302
    assert list(local.days.values_list("name", "working")) == [("Romería", True)]
    # and who confirms what was seen, after it changed once more, is told once more
    late = page.post(f"{address}festivos/", again | {"name": "Otra"})
    assert late.status_code == 409
    assert "Somebody else has changed this." in late.content.decode()


def test_the_slower_of_two_who_set_the_hours_of_a_date_is_told_and_keeps_what_they_wrote(
    page: Client, local: WorkingCalendar
) -> None:
    address = reverse("organisations:calendar", args=[local.uuid])
    seen = page.get(address).context["date_form"]["seen"].value()
    theirs = {"day": "2026-12-24", "intervals": "", "seen": seen}
    mine = theirs | {"intervals": "9:00-12:00, 16:00-18:00"}
    assert page.post(f"{address}fechas/", theirs).status_code == 302

    late = page.post(f"{address}fechas/", mine)

    assert late.status_code == 409
    form = late.context["date_form"]
    assert form.now == [("Hours", "Closed")]
    assert 'value="9:00-12:00, 16:00-18:00"' in late.content.decode()
    assert list(local.hours.values_list("day", "opens")) == [(date(2026, 12, 24), None)]
    again = mine | {"seen": form["seen"].value()}
    assert page.post(f"{address}fechas/", again).status_code == 302
    # one line, and one button that takes the whole date away
    shown = text(page, address)
    assert "09:00-12:00, 16:00-18:00" in shown
    assert shown.count("Remove the hours of 24 dec 2026") == 1

    page.post(f"{address}fechas/quitar/", {"day": "2026-12-24"})
    late = page.post(f"{address}fechas/", again | {"seen": "['09:00-12:00']"})
    assert late.context["date_form"].now == [("Hours", "As any such weekday")]


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("festivos/", {"name": "San Isidro"}, {"name": "Romería"}),
        ("fechas/", {"intervals": "09:00-12:00"}, {"intervals": "09:00-13:00"}),
    ],
)
def test_nobody_removes_what_they_have_not_seen(
    page: Client, local: WorkingCalendar, part: str, before: dict[str, str], after: dict[str, str]
) -> None:
    address = reverse("organisations:calendar", args=[local.uuid])
    day = {"day": "2027-05-14"}

    def offered() -> str:
        context = page.get(f"{address}?year=2027").context
        rows = context["days" if part == "festivos/" else "dates"]
        own = [row for row in rows if getattr(row[0], "calendar_id", local.pk) == local.pk]
        seen: str = own[0][-1]
        return seen

    page.post(f"{address}{part}", day | before)
    seen = offered()
    page.post(f"{address}{part}", day | after)

    late = page.post(f"{address}{part}quitar/", day | {"seen": seen})

    assert late.status_code == 409
    assert "Somebody else has changed this." in late.content.decode()
    assert local.days.exists() or local.hours.exists()
    removed = page.post(f"{address}{part}quitar/", day | {"seen": offered()})
    assert removed.status_code == 302
    assert not local.days.exists()
    assert not local.hours.exists()
    # and who is too late to remove it has what they wanted
    assert page.post(f"{address}{part}quitar/", day | {"seen": seen}).status_code == 302


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ("festivos/", {"day": "2026-02-30", "name": "x"}),
        ("festivos/", {"day": "1900-01-01", "name": "x"}),
        ("festivos/", {"day": "2026-02-02", "name": ""}),
        ("horario/", {"mode_0": "open", "weekday_0": "9-14"}),
        ("horario/", {"mode_0": "open", "weekday_0": "25:00-26:00"}),
        ("horario/", {"mode_0": "open", "weekday_0": "09:00-14:00,13:00-15:00"}),
        ("horario/", {"mode_0": "open", "weekday_0": ""}),
        ("fechas/", {"day": "", "intervals": ""}),
        ("fechas/", {"day": "2026-01-02", "intervals": "x" * 300}),
        ("festivos/quitar/", {"day": "2026-02-30"}),
        ("festivos/quitar/", {}),
    ],
)
def test_wrong_days_and_hours_are_refused(
    page: Client, local: WorkingCalendar, part: str, sent: dict[str, str]
) -> None:
    base = f"/organizacion/calendarios/{local.uuid}/"
    if part == "horario/":
        sent = {f"mode_{day}": "inherit" for day in range(7)} | sent

    answer = page.post(base + part, sent)

    assert answer.status_code == 422
    assert not OpeningHours.objects.exists()
    assert not local.days.exists()


def test_missing_holidays_are_told_and_official_ones_are_only_read(
    page: Client, local: WorkingCalendar
) -> None:
    year = timezone.localdate().year
    assert f"{year + 1}: no holidays" in text(page, "/organizacion/calendarios/")
    official = local.base
    assert official is not None

    shown = text(page, f"/organizacion/calendarios/{official.uuid}/")

    assert "The official holidays are the same for all" in shown
    assert "/festivos/quitar/" not in shown
    assert "/nombre/" not in shown
    answer = page.post(
        f"/organizacion/calendarios/{official.uuid}/festivos/", {"day": "2026-02-02", "name": "x"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "year", ["x", "-1", "0", "99999999999999999999", "²", "20261", "2026" * 2_000]
)
def test_a_made_up_year_shows_this_one(page: Client, local: WorkingCalendar, year: str) -> None:
    shown = text(page, f"/organizacion/calendarios/{local.uuid}/?year={year}")

    assert f"Holidays of {timezone.localdate().year}" in shown


# --- agreements -----------------------------------------------------------------------------------


def test_an_agreement_is_made_and_withdrawn(page: Client, world: World) -> None:
    sent = {
        "receiver": "ELSE",
        "legal_basis": "Ley 40/2015, art. 155",
        "data_classes": ["identity"],
        "starts": timezone.localdate().isoformat(),
        "ends": "",
    }
    refused = page.post("/organizacion/convenios/nuevo/", sent | {"receiver": "HERE"})
    assert refused.status_code == 422
    # PostgreSQL would keep the day after it as the end, and nobody could read the agreement again
    refused = page.post("/organizacion/convenios/nuevo/", sent | {"ends": "9999-12-31"})
    assert refused.context["form"].errors == {"ends": ["The year must lie between 1800 and 2199."]}
    assert page.post("/organizacion/convenios/nuevo/", sent).status_code == 302

    agreement = SharingAgreement.objects.get()
    shown = text(page, "/organizacion/convenios/")
    assert "Organismo de allí" in shown
    assert "In force" in shown
    assert page.post(f"/organizacion/convenios/{agreement.uuid}/retirar/").status_code == 302
    assert "Withdrawn" in text(page, "/organizacion/convenios/")
    assert page.post(f"/organizacion/convenios/{agreement.uuid}/retirar/").status_code == 409


# --- who may --------------------------------------------------------------------------------------

PAGES = (
    "/organizacion/",
    "/organizacion/vista-previa/",
    "/organizacion/unidades/",
    "/organizacion/calendarios/",
    "/organizacion/calendarios/nuevo/",
    "/organizacion/convenios/",
    "/organizacion/convenios/nuevo/",
)


@pytest.mark.parametrize("path", PAGES)
def test_only_who_may_comes_in(client: Client, world: World, path: str) -> None:
    assert client.get(path).status_code == 302
    client.force_login(world.alice)
    assert client.get(path).status_code == 403


def test_another_organisations_things_do_not_exist(page: Client, world: World) -> None:
    calendar = WorkingCalendar.objects.create(
        organisation=world.elsewhere, layer="national", name="Allí", code="X"
    )
    unit = f"/organizacion/unidades/{world.foreign_unit.uuid}/"
    for path in (unit, f"{unit}nueva/", f"/organizacion/calendarios/{calendar.uuid}/"):
        text(page, path, 404)
    for path in (unit, f"{unit}mover/", f"{unit}unir/", f"{unit}cerrar/"):
        sent = {"target": str(world.unit.uuid), "on": "2026-01-01", "name": "x", "code": "x"}
        assert page.post(path, sent).status_code == 404
    world.foreign_unit.refresh_from_db()
    assert (world.foreign_unit.name, world.foreign_unit.closed_on) == ("Lejos", None)


def test_who_administers_one_unit_sees_but_changes_nothing_else(
    client: Client, world: World
) -> None:
    user: User = employee(world.here, "administrator", unit=world.unit, language="en")
    client.force_login(user)

    shown = text(client, "/organizacion/")
    assert "Your roles include this permission, but not in its unit." in shown
    assert client.post("/organizacion/", given(world.here)).status_code == 403
    assert "/nueva/" in text(client, f"/organizacion/unidades/{world.unit.uuid}/")
    assert "/nueva/" not in text(client, f"/organizacion/unidades/{world.other_unit.uuid}/")


def test_the_tree_costs_the_same_however_many_units_there_are(page: Client, world: World) -> None:
    counts = []
    for _each in range(2):
        Organisation.objects.filter(pk=world.here.pk).update(units_version=1000 + len(counts))
        with CaptureQueriesContext(connection) as queries:
            page.get("/organizacion/unidades/")
        counts.append(len(queries))
        UnitFactory.create_batch(20, organisation=world.here)

    assert counts[0] == counts[1]

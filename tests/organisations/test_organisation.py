"""An organisation: created whole or not at all, changed by who may, and its logo redrawn."""

import io
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image
from pytest_django import Settings

from crm.accounts.models import Membership, Role
from crm.accounts.services.people import invite, seats_taken
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Refused
from crm.kit.files import FileRefused
from crm.organisations import calendars, options
from crm.organisations.models import Organisation, Unit, WorkingCalendar
from crm.organisations.selectors import organisation_calendar
from crm.organisations.services import (
    change_options,
    change_organisation,
    create_organisation,
    remove_logo,
    set_logo,
)
from tests.conftest import World

pytestmark = pytest.mark.django_db
ACTION = "organisations.change_organisation"


def picture(kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (800, 400), "#7a1f3d").save(file, kind)
    return file.getvalue()


def given(organisation: Organisation) -> dict[str, object]:
    return {
        "name": organisation.name,
        "short_name": organisation.short_name,
        "dir3_code": organisation.dir3_code,
        "accent": organisation.accent,
        "languages": organisation.languages,
        "time_zone": organisation.time_zone,
        "calendar_id": None,
    }


# --- created --------------------------------------------------------------------------------------


def test_a_new_organisation_has_a_unit_and_a_calendar_and_safe_options() -> None:
    organisation = create_organisation(
        code=" val ",
        name="Ayuntamiento de Valdelagua",
        short_name="Valdelagua",
        dir3_code="L01280796",
        region="MD",
        municipality="28079",
    )

    organisation.refresh_from_db()
    assert organisation.code == "VAL"
    root = Unit.objects.get(organisation=organisation)
    assert (root.parent, root.name, root.code) == (None, "Ayuntamiento de Valdelagua", "VAL")
    calendar = organisation_calendar(organisation)
    assert [layer.name for layer in calendar.layers] == [
        "España",
        "Comunidad de Madrid",
        "Valdelagua",
    ]
    assert not calendars.is_working_day(calendar, date(2026, 12, 8))
    assert len(calendars.intervals(calendar, date(2026, 11, 20))) == 1
    assert options.read(organisation).second_factor is True
    entry = AuditEntry.objects.get(action=ACTION)
    assert (entry.organisation_id, entry.actor_kind) == (organisation.pk, "system")
    assert entry.data["act"] == "created"


def test_in_the_canary_islands_it_is_an_hour_earlier() -> None:
    organisation = create_organisation(code="GC", name="Cabildo", region="CN")

    assert organisation_calendar(organisation).zone.key == "Atlantic/Canary"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "x y"),
        ("code", "A"),
        ("code", "HERE"),
        ("name", " "),
        ("dir3_code", "123"),
        ("region", "XX"),
        ("municipality", "99999"),
        ("municipality", "2807"),
        ("languages", ["xx"]),
        ("languages", []),
    ],
)
def test_a_wrong_organisation_is_refused_by_field(world: World, field: str, value: object) -> None:
    right = {"code": "NEW", "name": "Nuevo", "dir3_code": "", "region": "MD"}

    with pytest.raises(Invalid) as refused:
        create_organisation(**{**right, field: value})

    assert list(refused.value.errors) == [field]
    assert Organisation.objects.count() == 2


def test_the_command_gives_the_administrators_link_on_its_last_line() -> None:
    said = io.StringIO()

    call_command(
        "create_organisation",
        "--code=VAL",
        "--name=Ayuntamiento de Valdelagua",
        "--admin-email=ada@example.org",
        "--admin-name=Ada Admin",
        "--region=ES-MD",
        "--municipality=28079",
        stdout=said,
    )

    organisation = Organisation.objects.get(code="VAL")
    assert said.getvalue().splitlines()[-1].startswith("http")
    member = Membership.objects.get(organisation=organisation)
    assert member.user.email == "ada@example.org"
    assert member.user.groups.get().role_place.role.code == "administrator"
    assert Role.objects.filter(organisation=organisation).count() >= 8


@pytest.mark.parametrize(
    ("argument", "said"),
    [("--code=?", "code: "), ("--region=ES-XX", "region: "), ("--admin-email=ada", "e-mail")],
)
def test_the_command_says_what_is_wrong_and_creates_nothing(argument: str, said: str) -> None:
    arguments = {
        "--code": "VAL",
        "--name": "Valdelagua",
        "--admin-email": "ada@example.org",
        "--admin-name": "Ada",
    }
    name, _equals, value = argument.partition("=")
    arguments[name] = value

    with pytest.raises(CommandError, match=said):
        call_command("create_organisation", *[f"{key}={text}" for key, text in arguments.items()])

    assert not Organisation.objects.exists()


def test_whoever_runs_the_installation_gives_seats(world: World, admin: Actor) -> None:
    taken = seats_taken(world.here)
    said = io.StringIO()

    call_command("set_seats", "--organisation=HERE", f"--seats={taken}", stdout=said)

    assert said.getvalue() == f"HERE: {taken} of {taken} seats taken.\n"
    with pytest.raises(Conflict):
        invite(admin, email="nadia@example.org", full_name="Nadia", unit=None)
    call_command("set_seats", "--organisation=HERE", f"--seats={taken + 1}", stdout=said)
    call_command("set_seats", "--organisation=HERE", f"--seats={taken + 1}", stdout=said)
    invite(admin, email="nadia@example.org", full_name="Nadia", unit=None)
    # fewer than work there: nobody is removed
    call_command("set_seats", "--organisation=HERE", "--seats=1", stdout=said)
    assert seats_taken(world.here) == taken + 1
    entries = AuditEntry.objects.filter(action=ACTION, door="command").order_by("pk")
    assert [entry.data["after"] for entry in entries] == [
        {"seats": taken},
        {"seats": taken + 1},
        {"seats": 1},
    ]
    for organisation, seats in (("HERE", "0"), ("HERE", "1000001"), ("NONE", "5")):
        with pytest.raises(CommandError):
            call_command("set_seats", f"--organisation={organisation}", f"--seats={seats}")
    world.here.refresh_from_db()
    assert world.here.seat_limit == 1


def test_an_organisation_begins_with_the_seats_it_is_given() -> None:
    who = ("--admin-email=ada@example.org", "--admin-name=Ada")
    for code, more in (("VAL", ()), ("INP", ("--seats=3000",))):
        call_command("create_organisation", f"--code={code}", "--name=Uno", *who, *more)
    assert dict(Organisation.objects.values_list("code", "seat_limit")) == {"VAL": 50, "INP": 3000}
    with pytest.raises(CommandError, match="seats: "):
        call_command("create_organisation", "--code=X1", "--name=Uno", *who, "--seats=0")
    assert not Organisation.objects.filter(code="X1").exists()


# --- changed --------------------------------------------------------------------------------------


def test_what_changes_is_recorded_and_what_it_was_is_kept(world: World, admin: Actor) -> None:
    change_organisation(admin, **{**given(world.here), "name": "Otro", "accent": "#7A1F3D"})

    world.here.refresh_from_db()
    assert (world.here.name, world.here.accent) == ("Otro", "#7a1f3d")
    assert [row.name for row in world.here.history.filter(accent="#0b5a6b")][-1] == (
        "Organismo de aquí"
    )
    entry = AuditEntry.objects.get(action=ACTION)
    assert entry.data == {
        "act": "changed",
        "before": {"name": "Organismo de aquí", "accent": "#0b5a6b"},
        "after": {"name": "Otro", "accent": "#7a1f3d"},
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("short_name", "x" * 61),
        ("dir3_code", "?"),
        ("dir3_code", "E00000001"),
        ("accent", "red"),
        ("accent", "#ffffff"),
        ("languages", []),
        ("languages", ["es", "tlh"]),
        ("time_zone", "Mars/Olympus"),
        ("calendar_id", "foreign"),
    ],
)
def test_a_wrong_change_is_refused_by_field(
    world: World, admin: Actor, field: str, value: object
) -> None:
    Organisation.objects.filter(pk=world.elsewhere.pk).update(dir3_code="E00000001")
    if value == "foreign":
        value = WorkingCalendar.objects.create(
            organisation=world.elsewhere, layer="national", name="x", code="x"
        ).uuid

    with pytest.raises(Invalid) as refused:
        change_organisation(admin, **{**given(world.here), field: value})

    assert list(refused.value.errors) == [field.removesuffix("_id")]
    world.here.refresh_from_db()
    assert (world.here.name, world.here.accent) == ("Organismo de aquí", "#0b5a6b")


def test_options_are_changed_and_recorded(world: World, admin: Actor) -> None:
    change_options(admin, {"idle_minutes": 5})

    world.here.refresh_from_db()
    assert options.read(world.here).idle_minutes == 5
    assert options.read(world.here).second_factor is False
    assert AuditEntry.objects.get(action=ACTION).data["after"] == {
        "options": {"second_factor": False, "idle_minutes": 5}
    }


def test_only_who_administers_the_whole_organisation_changes_it(
    world: World, unit_admin: Actor
) -> None:
    for actor in (world.actor(world.alice), unit_admin):
        with pytest.raises(Refused):
            change_organisation(actor, **given(world.here))
        with pytest.raises(Refused):
            change_options(actor, {"second_factor": True})
        with pytest.raises(Refused):
            set_logo(actor, [picture()], "logo.png")
        with pytest.raises(Refused):
            remove_logo(actor)

    world.here.refresh_from_db()
    assert (world.here.logo, world.here.options) == ("", {"second_factor": False})


# --- logo -----------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew_and_anybody_may_see_it(
    world: World, admin: Actor, client: Client, store: Path, kind: str
) -> None:
    original = picture(kind)

    set_logo(admin, [original], f"logo.{kind.lower()}")

    answer = client.get("/organizacion/HERE/logo")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer.content != original
    assert Image.open(io.BytesIO(answer.content)).size == (512, 256)
    remove_logo(admin)
    assert client.get("/organizacion/HERE/logo").status_code == 404


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "logo.svg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "logo.png"),
        (b"plain words", "logo.txt"),
        (b"", "logo.png"),
        (picture()[:60], "logo.png"),
    ],
)
def test_anything_but_a_picture_is_refused_by_name(
    world: World, admin: Actor, store: Path, content: bytes, name: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        set_logo(admin, [content], name)

    assert name.partition(".")[0] in str(refused.value)
    world.here.refresh_from_db()
    assert world.here.logo == ""

"""An administrator builds a case type from nothing; an employee works a case of it to its sealed history."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import Desk, Office
from tests.journeys.test_attending import move, seal, show, verify
from tests.journeys.test_pages import AXE, LOOKS, fits, widest
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

NAME = "Solicitud de ayuda al alquiler"
STUDIO = "/organizacion/tipos/solicitud-de-ayuda-al-alquiler/"
STATES = (
    ("Recibida", "New: nobody has begun yet"),
    ("En estudio", "In progress: somebody works on it"),
    ("Pendiente de documentos", "Waiting for citizen: the next step is theirs"),
    ("Resuelta", "Resolved: work has ended, the citizen may still answer"),
)
MOVES = (
    ("Iniciar el estudio", ("Recibida",), "En estudio", False, ()),
    ("Pedir documentos", ("En estudio",), "Pendiente de documentos", False, ("A reason",)),
    ("Documentos recibidos", ("Pendiente de documentos",), "En estudio", False, ()),
    ("Conceder", ("En estudio",), "Resuelta", True, ("How it ended, for the citizen", "Importe")),
)


def test_a_case_type_is_built_from_nothing_and_a_case_of_it_is_sealed(
    office: Office, town: Town
) -> None:
    admin = office.desk(town.administrator)
    begin(admin)
    states(admin)
    questions(admin)
    moves(admin)
    further(admin)
    part(admin, "Deadlines")
    admin.fill("How long", "3")
    admin.choose("Counted in", "months")
    admin.follow("Save")  # pressed while the form still saves itself: no conflict with oneself
    expect(admin.page.locator(".v-toasts")).to_contain_text("Saved in the draft.")
    expect(admin.field("Counted in")).to_have_value("m")
    preview(admin)
    publish(admin)

    desk = office.desk(town.supervisor)
    open_a_case(desk)
    work(desk)
    code, pdf = seal(desk)
    verify(office.visitor(), code, pdf)


def begin(desk: Desk) -> None:
    """Nothing is published yet, and everything that is missing is said."""
    desk.go("case types", "Case types")
    desk.follow("New case type", "link")
    desk.fill("Name", NAME)
    choose(desk, desk.page.locator("#id_start"), "Nothing: I will write every state and move")
    desk.follow("Begin the draft")
    expect(desk.page.locator("h1")).to_have_text(NAME)
    expect(
        desk.page.get_by_role("heading", name="To be put right before publishing")
    ).to_be_visible()


def states(desk: Desk) -> None:
    """Four states, of which the one that was written last but one goes up a place by the keys."""
    part(desk, "States")
    desk.follow("New state", "link")
    for number, (name, meaning) in enumerate(STATES):
        desk.fill("Name", name)
        choose(desk, desk.page.locator("#id_category"), meaning)
        desk.follow("Save" if number == len(STATES) - 1 else "Save and write another")
    things = desk.page.locator("#things-estados > li:not([role])")
    expect(things).to_have_count(len(STATES))
    desk.tab_to(things.nth(2).get_by_role("link"))
    desk.press("Alt+ArrowUp")
    expect(things.nth(1)).to_contain_text("Pendiente de documentos")
    desk.press("Alt+ArrowDown")  # the focus went with it
    expect(things.nth(2)).to_contain_text("Pendiente de documentos")
    desk.choose("A case begins in", "Recibida")
    desk.follow("Save")


def questions(desk: Desk) -> None:
    """Three questions, the last asked only after one answer of the first."""
    part(desk, "Form")
    desk.follow("New question", "link")
    desk.fill("Question", "Tipo de vivienda")
    desk.choose("Kind of answer", "One of several answers")
    tick(desk, "It must be answered")
    desk.fill("Answers to choose from, one a line", "")
    desk.type("Vivienda completa\nHabitación")
    desk.follow("Save and write another")
    desk.fill("Question", "Renta mensual")
    desk.choose("Kind of answer", "A number with decimals, such as an amount")
    desk.fill("At least", "0")
    desk.follow("Save and write another")
    desk.fill("Question", "Importe")
    desk.choose("Kind of answer", "A number with decimals, such as an amount")
    desk.follow("Save")
    expect(desk.page.locator("#things-campos > li")).to_have_count(3)
    desk.follow("Importe", "link")
    look(desk, "question")


def moves(desk: Desk) -> None:
    """What ends work needs the right to do so: the form says it before it is kept."""
    part(desk, "Moves")
    desk.follow("New move", "link")
    for number, (name, sources, target, ends, asked) in enumerate(MOVES):
        desk.fill("Name", name)
        for source in sources:
            tick(desk, source)
        desk.choose("To", target)
        if ends:
            desk.follow("Save")
            expect(desk.page.locator(".v-errors")).to_contain_text("needs the right")
            right = "Resolve, close and reopen cases"
            choose(desk, desk.page.locator("#id_permission"), right)
        for words in asked:
            tick(desk, words)
        desk.follow("Save" if number == len(MOVES) - 1 else "Save and write another")
    expect(desk.page.locator("#things-pasos > li")).to_have_count(len(MOVES))
    look(desk, "moves")
    desk.follow("Conceder", "link")
    look(desk, "move")
    desk.follow("Back to the list", "link")
    desk.follow("Pedir documentos", "link")  # what is there already saves itself
    with desk.page.expect_response(lambda answer: answer.request.method == "POST"):
        desk.fill("Name", "Pedir la documentación")
        desk.press("Tab")
    expect(desk.page.locator("#studio-saved")).to_contain_text("Saved in the draft.")
    desk.follow("Back to the list", "link")
    expect(desk.page.locator("#things-pasos")).to_contain_text("Pedir la documentación")


def further(desk: Desk) -> None:
    """Who takes part, which papers, what is to be done, written, promised and kept, and how it ends."""
    part(desk, "Participants")
    desk.follow("New role", "link")
    desk.fill("Name", "Arrendador")
    desk.follow("Save")
    part(desk, "Documents")
    desk.follow("New document", "link")
    desk.fill("Name", "Contrato de alquiler")
    desk.follow("Save")
    look(desk, "documents")
    part(desk, "Tasks")
    desk.follow("New task", "link")
    desk.fill("Name", "Comprobar el contrato")
    desk.choose("If it is open when the case is ended", "The case cannot be ended")
    desk.follow("Save")
    desk.follow("Comprobar el contrato", "link")
    look(desk, "task")
    part(desk, "Messages")
    desk.follow("New message", "link")
    desk.fill("Name", "Falta el contrato")
    desk.fill("Text", "Nos falta su contrato en ((referencia)).")
    desk.follow("Save")
    expect(desk.page.locator(".v-errors")).to_contain_text("referencia")
    look(desk, "message-wrong")
    desk.fill("Text", "Nos falta su contrato en el expediente ((reference)).")
    tick(desk, "Pedir la documentación")
    desk.follow("Save")
    part(desk, "Service targets")
    desk.follow("New service target", "link")
    desk.fill("Within", "40h")
    desk.follow("Save")
    desk.follow("Resolution (40h)", "link")
    look(desk, "target")
    part(desk, "Confidentiality and keeping")
    choose(desk, desk.page.locator("#id_nomination"), "Keep it for ever")
    desk.fill("How long it is usually kept in any case", "10")
    desk.follow("Save")
    look(desk, "keeping")
    part(desk, "Results")
    desk.follow("New result", "link")
    desk.fill("Name", "Concedida")
    desk.follow("Save and write another")
    desk.fill("Name", "Denegada")
    desk.follow("Save")
    expect(desk.page.locator("#things-resultados > li")).to_have_count(2)
    look(desk, "results")


def preview(desk: Desk) -> None:
    """As an employee and as a citizen would have it; nothing is kept."""
    part(desk, "Preview")
    expect(desk.field("Tipo de vivienda")).to_be_visible()
    expect(desk.page.locator(".studio-main")).to_contain_text("Term: 3 months")
    look(desk, "preview")
    desk.follow("Español", "link")
    expect(desk.page.locator("h1")).to_have_text("Solicitud")
    expect(desk.page.get_by_label("Renta mensual")).to_be_visible()
    look(desk, "public")
    desk.follow("Volver al estudio", "link")


def publish(desk: Desk) -> None:
    """Nothing is wrong any more."""
    part(desk, "Check and publish")
    expect(desk.page.locator(".studio-main")).to_contain_text("Nothing is wrong")
    look(desk, "publish")
    desk.follow("Publish")
    expect(desk.page.locator(".v-toasts")).to_contain_text("Version 1 is in force.")
    look(desk, "overview")


def open_a_case(desk: Desk) -> None:
    """An employee finds the new type, and its questions with it."""
    desk.open("/casos/nuevo/")
    desk.choose("Case type", NAME)
    expect(desk.field("Tipo de vivienda")).to_be_visible()
    desk.fill("Subject", "Ayuda para un piso en la calle Mayor")
    desk.choose("Tipo de vivienda", "Vivienda completa")
    desk.fill("Renta mensual", "640")
    desk.follow("Open the case")
    expect(desk.page.locator("#case-top")).to_contain_text("Recibida")
    expect(desk.page.locator("#case-top")).to_contain_text("Must be done by")


def work(desk: Desk) -> None:
    """By the moves that the administrator wrote, each asking what it demands."""
    go(desk, "Iniciar el estudio", "En estudio")
    move(desk, "Pedir la documentación")
    desk.fill("Reason", "Falta el contrato.")
    desk.follow("Pedir la documentación")
    expect(desk.page.locator("#case-top")).to_contain_text("Pendiente de documentos")
    desk.choose("Usual messages", "Falta el contrato")
    desk.use("Insert")
    box = desk.page.locator("#composer-text")
    expect(box).to_have_value(re.compile(r"Nos falta su contrato en el expediente \S+[0-9]\."))
    desk.press("Control+a", "Delete")
    go(desk, "Documentos recibidos", "En estudio")
    show(desk, "Tasks")
    desk.follow("Done: Comprobar el contrato")
    move(desk, "Conceder")
    desk.fill("Outcome", "Concedida: 250 euros al mes")
    desk.choose("Way of ending", "Concedida")
    desk.fill("Importe", "250")
    desk.follow("Conceder")
    expect(desk.page.locator("#case-top")).to_contain_text("Concedida: 250 euros al mes")
    show(desk, "Data")
    expect(desk.page.locator("#panel-datos")).to_contain_text("Vivienda completa")


def go(desk: Desk, name: str, state: str) -> None:
    """A move that asks for nothing."""
    desk.tab_to(desk.page.locator("#case-top summary").filter(has_text="Move to"))
    desk.press("Enter")
    desk.tab_to(desk.page.locator("#case-top button:visible").filter(has_text=name))
    with desk.arriving():
        desk.press("Enter")
    expect(desk.page.locator("#case-top")).to_contain_text(state)


def part(desk: Desk, name: str) -> None:
    """Go to a page of the studio; beside its name may stand how much is to be put right in it."""
    found = desk.page.locator("#studio-parts a").filter(has_text=re.compile(rf"^\s*{name}"))
    desk.tab_to(found)
    with desk.arriving():
        desk.press("Enter")


def choose(desk: Desk, group: Locator, label: str) -> None:
    """Tab to a group of radio buttons and go along it with the arrows."""
    wanted = group.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*$"))
    here = group.locator("input:checked")
    desk.tab_to(here if here.count() else group.locator("input").first)
    for _choice in range(group.locator("input").count() + 1):
        if wanted.is_checked():
            return
        desk.press("ArrowDown")
    raise AssertionError(f"{label} cannot be chosen")


def tick(desk: Desk, label: str) -> None:
    """Tab to a box and tick it."""
    box = desk.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*$")).locator("visible=true")
    desk.tab_to(box.first)
    desk.press("Space")
    expect(box.first).to_be_checked()


def look(desk: Desk, name: str) -> None:
    """The page is accessible and fits at both widths and themes; a picture of each where somebody wants
    to look at them (JOURNEY_PICTURES is the folder)."""
    place = os.environ.get("JOURNEY_PICTURES")
    desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
    broken = {}
    for width, height, theme, rules in LOOKS:
        desk.page.set_viewport_size({"width": width, "height": height})
        desk.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        found = desk.page.evaluate(AXE, rules)
        if not fits(desk.page):
            found.append(f"wider than its window: {widest(desk.page)}")
        if found:
            broken[f"{name} {width} {theme}"] = found
        if place:
            path = Path(place) / f"{name}-{width}-{theme}.png"
            desk.page.screenshot(path=path, full_page=True)
    desk.page.set_viewport_size({"width": 1440, "height": 900})
    desk.page.emulate_media(color_scheme="light")
    assert broken == {}

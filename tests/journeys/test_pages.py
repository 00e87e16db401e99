"""Every page that the journeys visit is accessible in light and dark, wide and narrow, and at 400 %."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from crm.kit.staticfiles import node_modules
from tests.journeys.desk import Desk, Office
from tests.journeys.town import Town

pytestmark = [pytest.mark.journey, pytest.mark.django_db]

TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
AXE = """(only) => axe.run(document, {preload: false, runOnly: only,
    resultTypes: ["violations"]})
  .then((result) => result.violations.map(
    (broken) => broken.id + ": " + broken.nodes.map((node) => node.target.join(" ")).join(", ")))"""
"""preload would make axe fetch the style sheets and write an inline one, which the policy forbids."""

EVERYTHING = {"type": "tag", "values": TAGS}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
LOOKS = (
    # width, height, theme, rules: dark changes nothing but colours
    (1440, 900, "light", EVERYTHING),
    (1440, 900, "dark", COLOURS),
    (390, 844, "dark", COLOURS),
    (390, 844, "light", EVERYTHING),
)
ZOOMED = {"width": 360, "height": 225}
"""A window of 1440×900 at 400 %."""

Address = Callable[[Town], str]
WINDOW = [
    "/sede/INST/",
    "/sede/INST/?q=rent",
    "/sede/INST/?q=nothing-fits-this",
    "/sede/INST/tramites/housing-grant/",
    "/sede/INST/tramites/housing-grant/solicitud/",
    "/sede/INST/ayuda/how-much/",
    "/sede/INST/seguimiento/",
]


def _talk(town: Town) -> str:
    assert town.talk is not None
    return str(town.talk.uuid)


def _letter(town: Town) -> str:
    assert town.letter is not None
    return str(town.letter.uuid)


def _calendar(town: Town) -> str:
    assert town.calendar is not None
    return str(town.calendar.uuid)


def _answer(town: Town) -> str:
    assert town.answer is not None
    return str(town.answer.uuid)


def _macro(town: Town) -> str:
    assert town.macro is not None
    return str(town.macro.uuid)


VISITED: dict[str, list[str | Address]] = {
    "visitor": [
        *("/entrar/", "/entrar/contrasena/", "/verificar/", "/accesibilidad/"),
        "/chat/journeys/?l=en",
        "/simulador/correo/",
        *WINDOW,
        "/cita/INST/",
        "/cita/INST/para/residence/north/",
        "/cita/INST/consultar/",
        lambda town: f"/baja/{town.recipient}/",
        lambda town: f"/preferencias/{town.recipient}/",
    ],
    "communicator": [
        "/campanas/",
        "/campanas/nueva/",
        lambda town: f"/campanas/{town.campaign.uuid}/",
        lambda town: f"/campanas/{town.campaign.uuid}/vista-previa/",
        "/campanas/publicos/",
        "/campanas/publicos/nuevo/",
        lambda town: f"/campanas/publicos/{town.campaign.segment.uuid}/",
        "/campanas/plantillas/",
        lambda town: f"/campanas/plantillas/{town.campaign.template.uuid}/",
        "/campanas/temas/",
    ],
    "agent": [
        *("/correo/", "/correo/?ver=cuarentena", "/correo/?ver=apartados"),
        lambda town: f"/correo/{_letter(town)}/",
        "/",
        "/perfil/",
        "/borradores/",
        *("/respuestas/", "/respuestas/?q=nothing", "/respuestas/nueva/", "/macros/"),
        lambda town: f"/respuestas/{_answer(town)}/",
        "/macros/nueva/",
        lambda town: f"/macros/{_macro(town)}/",
        lambda town: f"/casos/{town.cases['answered'].uuid}/macros/{_macro(town)}/",
        "/novedades/",
        "/novedades/preferencias/",
        "/ciudadania/?q=zafra",
        "/ciudadania/nueva/",
        lambda town: f"/ciudadania/{town.citizen.uuid}/",
        lambda town: f"/ciudadania/{town.citizen.uuid}/mas/",
        lambda town: f"/ciudadania/{town.citizen.uuid}/sistemas/",
        lambda town: f"/ciudadania/{town.citizen.uuid}/relaciones/nueva/",
        "/citas/",
        lambda town: f"/citas/nueva/?citizen={town.citizen.uuid}",
        lambda town: f"/citas/{town.appointment.uuid}/",
        lambda town: f"/citas/{town.appointment.uuid}/justificante/",
        lambda town: f"/citas/{town.appointment.uuid}/mover/",
        lambda town: f"/citas/{town.appointment.uuid}/anular/",
    ],
    "supervisor": [
        "/casos/",
        "/casos/?q=nothing-fits-this",
        "/casos/?q=channel:video+or+-has:documents&canal=video",
        "/casos/?q=video+chanel:video+-due%3Csoon",
        "/casos/nuevo/",
        lambda town: f"/casos/{town.cases['live'].uuid}/",
        lambda town: f"/casos/{town.cases['live'].uuid}/#tab-datos",
        lambda town: f"/casos/{town.cases['live'].uuid}/#tab-documentos",
        lambda town: f"/casos/{town.cases['live'].uuid}/#tab-relaciones",
        "/casos/en-riesgo/",
        *("/casos/vistas/", "/casos/vistas/nueva/?q=heap", "/casos/acciones/mias/"),
        *(
            "/traslados/",
            "/traslados/?ver=preguntas&todos=1",
            "/reparto/",
            "/ciudadania/duplicados/",
        ),
        lambda town: f"/casos/{town.cases['live'].uuid}/trasladar/",
        lambda town: f"/casos/{town.cases['live'].uuid}/consultar/",
        lambda town: f"/casos/{town.cases['live'].uuid}/unir/",
        lambda town: f"/casos/{town.cases['live'].uuid}/dividir/",
        lambda town: f"/organizacion/personal/{town.colleague.uuid}/ausencias/",
        lambda town: f"/reparto/personas/{town.colleague.uuid}/",
        lambda town: f"/casos/{town.cases['live'].uuid}/carta/",
        lambda town: f"/casos/{town.cases['live'].uuid}/documentacion/",
        lambda town: f"/casos/{town.cases['live'].uuid}/editar/",
        lambda town: f"/casos/{town.cases['live'].uuid}/mover/close/",
        "/historiales/",
        lambda town: f"/ciudadania/{town.citizen.uuid}/",
        "/conocimiento/",
        "/conocimiento/?revisar=1",
        "/conocimiento/nuevo/",
        "/conversaciones/",
        lambda town: f"/conversaciones/{_talk(town)}/",
        "/colas/",
        lambda town: f"/colas/{town.chat.queue.uuid}/",
    ],
    "administrator": [
        "/organizacion/",
        "/organizacion/unidades/",
        lambda town: f"/organizacion/unidades/{town.north.uuid}/nueva/",
        lambda town: f"/organizacion/unidades/{town.north.uuid}/",
        "/organizacion/calendarios/",
        lambda town: f"/organizacion/calendarios/{_calendar(town)}/",
        "/organizacion/convenios/",
        "/organizacion/open311/",
        "/organizacion/open311/nuevo/",
        "/integraciones/conexiones/",
        "/integraciones/conexiones/nueva/",
        lambda town: f"/integraciones/conexiones/{town.connection.uuid}/",
        "/integraciones/avisos/",
        "/integraciones/avisos/nuevo/",
        lambda town: f"/integraciones/avisos/{town.subscription.uuid}/",
        *("/organizacion/tipos/", "/organizacion/tipos/nuevo/"),
        "/organizacion/tipos/importar/",
        "/organizacion/tipos/grant/",
        *(
            f"/organizacion/tipos/grant/estudio/{page}/"
            for page in (
                *("general", "plazos", "vista", "vista/solicitud", "publicar"),
                *("campos", "campos/nuevo", "estados", "estados/new", "pasos", "pasos/close"),
                *("mensajes/nuevo", "compromisos/nuevo", "resultados/nuevo", "tareas/nuevo"),
                *("custodia", "versiones", "casos"),
            )
        ),
        "/organizacion/tipos/grant/estudio/vista/?ancho=estrecho",
        "/organizacion/tramites/",
        "/organizacion/tramites/nuevo/",
        "/organizacion/tramites/housing-grant/",
        "/organizacion/personal/",
        lambda town: f"/organizacion/personal/{town.colleague.uuid}/",
        "/organizacion/personal/invitar/",
        "/organizacion/roles/",
        "/organizacion/roles/agent/",
        "/organizacion/roles/nuevo/",
        "/organizacion/permisos/",
        "/organizacion/sistemas/",
        *("/organizacion/correo/", "/organizacion/correo/nueva/"),
        *("/organizacion/conversaciones/", "/organizacion/conversaciones/chats/nuevo/"),
        lambda town: f"/organizacion/conversaciones/chats/{town.chat.uuid}/",
        lambda town: f"/organizacion/conversaciones/chats/{town.chat.uuid}/motivos/nuevo/",
        lambda town: f"/organizacion/conversaciones/colas/{town.chat.queue.uuid}/",
        "/organizacion/conversaciones/pausas/nueva/",
        "/organizacion/citas/",
        lambda town: f"/organizacion/citas/oficinas/{town.appointment.office.uuid}/",
        lambda town: f"/organizacion/citas/agendas/{town.appointment.resource.uuid}/",
        lambda town: f"/organizacion/citas/servicios/{town.appointment.service.uuid}/",
        "/importaciones/",
        "/importaciones/nueva/",
        "/no-existe/",
    ],
    "auditor": [
        lambda town: f"/ciudadania/{town.citizen.uuid}/accesos/",
        lambda town: f"/ciudadania/{town.citizen.uuid}/accesos/nombres/",
        "/auditoria/",
        "/auditoria/?object=Nobody",
        "/informes/",
        "/informes/?periodo=365&canal=video",
        "/informes/cifras/",
        "/informes/casos/?figura=opened",
        "/informes/exportaciones/",
    ],
}


def desk_of(office: Office, town: Town, who: str) -> Desk:
    """The person's desk."""
    return office.visitor() if who == "visitor" else office.desk(getattr(town, who))


@pytest.mark.slow
@pytest.mark.parametrize("who", VISITED)
def test_pages_are_accessible(office: Office, town: Town, who: str) -> None:
    desk = desk_of(office, town, who)
    broken = {}
    for each in VISITED[who]:
        address = each if isinstance(each, str) else each(town)
        desk.page.goto("about:blank")  # the next may differ only behind the #
        desk.open(address)
        desk.page.evaluate((node_modules() / "axe-core/axe.min.js").read_text())
        for width, height, theme, rules in LOOKS:
            desk.page.set_viewport_size({"width": width, "height": height})
            desk.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            found = desk.page.evaluate(AXE, rules)
            if not fits(desk.page):
                found.append(f"wider than its window: {widest(desk.page)}")
            if found:
                broken[f"{address} {theme} {width}"] = found
    assert broken == {}


@pytest.mark.parametrize(
    ("who", "address"),
    [
        ("visitor", "/verificar/"),
        ("visitor", "/cita/INST/para/residence/north/"),
        ("supervisor", "/"),
        ("supervisor", "/casos/"),
        ("supervisor", lambda town: f"/casos/{town.cases['live'].uuid}/"),
        ("supervisor", lambda town: f"/ciudadania/{town.citizen.uuid}/"),
        ("supervisor", lambda town: f"/conversaciones/{_talk(town)}/"),
        ("visitor", "/chat/journeys/?l=en"),
        ("agent", lambda town: f"/correo/{_letter(town)}/"),
    ],
    ids=[
        *("public", "times", "home", "list", "case"),
        *("citizen", "conversation", "chat", "mail"),
    ],
)
def test_nothing_is_beside_the_window_at_400_percent(
    office: Office, town: Town, who: str, address: str | Address
) -> None:
    desk = desk_of(office, town, who)
    desk.page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
    desk.open(address if isinstance(address, str) else address(town))
    assert fits(desk.page), widest(desk.page)


def fits(page: Page) -> bool:
    """Whether nobody has to scroll sideways."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"))


def widest(page: Page) -> list[str]:
    """What stands out of the window, for whoever must repair it."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("body *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.tagName + "." + one.className).slice(-5)"""
    )
    return found

"""What the demo's areas offer and ask each other just now, made by the real verbs."""

from collections.abc import Sequence
from datetime import timedelta

from cases import services
from cases.models import Case, CaseTransfer, StateCategory
from cases.services import Abroad, Ticked, told_at
from crm.accounts.actors import system_actor
from crm.audit.record import dated
from crm.citizens.models import CitizenRecord
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation, Unit

_COMMENTS = (
    "La calle es de vuestra zona. La persona ya está avisada.",
    "Lo pidió por nuestra ventanilla, pero lo resolvéis vosotros.",
    "Falta solo vuestro informe: os paso el caso entero.",
)
_QUESTIONS = (
    "¿Consta algún otro expediente de esta persona en vuestra unidad?",
    "¿Podéis confirmar la fecha de entrada en el registro?",
    "¿Hay alguna obra prevista en esa calle este trimestre?",
    "¿Qué documento hace falta para acreditarlo?",
)
_PACKET = Ticked(parts=frozenset({"description"}))


def fill(demo: Demo) -> None:
    """In each organisation some offers and questions are open and some answered; one case is offered
    by the institute to the town, and one question has gone there."""
    boards = [_Desk(demo, code) for code in (INSTITUTE, TOWN)]
    for desk in boards:
        desk.offers()
        desk.questions()
    boards[0].abroad(boards[1])


class _Desk:
    """Whoever decides in one organisation, its units and some of its open cases."""

    def __init__(self, demo: Demo, code: str) -> None:
        rows = Organisation.objects.unscoped("the demo's own")
        self.demo, self.organisation = demo, rows.get(code=code)
        self.boss = self._boss()
        units = Unit.objects.for_actor(self.boss).filter(closed_on=None).exclude(parent=None)
        self.units: Sequence[Unit] = list(units.select_related("organisation").order_by("pk"))
        cases = Case.objects.for_actor(self.boss).filter(
            category__in=[StateCategory.NEW, StateCategory.OPEN], suspended_on=None
        )
        self.cases = list(cases.select_related("unit").order_by("-opened_at", "-pk")[30:120:4])

    def _boss(self) -> Actor:
        """Nobody's role reaches all units here: the system tells what their people did."""
        return system_actor(self.organisation, Origin(Door.COMMAND))

    def _another(self, case: Case, number: int) -> Unit:
        others = [unit for unit in self.units if unit.pk != case.unit_id]
        return others[number % len(others)]

    def offers(self) -> None:
        """Two that wait, and one of each that was answered."""
        answers = (None, None, "accept", "return")
        for number, (answer, case) in enumerate(zip(answers, self.cases, strict=False)):
            hours = timedelta(hours=3 + number) if answer is None else timedelta(days=5 + number)
            with _at(self.demo, hours):
                row = services.offer_transfer(
                    self.boss,
                    case.uuid,
                    self._another(case, number).uuid,
                    comment=_COMMENTS[number % len(_COMMENTS)],
                    term="5wd" if answer else "3wd",
                )
            with _at(self.demo, hours - timedelta(hours=1)):
                if answer == "accept":
                    services.accept_transfer(self.boss, row.uuid)
                elif answer == "return":
                    services.return_transfer(self.boss, row.uuid, reason="Falta la dirección.")
            self.demo.made["transfers"] += 1

    def questions(self) -> None:
        """Two that wait, one of them late, and two that were answered."""
        days = (timedelta(hours=5), timedelta(days=12), timedelta(days=4), timedelta(days=6))
        for number, (ago, case) in enumerate(zip(days, self.cases[4:], strict=False)):
            with _at(self.demo, ago):
                row = services.ask_area(
                    self.boss,
                    case.uuid,
                    self._another(case, number + 1).uuid,
                    text=_QUESTIONS[number],
                    term="5wd",
                    ticked=_PACKET,
                )
            if number > 1:
                with _at(self.demo, ago - timedelta(days=1)):
                    services.answer_area(self.boss, row.uuid, text="Sí, consta desde el lunes.")
            self.demo.made["questions between areas"] += 1

    def abroad(self, other: "_Desk") -> None:
        """One case is offered to another organisation by a rule, and waits there."""
        open_ones = CitizenRecord.objects.for_actor(self.boss).filter(protected=False)
        known = set(open_ones.values_list("citizen_id", flat=True))
        case = next((one for one in self.cases[8:] if one.citizen_id in known), None)
        if case is None or not other.units:
            return
        with _at(self.demo, timedelta(hours=6)):
            services.offer_transfer(
                self.boss,
                case.uuid,
                other.units[0].uuid,
                organisation=other.organisation.code,
                comment="Es un servicio municipal: lo remitimos a quien es competente.",
                term="5wd",
                abroad=Abroad(
                    basis=CaseTransfer.Basis.RULE,
                    text="Ley 40/2015, art. 14.1",
                    ticked=Ticked(parts=frozenset({"description", "citizen"})),
                ),
            )
        self.demo.made["transfers"] += 1


class _at:  # noqa: N801 - reads as a word
    """What happens within it happened so long ago, in the case and in the audit trail."""

    def __init__(self, demo: Demo, ago: timedelta) -> None:
        moment = demo.now - ago
        self._told, self._dated = told_at(moment), dated(moment)

    def __enter__(self) -> None:
        self._told.__enter__()
        self._dated.__enter__()

    def __exit__(self, *error: object) -> None:
        self._dated.__exit__(*error)  # type: ignore[arg-type]
        self._told.__exit__(*error)  # type: ignore[arg-type]


seeders.register("what changes hands", Seeder(7, fill))

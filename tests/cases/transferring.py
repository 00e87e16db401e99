"""Two organisations between which cases go, and who decides in each unit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from cases import services
from cases.models import Case, CaseTransfer, CaseType
from cases.services import Abroad
from cases.services.packets import PARTS, Ticked
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.organisations.models import DataClass, SharingAgreement
from crm.organisations.services import load_public_holidays
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseTypeFactory

MADRID = ZoneInfo("Europe/Madrid")
RULE = "Ley 40/2015, art. 14"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T10:00").replace(tzinfo=MADRID)


@dataclass
class Sides:
    """Heads of the units of the world: of the whole organisation, North, South, and the one elsewhere."""

    world: World
    boss_user: User
    north_user: User
    south_user: User
    far_user: User
    kind: CaseType
    far_kind: CaseType

    @property
    def boss(self) -> Actor:
        return acting(self.boss_user)

    @property
    def north(self) -> Actor:
        return acting(self.north_user)

    @property
    def south(self) -> Actor:
        return acting(self.south_user)

    @property
    def far(self) -> Actor:
        return acting(self.far_user)

    def offer(self, case: Case, actor: Actor | None = None, **given: Any) -> CaseTransfer:
        """To South, by the head of North."""
        given = {"comment": "Es de vuestra calle.", "term": "3wd", **given}
        unit = given.pop("unit", self.world.other_unit)
        code = unit.organisation.code
        return services.offer_transfer(
            actor or self.north, case.uuid, unit.uuid, organisation=code, **given
        )

    def offer_abroad(self, case: Case, *documents: Any, **given: Any) -> CaseTransfer:
        """To the other organisation, by a rule, with all parts."""
        ticked = Ticked(
            parts=frozenset(given.pop("parts", PARTS)),
            documents=tuple(document.uuid for document in documents),
        )
        abroad = Abroad(
            basis=given.pop("basis", "rule"), text=given.pop("text", RULE), ticked=ticked
        )
        return self.offer(
            case,
            given.pop("actor", self.boss),
            unit=self.world.foreign_unit,
            abroad=abroad,
            **given,
        )

    def agree(self, *classes: str) -> SharingAgreement:
        """An agreement in force from here to there."""
        made: SharingAgreement = SharingAgreement.objects.create(
            giver=self.world.here,
            receiver=self.world.elsewhere,
            legal_basis="Ley 40/2015, art. 155",
            data_classes=[*(classes or DataClass.values)],
            valid=("2020-01-01", None),
        )
        return made


def sides_of(world: World) -> Sides:
    """Everybody in place, and a kind of case in each organisation."""
    load_public_holidays()
    return Sides(
        world,
        employee(world.here, "supervisor", full_name="Berta Salcedo"),
        employee(world.here, "supervisor", unit=world.unit, full_name="Nora Norte"),
        employee(world.here, "supervisor", unit=world.other_unit, full_name="Sergio Sur"),
        employee(world.elsewhere, "supervisor", full_name="Lejana López"),
        CaseTypeFactory(organisation=world.here, code="ayuda", term="30wd"),
        CaseTypeFactory(organisation=world.elsewhere, code="socorro", name="Socorro", term="30wd"),
    )


class Killed(BaseException):
    """The worker is gone."""


@contextmanager
def killed_at(statement: int) -> Iterator[list[int]]:
    """The process dies before its n-th write: nothing after that reaches the database."""
    count = [0]

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE", "SELECT"):
            count[0] += 1
            if count[0] == statement:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield count

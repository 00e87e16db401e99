"""Case types and cases for tests, made by the real verbs."""

from typing import Any

import factory

from cases import services
from cases.models import Case, CaseType
from cases.services import NewCase
from cases.workflow import simple_bundle
from crm.accounts.actors import system_actor
from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.organisations.models import Organisation, Unit
from tests.factories.accounts import ORIGIN
from tests.factories.organisations import OrganisationFactory


class CaseTypeFactory(factory.Factory[CaseType]):
    """A kind of case with a published version; `fields` and `term` go into its simple bundle."""

    organisation = factory.SubFactory(OrganisationFactory)
    code = factory.Sequence(lambda n: f"type-{n}")
    name = factory.Sequence(lambda n: f"Tipo {n}")
    nature = CaseType.Nature.APPLICATION
    fields: dict[str, Any] | None = None
    term: str | None = None
    bundle: dict[str, Any] | None = None

    class Meta:
        model = CaseType

    @classmethod
    def _create(cls, model_class: type[CaseType], *args: Any, **values: Any) -> CaseType:
        organisation: Organisation = values.pop("organisation")
        fields, term, bundle = values.pop("fields"), values.pop("term"), values.pop("bundle")
        return services.create_case_type(
            system_actor(organisation, ORIGIN),
            bundle=bundle or simple_bundle(fields=fields, term=term),
            **values,
        )


class CaseFactory(factory.Factory[Case]):
    """A case of a unit, opened by `actor` (by default the system) through `open_case`."""

    unit: Unit | None = None
    case_type: CaseType | None = None
    actor: Actor | None = None
    citizen: Citizen | None = None
    subject = factory.Sequence(lambda n: f"Asunto {n}")

    class Meta:
        model = Case

    @classmethod
    def _create(cls, model_class: type[Case], *args: Any, **values: Any) -> Case:
        unit: Unit = values.pop("unit")
        case_type: CaseType | None = values.pop("case_type") or (
            CaseType.objects.unscoped("a test's own").filter(organisation=unit.organisation).first()
        )
        case_type = case_type or CaseTypeFactory(organisation=unit.organisation)
        actor = values.pop("actor") or system_actor(unit.organisation, ORIGIN)
        citizen, assignee = values.pop("citizen"), values.pop("assignee", None)
        return services.open_case(
            actor,
            NewCase(
                case_type=case_type.code,
                unit=unit.uuid,
                citizen=citizen.uuid if citizen else None,
                assignee=assignee.uuid if assignee else None,
                **values,
            ),
        )

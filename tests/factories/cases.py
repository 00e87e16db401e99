"""Case types and cases for tests, made by the real verbs."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from cases import services
from cases.models import Article, Case, CaseType, Procedure
from cases.services import NewCase, knowledge, procedures
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


class ProcedureFactory(factory.Factory[Procedure]):
    """A published procedure of a unit with its words in Spanish, made by the real verbs."""

    unit: Unit | None = None
    case_type: CaseType | None = None
    code = factory.Sequence(lambda n: f"procedure-{n}")
    name = factory.Sequence(lambda n: f"Trámite {n}")
    summary = "Para qué sirve."
    published = True

    class Meta:
        model = Procedure

    @classmethod
    def _create(cls, model_class: type[Procedure], *args: Any, **values: Any) -> Procedure:
        unit: Unit = values.pop("unit")
        case_type = values.pop("case_type") or CaseTypeFactory(
            organisation=unit.organisation, term="30wd"
        )
        code, published = values.pop("code"), values.pop("published")
        words = {
            name: values.pop(name)
            for name in ("name", "summary", "who", "papers", "term", "fee")
            if name in values
        }
        actor = system_actor(unit.organisation, ORIGIN)
        texts = values.pop("texts", {"es": procedures.Words(**words)})
        said = procedures.Description(
            case_type=case_type.code, unit=unit.uuid, texts=texts, **values
        )
        made = procedures.create_procedure(actor, code, said)
        return procedures.publish_procedure(actor, code) if published else made


class ArticleFactory(factory.Factory[Article]):
    """A published article of a unit, made by the real verbs."""

    unit: Unit | None = None
    code = factory.Sequence(lambda n: f"article-{n}")
    language = "es"
    title = factory.Sequence(lambda n: f"Pregunta {n}")
    body = "Respuesta."
    review_on = factory.LazyFunction(lambda: timezone.localdate() + timedelta(days=90))
    published = True

    class Meta:
        model = Article

    @classmethod
    def _create(cls, model_class: type[Article], *args: Any, **values: Any) -> Article:
        unit: Unit = values.pop("unit")
        published = values.pop("published")
        actor = system_actor(unit.organisation, ORIGIN)
        made = knowledge.create_article(actor, unit=unit.uuid, **values)
        if published:
            knowledge.publish_article(actor, made.uuid)
        return made

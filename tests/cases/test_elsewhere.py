"""A citizen's cases at another organisation, as far as an agreement in force lets them be seen."""

import pytest
from django.test import Client

from cases.elsewhere import panel
from cases.models import Case, Confidentiality
from crm.citizens.models import Citizen, CitizenRecord
from crm.organisations.models import DataClass, SharingAgreement
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory

IDENTITY, STATUS, CONTENT = DataClass.IDENTITY, DataClass.CASE_STATUS, DataClass.CASE_CONTENT


@pytest.fixture
def lucia(world: World) -> Citizen:
    made: Citizen = CitizenFactory(name="Lucía", surname1="Sanz", organisation=world.here)
    boss = acting(employee(world.here, "supervisor"))
    kind = CaseTypeFactory(organisation=world.here, code="ayuda", name="Ayuda al alquiler")
    for subject, level in (
        ("Alquiler de la calle Mayor", Confidentiality.INTERNAL),
        ("Denuncia a un vecino", Confidentiality.CONFIDENTIAL),
        ("Acogida", Confidentiality.SPECIAL),
    ):
        CaseFactory(
            actor=boss,
            unit=world.unit,
            case_type=kind,
            citizen=made,
            subject=subject,
            confidentiality=level,
        )
    return made


def agree(world: World, *classes: str) -> SharingAgreement:
    made: SharingAgreement = SharingAgreement.objects.create(
        giver=world.here,
        receiver=world.elsewhere,
        legal_basis="Ley 40/2015, art. 155",
        data_classes=[*classes],
        valid=("2020-01-01", None),
    )
    return made


def test_the_state_is_shown_and_not_what_it_is_about(
    world: World, lucia: Citizen, client: Client
) -> None:
    agree(world, IDENTITY, STATUS)
    client.force_login(world.charlie)
    page = client.get(f"/ciudadania/{lucia.uuid}/").content.decode()
    assert "Cases at other organisations" in page
    assert page.count("Ayuda al alquiler") == 1
    for secret in ("Alquiler de la calle", "HERE-", "Denuncia", "Acogida"):
        assert secret not in page


def test_the_content_is_shown_where_that_is_shared_too(world: World, lucia: Citizen) -> None:
    agree(world, IDENTITY, CONTENT)
    found = panel(acting(world.charlie), lucia)
    assert found
    (row,) = found["rows"]  # type: ignore[misc] # of what is confidential, nothing
    assert (row.subject, row.organisation) == ("Alquiler de la calle Mayor", world.here.name)
    case = Case.objects.unscoped("a test").get(subject=row.subject)
    assert row.reference == case.reference


def test_nothing_is_shown_without_the_class_the_agreement_or_of_the_protected(
    world: World, lucia: Citizen
) -> None:
    charlie = acting(world.charlie)
    assert panel(charlie, lucia) is None
    agreement = agree(world, IDENTITY)
    assert panel(charlie, lucia) is None
    agreement.data_classes = [IDENTITY, STATUS]
    agreement.save()
    assert panel(charlie, lucia)
    records = CitizenRecord.objects.unscoped("a test").filter(citizen=lucia)
    records.update(protected=True, protected_reason="Víctima")
    assert panel(charlie, lucia) is None
    records.update(protected=False, protected_reason="")
    agreement.revoked_at = agreement.created_at
    agreement.save()
    assert panel(charlie, lucia) is None
    assert panel(acting(world.alice), lucia) is None  # one's own are not elsewhere

"""What a body may set is what its shape declares: nothing of the organisation, rights or state."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models

from cases.models import Case
from crm.accounts.models import Membership, User
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.api import FORM
from tests.house.asking import ids_of, methods_of, undone, writes
from tests.house.bodies import body_of
from tests.house.doors import ENTRIES, Door, Guarded, doors
from tests.house.estate import PAPER, Estate

pytestmark = pytest.mark.django_db

# What a caller would like to set, whatever it is called in the database or in a form of Django's.
WISHES = {
    "organisation": "OTRA",
    "organisation_id": "1",
    "is_superuser": "true",
    "is_staff": "true",
    "state": "closed",
    "status": "done",
    "category": "5",
    "version": "99",
    "created_by": "1",
    "created_at": "2001-01-01T00:00:00Z",
    "closed_at": "2001-01-01T00:00:00Z",
    "opened_by": "1",
    "reference": "FALSA-2001-0000001",
    "id": "1",
    "pk": "1",
    "uuid": "00000000-0000-7000-8000-000000000001",
    "actor": "1",
    "permissions": "cases.view_case",
    "verified_at": "2001-01-01T00:00:00Z",
    "revoked_at": "",
    "score": "100",
    "key_digest": "x",
    "seat_limit": "9999",
    "__class__": "x",
    "data__x": "y",
}
WRITES = [
    pytest.param(door, method, id=f"{method} {door.name}")
    for door in doors()
    if door.api is not None
    for method in door.api.operations
    if method != "get"
]
POSTS = [
    door for door in doors() if isinstance(ENTRIES.get(door.name), Guarded) and door.api is None
]


@pytest.mark.parametrize(("door", "method"), WRITES)
def test_by_api_every_undeclared_field_is_refused_and_nothing_done(
    door: Door, method: str, estate: Estate
) -> None:
    assert door.api is not None
    operation = door.api.operations[method]
    if method == "delete":
        return
    client = estate.caller("machine")
    address = door.address(ids_of(door, estate.here))
    declared = set(operation.reads().fields)
    wished = {name: value for name, value in WISHES.items() if name not in declared}
    body = body_of(operation.reads, estate.here) | wished
    with undone(), writes() as written:
        if operation.media_type == FORM:
            answer = client.post(address, {**body, "file": SimpleUploadedFile("a.pdf", PAPER)})
        else:
            text = json.dumps(body)
            answer = getattr(client, method)(address, text, content_type="application/json")
    assert answer.status_code == 422, answer.content
    pointers = {error["pointer"].strip("/") for error in answer.json()["errors"]}
    assert set(wished) - {"id"} <= pointers | {"id"}
    assert not written


@pytest.mark.parametrize("door", POSTS, ids=lambda door: door.name)
def test_in_a_form_what_is_not_asked_for_changes_nothing(door: Door, estate: Estate) -> None:

    if "post" not in methods_of(door, estate):
        return
    here = estate.here
    before = _owners(estate)
    entry = ENTRIES[door.name]
    assert isinstance(entry, Guarded)
    given: dict[str, Any] = {
        name: SimpleUploadedFile("a.pdf", PAPER) if word == "a file" else str(here.get(word))
        for name, word in entry.post.items()
    }
    wished = {name: value for name, value in WISHES.items() if name not in given}
    if door.name == "accounts:switch":
        wished.pop("organisation", None)
    with undone():
        client = estate.caller("everything")
        answer = client.post(door.address(ids_of(door, here)), {**wished, **given})
        after = _owners(estate)
    assert answer.status_code < 500
    assert after == before


def _owners(estate: Estate) -> dict[str, Any]:
    """To whom everything belongs, and who rules."""
    case = estate.here.case
    found: dict[str, Any] = {
        "superusers": list(User.objects.filter(is_superuser=True).values_list("pk")),
        "staff": list(User.objects.filter(is_staff=True).values_list("pk")),
        "seats": sorted(_all(type(estate.here.organisation)).values_list("pk", "seat_limit")),
        "elsewhere": [
            _all(model).filter(organisation=estate.elsewhere.organisation).count()
            for model in (Case, CitizenRecord, Membership)
        ],
        "citizens": list(
            _all(Citizen).filter(pk=estate.here.citizen.pk).values_list("uuid", "created_at")
        ),
    }
    row = _all(Case).filter(pk=case.pk)
    found["case"] = list(row.values_list("uuid", "reference", "organisation_id", "opened_at"))
    return found


def _all(model: type[models.Model]) -> Any:
    return model._default_manager.unscoped("a test counts")  # type: ignore[attr-defined]

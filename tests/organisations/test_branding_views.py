"""The organisation's style sheet and logo, as anybody's browser fetches them."""

import pytest
from django.test import Client

from tests.factories.organisations import OrganisationFactory

pytestmark = pytest.mark.django_db


def test_the_style_sheet_sets_the_organisations_colour_and_is_kept_by_caches(
    client: Client,
) -> None:
    OrganisationFactory(code="HERE", accent="#7a1f3d")

    answer = client.get("/organizacion/HERE/accent.css")

    assert answer.content == b'[data-org="HERE"]{--accent-base:#7a1f3d}\n'
    assert answer["Content-Type"] == "text/css"
    assert answer["Cache-Control"] == "public, max-age=300"
    again = client.get("/organizacion/HERE/accent.css", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/organizacion/NONE/accent.css", "/organizacion/HERE/logo"])
def test_what_does_not_exist_is_not_found(client: Client, path: str) -> None:
    OrganisationFactory(code="HERE")

    assert client.get(path).status_code == 404

"""Addresses without a page, and pages that break: both say so in the house's words."""

import pytest
from django.db import connection
from django.test import Client

from crm.kit import web


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_of_the_house(client: Client) -> None:
    response = client.get("/no-existe/", headers={"accept-language": "en"})
    assert response.status_code == 404
    assert "We cannot find this page" in response.content.decode()


def test_what_breaks_says_so_without_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(web, "error_page", broken)
    monkeypatch.setattr("crm.public.error_page", broken)
    monkeypatch.setattr(connection, "cursor", broken)
    client.raise_request_exception = False
    response = client.get("/no-existe/", headers={"accept-language": "en"})
    page = response.content.decode()
    assert response.status_code == 500
    assert "We could not finish the operation" in page
    assert "a secret of ours" not in page

"""/metrics is for those allowed; to others it does not exist."""

import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_machine_itself_sees_the_figures(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    assert "ventanilla_outbox_dead 0.0" in text


@pytest.mark.django_db
def test_others_find_nothing(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 404


@pytest.mark.django_db
def test_with_a_token_only_its_bearer(client: Client, settings: object) -> None:
    settings.METRICS_TOKEN = "a-token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a-token"}).status_code == 200


@pytest.mark.django_db
def test_the_accessibility_statement_is_there_for_everyone(client: Client) -> None:
    assert client.get("/accesibilidad/").status_code == 200

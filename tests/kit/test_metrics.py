"""/metrics is for those allowed; to others it does not exist."""

import re
from urllib.request import urlopen

import pytest
from django.test import Client

from tests.benchmarks import harness


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


@pytest.mark.django_db(transaction=True)
def test_the_figures_are_those_of_every_web_worker_together() -> None:
    """Each worker told its own, so that a counter went up and down with who answered."""
    with harness.server() as port:
        counted = [_answers(port) for _ in range(12)]
    assert [count - counted[0] for count in counted] == list(range(12))


def _answers(port: int) -> int:
    """How many requests to /metrics itself have been answered, as it says."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        text = page.read().decode()
    assert "ventanilla_outbox_dead 0.0" in text
    name = r'django_http_requests_total_by_view_transport_method_total{method="GET",transport="http",view="metrics"}'
    counter = re.search(rf"^{re.escape(name)} (\d+)", text, re.MULTILINE)
    return int(counter[1]) if counter else 0


@pytest.mark.django_db
def test_the_accessibility_statement_is_there_for_everyone(client: Client) -> None:
    assert client.get("/accesibilidad/").status_code == 200

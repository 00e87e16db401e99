"""The pages of a campaign: what one sees without asking again."""

import pytest
from django.test import Client

from campaigns.services import launching
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.campaigns import approved, reader, topic_of

pytestmark = pytest.mark.django_db
WAITS = "?espera=1"


def test_a_page_that_waits_for_the_launch_is_loaded_anew_when_it_has_begun(
    world: World, client: Client
) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    row = approved(world.here, topic)
    client.force_login(employee(world.here, "communications"))
    progress = f"/campanas/{row.uuid}/estado/{WAITS}"

    assert progress in client.get(f"/campanas/{row.uuid}/").content.decode()
    waiting = client.get(progress)
    assert (waiting.status_code, waiting.headers.get("HX-Refresh")) == (204, None)
    assert launching.launch(row.pk)
    begun = client.get(progress)
    assert (begun.status_code, begun.headers["HX-Refresh"]) == (204, "true")
    assert progress not in client.get(f"/campanas/{row.uuid}/").content.decode()


def test_a_date_is_shown_as_people_write_it(world: World, client: Client) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    words = {"es": {"subject": "Taller", "body": "Hasta el ((hasta:date))."}}
    row = approved(world.here, topic, words=words, values={"hasta": "2030-12-15"})
    client.force_login(employee(world.here, "communications"))
    page = client.get(f"/campanas/{row.uuid}/").content.decode()
    assert "2030-12-15" not in page
    assert "<dt>((hasta))</dt><dd>15 de diciembre de 2030</dd>" in page

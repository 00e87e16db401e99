"""Whatever leaves as a file is listed here, and its leaving is written down."""

import pytest

from crm.audit.models import AuditEntry
from tests.house.asking import ask, ids_of, is_file
from tests.house.doors import EXPORTS, Door, doors
from tests.house.estate import Estate
from tests.house.sources import calls

pytestmark = pytest.mark.django_db

# Functions that answer with a file: whoever calls one must be an address of EXPORTS.
MAKERS = {"download", "stream", "serve", "FileResponse", "StreamingHttpResponse"}

DOORS = [door for door in doors() if door.name in EXPORTS]


def test_every_export_is_an_address() -> None:
    assert {door.name for door in DOORS} == set(EXPORTS)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_what_leaves_as_a_file_is_written_down_and_runs_nowhere(door: Door, estate: Estate) -> None:
    rows = AuditEntry.objects.unscoped("counting").exclude(action="key_used")
    before = rows.count()
    caller = "everything" if door.api is None else "machine"
    ids = ids_of(door, estate.here)
    answer = ask(estate.caller(caller), door, EXPORTS[door.name], ids, estate.here)
    assert answer.status_code == 200
    assert is_file(answer)
    if answer.streaming:
        for _chunk in answer.streaming_content:  # type: ignore[attr-defined]
            pass
    assert rows.count() > before, "an export leaves an entry"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]


def test_files_are_made_nowhere_else() -> None:
    rooms = {
        path.partition("/")[0] + "/" + path.partition("/")[2].partition("/")[0]
        for maker in MAKERS
        for path, _call in calls(maker)
    }
    assert rooms <= {
        *("cases/views", "cases/api", "reporting/views", "crm/audit", "crm/kit"),
        "channels_app/email",
        "channels_app/views",
        "campaigns/views",
        *("crm/organisations", "crm/citizens", "crm/accounts"),
    }

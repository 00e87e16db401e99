"""Whatever is asked of a list of cases, an index with a condition leads to them: they are never read from
end to end. The planner may not do so here; where it still does, no index fits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.lists import count, find
from cases.query import understood
from cases.query.fields import FIELDS
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db

# of small tables beside it the planner may well read all, and does so by what other tests left there
GROWS = ("cases_case",)
# of each field a question that only it answers
ASKED = {
    "type": ["type:pension"],
    "state": ["state:open", "state:ended", "state:all", "state:new"],
    "unit": ["unit:NORTH", "unit:NORTH/*", "state:open unit:NORTH"],
    "assignee": ["assignee:me", "assignee:nobody", "state:open assignee:nobody", "-assignee:me"],
    "due": ["due<7d", "state:open due<7d", "due:today or priority:urgent"],
    "service": ["service:danger", "service:missed", "service:paused", "service:running"],
    "target": ["target<2h", "-target<2h"],
    "first-answer": ["first-answer<2h"],
    "next-answer": ["next-answer<2h"],
    "resolution": ["resolution<2h"],
    "silence": ["silence:any", "silence:granted"],
    "breached": ["breached:any", "breached:resolution"],
    "citizen": ['citizen:"García Gil"', "-citizen:Ana"],
    "represented-by": ["represented-by:Ana"],
    "opened": ["opened:last-week", "opened>30d priority:urgent"],
    "closed": ["closed:last-week"],
    "updated": ["updated<30d"],
    "suspended": ["suspended<30d"],
    "category": ["category:waiting-citizen", "category:new,closed"],
    "priority": ["priority:urgent", "priority>normal"],
    "channel": ["channel:phone"],
    "ref": ["ref:HERE-2026-0000001"],
    "text": ['text:"vida laboral"', "farola", "farola or has:notes"],
    "has": [
        *("has:assignee", "has:citizen", "has:due", "has:suspension", "has:outcome", "has:place"),
        *("has:documents", "has:messages", "has:notes", "has:links", "has:participants"),
        "-has:notes",
    ],
    "task": ["task:open", "task:late", "task:mine", "task:none"],
    "transfer": ["transfer:offered", "transfer:received", "transfer:expired", "transfer:none"],
    "moved-to": ["moved-to:new", "moved-to:new by:me last-week", "-moved-to:new"],
    "moved-from": ["moved-from:new"],
    "assigned-to": ["assigned-to:me"],
    "event": ["event:noted", "event:noted last-week"],
    "by": ["by:me", "by:me when>30d"],
    "when": ["when:today", "when<30d"],
    "confidentiality": ["confidentiality:internal"],
    "language": ["language:ca"],
    "source": ["source:portal"],
    "external": ["external:x3"],
    "state-code": ["state-code:new"],
    "followed-by": ["followed-by:me", "-followed-by:me"],
}


def test_every_field_is_asked() -> None:
    assert set(ASKED) == {field.name for field in FIELDS}


@pytest.mark.parametrize("name", list(ASKED))
def test_an_index_answers(world: World, name: str) -> None:
    CaseTypeFactory(organisation=world.here, code="pension")
    ana = CitizenFactory(organisation=world.here, name="Ana", surname1="García", surname2="Gil")
    CaseFactory(unit=world.unit, subject="Farola", citizen=ana)
    everywhere = acting(employee(world.here, "supervisor"))
    one_unit = acting(employee(world.here, "supervisor", unit=world.unit))
    of_a_part = _indexes_of_a_part()
    for text in ASKED[name]:
        for actor in (everywhere, one_unit):
            expression = understood(actor, text)
            assert expression.problems == (), text
            asked = expression.alone()
            with transaction.atomic(), connection.cursor() as cursor:
                for way in ("seqscan", "hashjoin", "mergejoin", "material"):
                    cursor.execute(f"SET LOCAL enable_{way} = off")
                with CaptureQueriesContext(connection) as seen:
                    find(actor, asked)
                    count(actor, asked)
                for query in seen.captured_queries:
                    if query["sql"].startswith(("SELECT", "(SELECT")):
                        cursor.execute(f"EXPLAIN (FORMAT json) {query['sql']}")
                        (answer,) = cursor.fetchone()
                        plan = answer if isinstance(answer, list) else json.loads(answer)
                        unanswered: list[str] = [
                            table
                            for table, index in _whole_reads(plan[0]["Plan"])
                            if index not in of_a_part
                        ]
                        assert unanswered == [], (text, unanswered, query["sql"])


def _indexes_of_a_part() -> set[str]:
    """Those whose own condition says what they hold: open transfers, work of nobody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
        return {name for (name,) in cursor.fetchall()}


def _whole_reads(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Growing tables that are read without a condition on an index: from end to end, or all of an index."""
    table = node.get("Relation Name", "")
    narrowed = node.get("Index Cond") or node["Node Type"] == "Bitmap Heap Scan"
    if table in GROWS and not narrowed:
        yield table, node.get("Index Name", "")
    for inner in node.get("Plans", []):
        yield from _whole_reads(inner)

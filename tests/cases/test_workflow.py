"""Bundles: what is accepted, what is refused and where, and which moves leave a state."""

import json
from typing import Any

import pytest

from cases.fields import Fields
from cases.terms import Term, read_term
from cases.workflow import check, parse, simple_bundle
from crm.kit.errors import Invalid


def bundle(**changes: Any) -> dict[str, Any]:
    return {**simple_bundle(), **changes}


def problems(definition: Any) -> dict[str, str]:
    return {problem.where: str(problem.message) for problem in check(definition)}


def test_the_simple_bundle_is_sound() -> None:
    assert check(simple_bundle()) == []
    workflow = parse(simple_bundle(term="30wd"))
    assert workflow.term == Term(30, "wd")
    assert [move.code for move in workflow.moves_from("resolved")] == ["close", "reopen"]
    assert workflow.name_of("long_gone") == "long_gone"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"states": []}, "states"),
        ({"states": [{"code": "new", "name": "New"}]}, "states[0].category"),
        ({"states": [{"code": "new", "name": "New", "category": ["new"]}]}, "states[0].category"),
        (
            {"fields": {"properties": {"1": {"type": "string"}}, "x-order": [1]}},
            "fields.x-order",
        ),
        ({"states": [{"code": "New!", "name": "New", "category": "new"}]}, "states[0].code"),
        ({"states": [{"code": "new", "name": "", "category": "new"}]}, "states[0].name"),
        ({"initial": "nowhere"}, "initial"),
        ({"initial": "closed"}, "initial"),
        ({"initial": ["new"]}, "initial"),
        ({"moves": []}, "states[1]"),
        ({"moves": "all"}, "moves"),
        ({"term": "soon"}, "term"),
        ({"term": 30}, "term"),
        ({"surprise": 1}, "surprise"),
        ({"fields": []}, ""),
    ],
)
def test_each_problem_says_where_it_is(changes: dict[str, Any], where: str) -> None:
    if where:
        assert where in problems(bundle(**changes))
    else:
        assert check(bundle(**changes)) == []  # an empty list is no field at all


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"to": "nowhere"}, "moves[0].to"),
        ({"from": ["nowhere"]}, "moves[0].from"),
        ({"from": []}, "moves[0].from"),
        ({"to": {"x": 1}}, "moves[0].to"),
        ({"permission": "cases.rule_the_world"}, "moves[0].permission"),
        ({"permission": "citizens.view_citizen"}, "moves[0].permission"),
        ({"to": "closed"}, "moves[0].permission"),
        ({"requires": ["colour"]}, "moves[0].requires"),
        ({"requires": [["reason"]]}, "moves[0].requires"),
    ],
)
def test_a_move_is_checked(change: dict[str, Any], where: str) -> None:
    definition = simple_bundle()
    definition["moves"][0] |= change
    assert where in problems(definition)


def test_work_is_ended_only_by_who_may_end_it() -> None:
    definition = simple_bundle()
    definition["moves"][4]["permission"] = "cases.change_case"
    assert list(problems(definition)) == ["moves[4].permission"]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "object", "properties": {"a": {"$ref": "https://evil.example/x"}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "array"},
        {"type": "object", "required": ["ghost"]},
        {"properties": {"a": {"type": "string", "format": "regex"}}},
        {"properties": {str(n): {"type": "string"} for n in range(61)}},
        {"properties": {"a": {"type": "string", "minLength": -1}}},
        {"properties": 3},
    ],
)
def test_schemas_that_reach_out_run_for_ever_or_cannot_be_shown_are_refused(fields: Any) -> None:
    found = check(bundle(fields=fields))
    assert found
    assert all(problem.where.startswith("fields") for problem in found)


def test_a_schema_nested_without_end_is_refused_in_time() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _level in range(200):
        deep = {"properties": {"a": deep}}
    assert problems(bundle(fields=deep))
    assert "" in problems(bundle(fields={"properties": {"a": {"title": "x" * 140_000}}}))


def test_a_field_may_be_called_like_a_keyword() -> None:
    assert check(bundle(fields={"properties": {"pattern": {"type": "string"}}})) == []


def test_data_is_checked_by_field_in_words() -> None:
    fields = Fields(
        {
            "properties": {
                "when": {"type": "string", "format": "date"},
                "count": {"type": "integer", "minimum": 1},
                "kind": {"type": "string", "enum": ["a", "b"]},
            },
            "required": ["kind"],
        }
    )
    assert fields.errors({"kind": "a", "count": 2, "when": "2026-11-20"}) == {}
    found = fields.errors({"count": 0, "when": "soon", "ghost": 1})
    assert set(found) == {"kind", "count", "when", "ghost"}
    assert set(fields.errors({"kind": "a\0", "count": float("nan")})) >= {"kind"}


def test_invalid_bundles_raise_with_every_place() -> None:
    with pytest.raises(Invalid) as raised:
        parse(bundle(term="soon", surprise=1))
    assert set(raised.value.errors) == {"term", "surprise"}
    with pytest.raises(Invalid):
        parse(json.loads("[]"))


def test_terms() -> None:
    assert read_term(None) is None
    assert str(read_term("3m")) == "3m"
    with pytest.raises(ValueError, match="0wd"):
        read_term("0wd")

"""The page on which a tree of conditions is built: its form read into a tree, and shown again.

Each node has a path: "0" is the root, "0.2" its third child. `k.PATH` says what it is (all, any or leaf),
`f.PATH`, `o.PATH`, `v.PATH`, `from.PATH`, `to.PATH` make a condition.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from campaigns.segments import FIELDS, IS, OPERATORS, Words

ROOT = "0"
_PATH = re.compile(r"0(\.\d{1,3}){0,6}")
_MOST_NODES = 200
FIRST = next(iter(FIELDS))
Node = dict[str, Any]


def read(posted: QueryDict) -> Node:
    """The tree as it was posted, not checked; then what the pressed button asks is done to it."""
    paths = [key[2:] for key in posted if key.startswith("k.") and _PATH.fullmatch(key[2:])]
    paths = sorted(paths, key=_place)[:_MOST_NODES]
    nodes = {path: _node(posted, path) for path in paths}
    root = nodes.setdefault(ROOT, {"all": []})
    if "field" in root:
        root = nodes[ROOT] = {"all": []}
    for path in paths:
        above = nodes.get(path.rpartition(".")[0])
        if path != ROOT and above is not None and "field" not in above:
            next(iter(above.values())).append(nodes[path])
    act, _colon, path = posted.get("act", "").partition(":")
    _do(act, path, nodes)
    return root


def _place(path: str) -> list[int]:
    return [int(part) for part in path.split(".")]


def _node(posted: QueryDict, path: str) -> Node:
    kind = posted[f"k.{path}"]
    if kind in {"all", "any"}:
        return {kind: []}
    field = FIELDS.get(posted.get(f"f.{path}", ""), FIELDS[FIRST])
    ends = [_whole(posted.get(f"{end}.{path}", "")) for end in ("from", "to")]
    value: list[Any] = ends if field.choices is None else posted.getlist(f"v.{path}")
    return {"field": field.key, "op": posted.get(f"o.{path}", IS), "value": value}


def _whole(text: str) -> int | str | None:
    text = text.strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else text


def _do(act: str, path: str, nodes: Mapping[str, Node]) -> None:
    node = nodes.get(path)
    if node is None:
        return
    if act == "drop" and path != ROOT:
        above = nodes[path.rpartition(".")[0]]
        inner = next(iter(above.values()))
        inner[:] = [one for one in inner if one is not node]
    elif act in {"add", "group"} and "field" not in node:
        inner = next(iter(node.values()))
        new = {"field": FIRST, "op": IS, "value": []}
        inner.append(new if act == "add" else {"any": [new]})


def shown(words: Words, tree: Node, path: str = ROOT) -> dict[str, Any]:
    """The tree as the page's template shows it."""
    if "field" not in tree:
        way = "any" if "any" in tree else "all"
        inner = tree.get(way, [])
        nodes = [shown(words, one, f"{path}.{at}") for at, one in enumerate(inner)]
        return {"path": path, "way": way, "nodes": nodes, "root": path == ROOT}
    field = FIELDS.get(tree["field"], FIELDS[FIRST])
    fields = [(one.key, one.label, one.key == field.key) for one in FIELDS.values()]
    found: dict[str, Any] = {
        "path": path,
        "leaf": True,
        "field": field,
        "fields": fields,
        "operators": [(key, label, key == tree["op"]) for key, label in OPERATORS.items()],
    }
    if field.choices is None:
        value = [*tree["value"], None, None]
        found["low"], found["high"] = ("" if one is None else one for one in value[:2])
    else:
        chosen = set(map(str, tree["value"]))
        found["choices"] = [(key, label, str(key) in chosen) for key, label in words.choices(field)]
    return found

"""The one query language of all lists: parse, check, compile. Pure: it knows no tables and no room.

A room says in a `Vocabulary` what can be asked of its lists; expressions are read against it, with
the exact place of whatever is wrong. For people it is written in docs/queries.md.
"""

from crm.kit.query.fields import (
    Completion,
    Field,
    Known,
    Leaf,
    No,
    Offer,
    Said,
    Same,
    Several,
    Understood,
    Vocabulary,
    folded,
    in_spanish,
    leaves_of,
    proposing,
)
from crm.kit.query.grammar import (
    LONGEST,
    Group,
    Node,
    Not,
    Problem,
    Term,
    Value,
    Words,
    Wrong,
    parse,
    written,
)
from crm.kit.query.periods import NAMES, OFFERED, Period, period_of

__all__ = [
    "LONGEST",
    "NAMES",
    "OFFERED",
    "Completion",
    "Field",
    "Group",
    "Known",
    "Leaf",
    "No",
    "Node",
    "Not",
    "Offer",
    "Period",
    "Problem",
    "Said",
    "Same",
    "Several",
    "Term",
    "Understood",
    "Value",
    "Vocabulary",
    "Words",
    "Wrong",
    "folded",
    "in_spanish",
    "leaves_of",
    "parse",
    "period_of",
    "proposing",
    "written",
]

"""Expressions over cases: understood for an actor, narrowed to what the lists of cases answer."""

from cases.query.narrowing import (
    Expression,
    as_audited,
    completions,
    understood,
)
from cases.query.saying import expression_of, whole_expression

__all__ = [
    "Expression",
    "as_audited",
    "completions",
    "expression_of",
    "understood",
    "whole_expression",
]

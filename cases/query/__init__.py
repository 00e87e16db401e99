"""Expressions over cases: understood for an actor, narrowed to what the lists of cases answer."""

from cases.query.narrowing import (
    Expression,
    Understanding,
    as_audited,
    completions,
    is_personal,
    understood,
)
from cases.query.saying import expression_of, in_parentheses, whole_expression

__all__ = [
    "Expression",
    "Understanding",
    "as_audited",
    "completions",
    "expression_of",
    "in_parentheses",
    "is_personal",
    "understood",
    "whole_expression",
]

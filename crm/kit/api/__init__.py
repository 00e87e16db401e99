"""What every room's API stands on: one base view whose declarations are checked, done and documented.

A method of an `ActorAPIView` is declared with `operation(…)`: who may come in, the shape that is
read, the query parameters, the shape that is answered. `self.read()`, `self.filters()`,
`self.reply()` and `self.page()` keep to these declarations, and the OpenAPI schema is made of them.
"""

from crm.kit.api.parsing import FORM, JSON
from crm.kit.api.problems import BadExpression, problem_from_exception
from crm.kit.api.schema import Schema
from crm.kit.api.view import ActorAPIView, narrowers, operation

__all__ = [
    "FORM",
    "JSON",
    "ActorAPIView",
    "BadExpression",
    "Schema",
    "narrowers",
    "operation",
    "problem_from_exception",
]

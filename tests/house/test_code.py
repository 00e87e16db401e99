"""The house's rules on its own code: rows for an actor, rights in the catalogue, whole models."""

import ast
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from crm.kit.policy import catalogue
from crm.kit.scoping import ScopedQuerySet
from tests.house.sources import ROOMS, calls, modules

# Where rows are fetched for somebody: what a person or program meets, and the verbs behind.
DOORS = [
    path
    for path in modules()
    if {"views", "api", "services", "selectors", "consumers"} & set(path.split("/"))
    or path.rsplit("/")[-1]
    in {"views.py", "api.py", "services.py", "selectors.py", "consumers.py", "admin.py", "lists.py"}
]
SCOPED = {
    model.__name__
    for model in apps.get_models()
    if isinstance(model._default_manager.all(), ScopedQuerySet)
}
FETCHED_RIGHTLY = {
    *("for_actor", "unscoped"),  # the two ways
    *("create", "bulk_create", "get_or_create", "none"),  # make rows, or none
    "opened_by",  # for_actor, and what colleagues of the organisation share: cases.saved
    "of_unit_around",  # of units within the actor's reach: cases.lists
}


@pytest.mark.parametrize("path", DOORS)
def test_rows_are_fetched_for_an_actor(path: str) -> None:
    raw = [
        f"line {node.lineno}: {node.value.value.id}.{node.value.attr}.{node.attr}"
        for node in ast.walk(modules()[path])
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in {"objects", "_default_manager", "_base_manager"}
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id in SCOPED
        and node.attr not in FETCHED_RIGHTLY
    ]
    assert not raw, f"{path}: fetch with for_actor or unscoped(reason): {raw}"


def test_no_manager_is_handed_on_without_a_choice() -> None:
    """`Model.objects` alone, or the default manager, would carry every organisation's rows along."""
    found = []
    for path in DOORS:
        chosen = {
            id(node.value) for node in ast.walk(modules()[path]) if isinstance(node, ast.Attribute)
        }
        found += [
            f"{path}:{node.lineno} {node.value.id}.{node.attr}"
            for node in ast.walk(modules()[path])
            if isinstance(node, ast.Attribute)
            and node.attr in {"objects", "_default_manager", "_base_manager"}
            and isinstance(node.value, ast.Name)
            and node.value.id in SCOPED
            and id(node) not in chosen
        ]
    assert found == []


def test_every_unscoped_access_states_its_reason() -> None:
    found = calls("unscoped")
    assert found
    for path, call in found:
        assert len(call.args) == 1, f"{path}:{call.lineno}"
        reason = call.args[0]
        if isinstance(reason, ast.Constant):
            assert len(str(reason.value)) > 5, f"{path}:{call.lineno} {reason.value!r}"


def test_every_model_of_an_organisation_is_reached_by_an_actor() -> None:
    """Whoever has a column `organisation` has a `for_actor`, but for rows that only code reads."""
    inside = {"cases.ReferenceCounter"}
    for model in apps.get_models():
        if model.__module__.split(".")[0] not in ROOMS or "history" in model.__name__.lower():
            continue
        names = {field.name for field in model._meta.concrete_fields}
        if {"organisation", "organisation_id"} & names and model._meta.label not in inside:
            if model.__name__.endswith("Event") and "pgh_id" in names:
                continue  # pghistory's copies; the room reads them through their row
            assert isinstance(model._default_manager.all(), ScopedQuerySet), model._meta.label


# --- Rights -------------------------------------------------------------------------------------


def _constants() -> dict[str, str]:
    """The names by which the code calls permissions: CONSTANT → its permission."""
    return {
        target.id: str(node.value.args[0].value)
        for path, tree in modules().items()
        if path.endswith("permissions.py")
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "declare"
        and isinstance(node.value.args[0], ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_permissions_are_declared_in_the_rooms_they_are_of() -> None:
    assert set(_constants().values()) == set(catalogue)


def test_every_permission_is_used() -> None:
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for path, tree in modules().items()
        if not path.endswith("permissions.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    unused = {name for constant, name in _constants().items() if constant not in used}
    assert unused == set(), "declared, offered in the matrix of roles, and deciding nothing"


@pytest.mark.parametrize("function", ["require", "decide", "needs", "holds", "reach", "rule"])
def test_every_permission_asked_for_is_declared(function: str) -> None:
    position = 1 if function in {"require", "decide"} else 0
    for path, call in calls(function):
        for argument in call.args[position : position + 1]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                known = argument.value in catalogue or "." not in argument.value
                assert known, f"{path}:{call.lineno} {argument.value}"


def test_every_permission_reads_as_a_sentence_and_belongs_to_standard_roles() -> None:
    from crm.accounts.services.roles import STANDARD_ROLES

    for permission in catalogue.values():
        assert str(permission.sentence)[:1].islower(), permission.name
        assert permission.roles, permission.name
        assert permission.roles <= set(STANDARD_ROLES), permission.name


# --- Models -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    written = StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=written, stderr=written)
    except SystemExit:
        pytest.fail(f"a model changed without a migration: {written.getvalue()}")


def test_every_model_says_what_it_is() -> None:
    for model in apps.get_models():
        if model.__module__.split(".")[0] in ROOMS and "pgh_id" not in {
            field.name for field in model._meta.concrete_fields
        }:
            assert model.__doc__, model._meta.label
            assert not model.__doc__.startswith(f"{model.__name__}("), model._meta.label


def test_nobody_reaches_an_organisation_that_is_empty() -> None:
    """A row without organisation is nobody's, never everybody's: nullable only where said why."""
    shared = {
        "organisations.WorkingCalendar": "national and regional layers are everybody's",
        "audit.AuditEntry": "what the installation did for no organisation",
    }
    for model in apps.get_models():
        if model.__module__.split(".")[0] not in ROOMS or "pgh_id" in {
            field.name for field in model._meta.concrete_fields
        }:
            continue
        for field in model._meta.concrete_fields:
            if field.name in {"organisation", "organisation_id"} and field.null:
                assert isinstance(field, models.Field)
                assert model._meta.label in shared


# --- Imports and words ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", modules())
def test_no_text_is_formatted_before_it_is_translated(path: str) -> None:
    names = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}
    for node in ast.walk(modules()[path]):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
            assert isinstance(node.args[0], ast.Constant | ast.Name | ast.Attribute), (
                f"{path}:{node.lineno}"
            )


@pytest.mark.parametrize("path", modules())
def test_every_module_says_what_it_owns(path: str) -> None:
    tree = modules()[path]
    if tree.body:
        assert ast.get_docstring(tree), path


def test_nothing_is_unpickled_nor_evaluated() -> None:
    banned = {"pickle", "marshal", "shelve", "dill", "yaml", "xml.sax", "xml.dom"}
    for path, tree in modules().items():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if str(path).endswith("cases/type_texts.py"):  # a SafeLoader without tags and aliases
                names = [name for name in names if name != "yaml"]
            assert not banned & set(names), f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                evaluated = getattr(node.func, "id", "") in {"eval", "exec", "compile"}
                assert not evaluated or path == "crm/kit/sandbox/guard.py", (
                    path
                )  # runs our programs

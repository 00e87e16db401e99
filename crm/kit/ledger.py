"""Rows that become one, reversibly: whatever points to a row comes to point to another, and each change
of a column is a line, so that all of it can be taken back.

A room keeps a `References` of its model; whoever has a foreign key to that model registers it there,
with what becomes of its rows. A house test walks the models and fails for what nobody registered.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made_of
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.utils.text import capfirst

from crm.kit.errors import Text
from crm.kit.registry import Registry

_AT_ONCE = 5_000


class Line(models.Model):
    """One column of one row, before and after; without a column: the row was made, and goes again."""

    id = models.BigAutoField(primary_key=True)
    model = models.CharField(max_length=80)
    row = models.BigIntegerField()
    column = models.CharField(max_length=63, blank=True)
    before = models.TextField(null=True)  # noqa: DJ001 - NULL is a column's own NULL
    after = models.TextField(null=True)  # noqa: DJ001 - likewise

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.model} {self.row} {self.column}"


@dataclass(frozen=True)
class Reference:
    """A foreign key, and what becomes of its rows when what they point to is merged.

    They follow, unless `stays` says why not. A row that breaks a constraint there follows with the
    columns that `clashes` gives for it, by the constraint's name; without any it stays where it is.
    """

    model: str
    field: str
    stays: str = ""
    clashes: Mapping[str, Callable[[], Mapping[str, Any]]] = made_of(default_factory=dict)
    guarded: bool = True  # the database refuses new rows that point to what has been merged

    @property
    def rows(self) -> "QuerySet[Any]":
        """All of them, whoever's: a merge leaves none behind."""
        return _rows(_model(self.model))

    @property
    def label(self) -> str:
        """What its rows are, in words."""
        return str(capfirst(_model(self.model)._meta.verbose_name_plural))


class References:
    """What points to rows of one model."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._known: Registry[Reference] = Registry(f"reference to {target}")

    def follows(
        self,
        model: str,
        field: str,
        *,
        clashes: Mapping[str, Callable[[], Mapping[str, Any]]] | None = None,
    ) -> None:
        """Rows of the model that point to what is merged point to what remains."""
        reference = Reference(model.lower(), field, clashes=clashes or {})
        self._known.register(f"{reference.model}.{field}", reference)

    def stays(self, model: str, field: str, why: str, *, guarded: bool = True) -> None:
        """Rows of the model go on pointing to what was merged."""
        reference = Reference(model.lower(), field, stays=why, guarded=guarded)
        self._known.register(f"{reference.model}.{field}", reference)

    def __iter__(self) -> Iterator[Reference]:
        return iter(self._known.values())

    def __contains__(self, name: object) -> bool:
        return name in self._known

    @property
    def following(self) -> list[Reference]:
        """Those whose rows follow."""
        return [reference for reference in self if not reference.stays]

    def newest(self) -> dict[str, int]:
        """The newest key of each model whose rows follow: what is made later was made since."""
        models_ = {reference.model: reference.rows for reference in self.following}
        return {
            name: rows.order_by("-pk").values_list("pk", flat=True).first() or 0
            for name, rows in models_.items()
        }


@dataclass
class Count:
    """How many rows of a kind."""

    label: Text
    rows: int


@dataclass
class Outcome:
    """What taking back came to, by keys of rows: model → keys."""

    returned: dict[str, set[int]] = made_of(default_factory=lambda: defaultdict(set))
    along: dict[str, set[int]] = made_of(
        default_factory=lambda: defaultdict(set)
    )  # made since, with it
    stayed: dict[str, set[int]] = made_of(
        default_factory=lambda: defaultdict(set)
    )  # made since, here
    newer: list[tuple[str, int, str]] = made_of(default_factory=list)  # model, row, column


class Book:
    """The lines of one merge: every change by it goes through here."""

    def __init__(self, lines: type[Line], **key: models.Model) -> None:
        self._lines, self._key = lines, key

    def change(self, row: models.Model, **values: Any) -> None:
        """The row's columns have these values; what they were is kept."""
        model, lines = type(row), []
        for name, value in values.items():
            column = _column(model, name)
            before = _text(column, getattr(row, column.attname))
            setattr(row, column.attname, value.pk if isinstance(value, models.Model) else value)
            after = _text(column, getattr(row, column.attname))
            if before != after:
                lines.append(self._line(model, row.pk, name, before, after))
        _rows(self._lines).bulk_create(lines)
        written = {
            _column(model, name).attname: getattr(row, _column(model, name).attname)
            for name in values
        }
        _rows(model).filter(pk=row.pk).update(**written)

    def made(self, row: models.Model) -> None:
        """The row was made by the merge: it goes when that is taken back."""
        _rows(self._lines).bulk_create([self._line(type(row), row.pk, "", None, None)])

    def move(self, references: References, merged: int, survivor: int) -> None:
        """Every row that follows points to the survivor."""
        for reference in references.following:
            rows = reference.rows.filter(**{reference.field: merged})
            keys = list(rows.order_by("pk").values_list("pk", flat=True))
            for first in range(0, len(keys), _AT_ONCE):
                self._move(reference, keys[first : first + _AT_ONCE], merged, survivor)

    def _move(self, reference: Reference, keys: list[int], merged: int, survivor: int) -> None:
        column = _column(_model(reference.model), reference.field)
        try:
            with transaction.atomic():
                reference.rows.filter(pk__in=keys).update(**{column.attname: survivor})
        except IntegrityError as error:
            if len(keys) > 1:  # most stand in nobody's way: find those that do by halves
                half = len(keys) // 2
                self._move(reference, keys[:half], merged, survivor)
                self._move(reference, keys[half:], merged, survivor)
            elif mend := reference.clashes.get(_constraint(error)):
                self.change(reference.rows.get(pk=keys[0]), **mend())
                self._move(reference, keys, merged, survivor)
        else:
            _rows(self._lines).bulk_create(
                self._line(
                    _model(reference.model), key, reference.field, str(merged), str(survivor)
                )
                for key in keys
            )

    def _line(
        self,
        model: type[models.Model],
        row: int,
        column: str,
        before: str | None,
        after: str | None,
    ) -> Line:
        return self._lines(
            **self._key,
            model=model._meta.label_lower,
            row=row,
            column=column,
            before=before,
            after=after,
        )

    # --- taking back --------------------------------------------------------------------------

    @property
    def lines(self) -> "QuerySet[Line]":
        """All lines of this merge, as written."""
        return _rows(self._lines).filter(**self._key).order_by("pk")

    def take_back(
        self, references: References, merged: int, survivor: int, newest: Mapping[str, int]
    ) -> Outcome:
        """Every column that still reads as the merge left it reads as before; what was changed since
        keeps its newer value. Rows made since stay, unless they hang from a row that goes back.

        `newest` is what the references said at the merge: keys beyond it were made since.
        """
        outcome = Outcome()
        follow = {(one.model, one.field) for one in references.following}
        for (model, column, before, after), keys in self._steps(follow).items():
            if column:
                back = _back(_model(model), column, before, after, keys)
                outcome.newer += [(model, key, column) for key in sorted(keys - back)]
                outcome.returned[model] |= back
            elif before is None:
                _rows(_model(model)).filter(pk__in=keys).delete()
            else:
                (key,) = keys
                outcome.newer += self._restore(_model(model), key, follow)
        for reference in references.following:
            edge = newest.get(reference.model, 0)
            self._made_since(reference, merged, survivor, edge, outcome)
        return outcome

    def _steps(
        self, follow: set[tuple[str, str]]
    ) -> dict[tuple[str, str, str | None, str | None], set[int]]:
        """What is to be done, the last first: keys that go back together; rows to be taken away; and a
        row whose columns are restored in one, for they may only be right together."""
        found: dict[tuple[str, str, str | None, str | None], set[int]] = {}
        for line in self.lines.reverse():
            key: tuple[str, str, str | None, str | None] = (line.model, "", None, None)
            if (line.model, line.column) in follow:
                key = (line.model, line.column, line.before, line.after)
            elif line.column:
                key = (line.model, "", str(line.row), None)
            found.setdefault(key, set()).add(line.row)
        return found

    def _restore(
        self, model: type[models.Model], key: int, follow: set[tuple[str, str]]
    ) -> list[tuple[str, int, str]]:
        """The row's columns that still read as the merge left them read as before; those that do not."""
        label = model._meta.label_lower
        values: dict[str, tuple[str | None, str | None]] = {}
        for line in self.lines.filter(model=label, row=key).exclude(column=""):
            if (label, line.column) not in follow:
                first = values.get(line.column, (line.before, None))[0]
                values[line.column] = (first, line.after)
        row = _rows(model).filter(pk=key).first()
        back, newer = {}, []
        for name, (before, after) in values.items():
            column = _column(model, name)
            if row is not None and _text(column, getattr(row, column.attname)) == after:
                back[column.attname] = None if before is None else column.to_python(before)
            else:
                newer.append((label, key, name))
        try:
            with transaction.atomic():
                _rows(model).filter(pk=key).update(**back)
        except IntegrityError:  # together with what is newer they would not be right
            return [(label, key, name) for name in values]
        return newer

    def _made_since(
        self,
        reference: Reference,
        merged: int,
        survivor: int,
        edge: int,
        outcome: Outcome,
    ) -> None:
        model = _model(reference.model)
        told = self.lines.filter(model=reference.model, column=reference.field)
        new = reference.rows.filter(**{reference.field: survivor}, pk__gt=edge)
        new = new.exclude(pk__in=told.values("row"))
        hangs = Q(pk__in=[])
        for key in model._meta.concrete_fields:
            if key.is_relation and key.name != reference.field and key.related_model:
                gone = outcome.returned.get(key.related_model._meta.label_lower)
                hangs |= Q(**{f"{key.attname}__in": gone}) if gone else Q(pk__in=[])
        keys = set(new.filter(hangs).values_list("pk", flat=True))
        along = _back(model, reference.field, str(merged), str(survivor), keys)
        if along:
            outcome.along[reference.model] |= along
        rest = set(new.values_list("pk", flat=True)) - along
        if rest:
            outcome.stayed[reference.model] |= rest


def _back(
    model: type[models.Model], name: str, before: str | None, after: str | None, keys: set[int]
) -> set[int]:
    """The keys of the rows that read `after` and now read `before`."""
    column = _column(model, name)
    as_left = Q(**{f"{column.attname}": column.to_python(after)})
    if after is None:
        as_left = Q(**{f"{column.attname}__isnull": True})
    value = None if before is None else column.to_python(before)
    rows = _rows(model).filter(as_left)
    found = list(rows.filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))

    def put(some: list[int]) -> set[int]:
        try:
            with transaction.atomic():
                _rows(model).filter(pk__in=some).update(**{column.attname: value})
        except IntegrityError:
            if len(some) == 1:
                return set()  # something new stands in its place
            half = len(some) // 2
            return put(some[:half]) | put(some[half:])
        return set(some)

    return put(found) if found else set()


def counted(
    rows: Mapping[str, Iterable[int]], visible: Callable[[Any, set[int]], int]
) -> list[Count]:
    """How many of each kind, as far as `visible(model, keys)` lets them be counted."""
    found = []
    for label, keys in rows.items():
        model = _model(label)
        if number := visible(model, set(keys)):
            found.append(Count(str(capfirst(model._meta.verbose_name_plural)), number))
    return found


# --- the database's own refusal -------------------------------------------------------------------


def guard(references: References, function: str) -> None:
    """Every registered key refuses, by triggers, to point to what has been merged; called after
    migrations. `function` is the name of the room's functions: f"{function}_rows", f"{function}_row"."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        known = set(cursor.fetchall())
        cursor.execute("SELECT to_regproc(%s)", [f"{function}_rows"])
        if cursor.fetchone() == (None,):
            return  # migrated to a point before it
        for reference in references:
            _guard(cursor, reference, function, known)


def guard_names(reference: Reference) -> tuple[str, str]:
    """The names of the two triggers of a reference."""
    return f"merged_rests_i_{reference.field}", f"merged_rests_u_{reference.field}"


def _guard(cursor: Any, reference: Reference, function: str, known: set[tuple[str, str]]) -> None:
    model = _model(reference.model)
    table, column = model._meta.db_table, _column(model, reference.field).column
    if not reference.guarded or table not in connection.introspection.table_names(cursor):
        return
    inserted, updated = guard_names(reference)
    if (table, inserted) not in known:
        cursor.execute(
            f'CREATE TRIGGER {inserted} AFTER INSERT ON "{table}" REFERENCING NEW TABLE AS new_rows'
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}_rows('{column}')"
        )
    if (table, updated) not in known:
        cursor.execute(
            f'CREATE TRIGGER {updated} BEFORE UPDATE OF "{column}" ON "{table}" FOR EACH ROW'
            f' WHEN (NEW."{column}" IS DISTINCT FROM OLD."{column}")'
            f" EXECUTE FUNCTION {function}_row('{column}')"
        )


# --- what exists ----------------------------------------------------------------------------------


def pointing_to(target: str) -> list[str]:
    """Every foreign key to the model, as `app.model.field`; tables of history apart, which nobody asks."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if any(name == "pgh_id" for name in (key.name for key in model._meta.concrete_fields)):
            continue
        for key in model._meta.concrete_fields:
            related = key.related_model if key.is_relation else None
            if related is not None and related._meta.label_lower == target:
                found.append(f"{model._meta.label_lower}.{key.name}")
    return sorted(found)


def _model(label: str) -> type[models.Model]:
    return apps.get_model(label)


def _rows(model: type[models.Model]) -> "QuerySet[Any]":
    """All of a model's rows: what is moved is nobody's choice of rows."""
    return model._base_manager.all()  # noqa: SLF001 - Django's own name for it


def _column(model: type[models.Model], name: str) -> Any:
    found = model._meta.get_field(name)
    if not found.concrete:
        raise FieldDoesNotExist(name)
    return found


def _text(column: Any, value: Any) -> str | None:
    """A column's value as it is kept; `to_python` gives the same value again, to the microsecond."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list):
        holder = column.model(**{column.attname: value})
        return str(column.value_to_string(holder))
    return str(value)


def _constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""

"""What each organisation decides for itself, typed: the only reader and writer of `Organisation.options`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.kit.errors import Invalid, Text
from crm.organisations.models import Organisation

USUAL_PURPOSES = (
    gettext_lazy("Attending to the person"),
    gettext_lazy("Handling a case"),
    gettext_lazy("Checking or correcting data"),
    gettext_lazy("Request of a court or another authority"),
)


def _option(default: Any, label: Text, **limits: Any) -> Any:
    """A field with what the settings page says of it and the limits that it is checked against."""
    return dataclasses.field(default=default, metadata={"label": label, **limits})


@dataclass(frozen=True, slots=True)
class Options:
    """The rules of one organisation. A field that it never set has the safe default."""

    second_factor: bool = _option(True, gettext_lazy("Ask employees for a second factor"))
    idle_minutes: int = _option(
        15, gettext_lazy("Minutes without use until the session locks"), minimum=1, maximum=120
    )
    session_hours: int = _option(
        12, gettext_lazy("Hours until a session ends in any case"), minimum=1, maximum=24
    )
    search_months: int = _option(
        12, gettext_lazy("Months that a text search reaches back at first"), minimum=1, maximum=120
    )
    map_latitude: float = _option(
        40.0, gettext_lazy("Latitude where maps begin"), minimum=-90, maximum=90
    )
    map_longitude: float = _option(
        -4.0, gettext_lazy("Longitude where maps begin"), minimum=-180, maximum=180
    )
    map_zoom: int = _option(  # 6 shows a country, 13 a town
        6, gettext_lazy("How near maps begin, from 1 to 19"), minimum=1, maximum=19
    )
    mail_source_months: int = _option(
        24,
        gettext_lazy("Months that the source of an e-mail is kept after its case has been closed"),
        minimum=1,
        maximum=240,
    )
    transfer_days: int = _option(
        3,
        gettext_lazy(
            "Working days in which a unit answers a transfer, unless the sender says less"
        ),
        minimum=1,
        maximum=30,
    )
    acceptance_units: tuple[str, ...] = _option(
        (),
        gettext_lazy("Units that must accept what is moved to them, one code a line; * is all"),
        maximum=200,
        longest=40,
    )
    acceptance_types: tuple[str, ...] = _option(
        (),
        gettext_lazy("Case types that another unit must accept, one code a line; * is all"),
        maximum=200,
        longest=60,
    )
    purpose_without_matter: bool = _option(
        False,
        gettext_lazy("Ask for the reason to open a person who has nothing open with one's unit"),
    )
    purposes: tuple[str, ...] = _option(
        (), gettext_lazy("Usual reasons for access, one a line"), maximum=20, longest=120
    )

    @property
    def usual_purposes(self) -> tuple[Text, ...]:
        """The reasons for access that are offered: the organisation's own, else the usual ones."""
        return self.purposes or USUAL_PURPOSES


def fields() -> tuple["dataclasses.Field[Any]", ...]:
    """The options in the order of the settings page; `metadata` holds their label and limits."""
    return dataclasses.fields(Options)


def read(organisation: Organisation) -> Options:
    """The organisation's options; a stored value that is no longer valid counts as not set."""
    values, _errors = _checked(organisation.options)
    return Options(**values)


def write(organisation: Organisation, changes: Mapping[str, Any]) -> None:
    """The organisation, still to be saved, has these options; the others stay as they are.

    Raises Invalid with the errors of each field.
    """
    values, errors = _checked(changes)
    errors |= {name: [_("There is no such option.")] for name in changes if name not in _BY_NAME}
    if errors:
        raise Invalid(errors=errors)
    kept, _old_errors = _checked(organisation.options)
    organisation.options = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in {**kept, **values}.items()
    }


_BY_NAME: Mapping[str, "dataclasses.Field[Any]"] = {field.name: field for field in fields()}


def _checked(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Text]]]:
    """The values that are valid, and the errors of those that are not; unknown names are left out."""
    values: dict[str, Any] = {}
    errors: dict[str, list[Text]] = {}
    for name, field in _BY_NAME.items():
        if name in raw:
            try:
                values[name] = _check(field, raw[name])
            except ValueError as error:
                errors[name] = [str(error)]
    return values, errors


def _check(field: "dataclasses.Field[Any]", value: Any) -> Any:
    limits = field.metadata
    if isinstance(field.default, bool):
        if not isinstance(value, bool):
            raise ValueError(_("Say yes or no."))
        return value
    if isinstance(field.default, int | float):
        return _check_number(value, type(field.default), limits["minimum"], limits["maximum"])
    return _check_lines(value, most=limits["maximum"], longest=limits["longest"])


def _check_number(value: Any, kind: type, minimum: int, maximum: int) -> int | float:
    if kind is int and type(value) is not int:
        raise ValueError(_("Write a whole number."))
    if type(value) not in (int, float) or not minimum <= value <= maximum:  # nor NaN
        text = _("Write a number from %(minimum)s to %(maximum)s.")
        raise ValueError(text % {"minimum": minimum, "maximum": maximum})
    number: int | float = kind(value)
    return number


def _check_lines(value: Any, *, most: int, longest: int) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(line, str) for line in value):
        raise ValueError(_("Write one text a line."))
    lines = tuple(dict.fromkeys(line.strip() for line in value if line.strip()))
    if len(lines) > most or any(len(line) > longest for line in lines):
        text = _("Write at most %(lines)s lines of %(length)s characters.")
        raise ValueError(text % {"lines": most, "length": longest})
    return lines

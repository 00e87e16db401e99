"""As what people take part in cases of a type: `roles` [{"code", "name", "names", "most"}]. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.parts.named import Problem, check_keys, check_list, objects, spoken

MOST_ROLES, LONGEST_CODE, MOST_PEOPLE = 20, 20, 1_000
_KEYS = {"code", "name", "names", "most"}


@dataclass(frozen=True, slots=True)
class Role:
    """One role: what it is called, and how many may have it at the same time (None: any number)."""

    code: str
    said: str
    names: Mapping[str, str]
    most: int | None

    @property
    def name(self) -> str:
        """What people call it."""
        return spoken(self.said, self.names)


def read(raw: Any) -> tuple[Role, ...]:
    """The roles of a checked bundle, in its order; none: the usual ones."""
    return tuple(
        Role(one["code"], one["name"], one.get("names", {}), one.get("most")) for one in raw or ()
    )


def check(bundle: Mapping[str, Any]) -> Iterable[Problem]:
    """What is wrong with the part."""
    roles = bundle.get("roles", [])
    yield from check_list("roles", roles, MOST_ROLES)
    for place, role in objects(roles):
        where = f"roles[{place}]"
        yield from check_keys(where, role, _KEYS)
        if isinstance(role.get("code"), str) and len(role["code"]) > LONGEST_CODE:
            text = _("Write at most %(limit)s characters.") % {"limit": LONGEST_CODE}
            yield Problem(f"{where}.code", text)
        most = role.get("most")
        if most is not None and (type(most) is not int or not 1 <= most <= MOST_PEOPLE):
            text = _("Write a number from %(minimum)s to %(maximum)s.")
            limits = {"minimum": 1, "maximum": MOST_PEOPLE}
            yield Problem(f"{where}.most", text % limits)

"""Who asks, when, and the codes and names by which values are understood for them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cases.models import CaseType, CaseTypeVersion, Procedure
from cases.permissions import VIEW_CASE
from cases.selectors import people_of
from cases.silence import effect_of
from cases.workflow import of_version
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.query import Offer, Value, Wrong, folded, in_spanish, proposing
from crm.organisations.models import Organisation
from crm.organisations.selectors import Node, UnitTree, unit_tree

MOST_SHOWN = 5
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that a field may have, with the words for it."""

    value: object
    code: str
    spanish: str = ""
    label: Text = ""
    others: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """As the reader writes it."""
        return self.spanish if self.spanish and in_spanish() else self.code

    @property
    def words(self) -> tuple[str, ...]:
        """All by which it is understood."""
        return tuple(
            word for word in (self.code, self.spanish, str(self.label), *self.others) if word
        )


@dataclass(frozen=True)
class Asking:
    """An actor at a moment; what belongs to their organisation is read once, when it is needed."""

    actor: Actor
    now: datetime

    @cached_property
    def tree(self) -> UnitTree:
        """The units of the organisation."""
        return unit_tree(Organisation.objects.for_actor(self.actor).get())

    @cached_property
    def types(self) -> Sequence[CaseType]:
        """All kinds of cases, those no longer opened too."""
        rows = CaseType.objects.for_actor(self.actor).order_by("name")
        return list(rows.only("uuid", "code", "name", "is_active", "organisation"))

    @cached_property
    def states(self) -> dict[str, set[str]]:
        """The code of every state of every version that cases may be on, with its names."""
        bundles = (
            CaseTypeVersion.objects.filter(case_type__organisation=self.actor.organisation_id)
            .exclude(status=CaseTypeVersion.Status.DRAFT)
            .values_list("bundle", flat=True)
        )
        found: dict[str, set[str]] = {}
        for bundle in bundles:
            for state in of_version(bundle).states.values():
                found.setdefault(state.code, set()).add(state.name)
        return found

    @cached_property
    def procedures(self) -> dict[CaseType, dict[int, str]]:
        """Of each case type with a term that a procedure serves: the procedures, and what silence
        means in each."""
        found: dict[CaseType, dict[int, str]] = {}
        rows = Procedure.objects.for_actor(self.actor).exclude(status=Procedure.Status.DRAFT)
        for row in rows.select_related("case_type").only("silence", "case_type__nature"):
            effect, _article = effect_of(row.case_type.nature, row.silence)
            found.setdefault(row.case_type, {})[row.pk] = str(effect)
        return found

    def units_seen(self) -> Iterable[Node]:
        """The open units whose cases the actor may see: what is offered, not all that is understood."""
        reach = self.actor.reach(VIEW_CASE)
        return (node for node in self.tree.nodes if reach.covers(node.id) and not node.closed)

    def people(self) -> QuerySet[User]:
        """Whoever works or has worked in the organisation."""
        return User.objects.filter(memberships__organisation=self.actor.organisation_id).distinct()


def chosen(value: Value, choices: Iterable[Choice], message: Text) -> Choice:
    """The choice that a value means; Wrong, with those near it, when it is none."""
    known = list(choices)
    wanted = folded(value.text)
    for choice in known:
        if wanted in map(folded, choice.words):
            return choice
    wrong = proposing(value, message, words_shown(known))
    texts = wrong.problem.proposals or tuple(one.shown for one in known[:MOST_SHOWN])
    raise Wrong(value.start, value.end, message, texts)


def words_shown(choices: Iterable[Choice]) -> dict[str, str]:
    """All words for the choices, each with the one that is shown."""
    return {word: choice.shown for choice in choices for word in choice.words}


def offered(choices: Iterable[Choice], begun: str) -> Iterable[Offer]:
    """The choices that begin like that."""
    for choice in choices:
        if any(folded(word).startswith(begun) for word in choice.words):
            yield Offer(choice.shown, choice.label)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the organisation, or nobody."""

    key: int | None
    uuid: str = ""
    me: bool = False


def person(asking: Asking, value: Value) -> Person:
    """Who a login, a name, a UUID or « me » means; Wrong when that is nobody of the organisation."""
    text = value.text.strip()
    if not value.quoted and folded(text) in ("me", "yo", "mi"):
        actor = asking.actor
        return Person(actor.user_id, str(actor.uuid or ""), me=True)
    people = asking.people()
    logins = Q(email__iexact=text) if "@" in text else Q(email__istartswith=f"{text}@")
    found = list(people.filter(logins | Q(full_name__iexact=text)).order_by("full_name")[:2])
    if not found and UUID_FORM.fullmatch(text):
        found = list(people.filter(uuid=text))
    if len(found) == 1:
        return Person(found[0].pk, str(found[0].uuid))
    near = people_of(asking.actor).filter(full_name__icontains=text)
    logins_near = tuple(near.values_list("email", flat=True)[:3])
    if found:
        message = _("Several people are called “%(name)s”: write whose login it is.")
    else:
        message = _("Nobody called “%(name)s” works here. Write a login or a name in quotes.")
    raise Wrong(value.start, value.end, message % {"name": text}, logins_near)


def people_offered(asking: Asking, begun: str) -> Iterable[Offer]:
    """Those who work here and whose name or login begins like that."""
    if "me".startswith(begun) or "yo".startswith(begun):
        yield Offer("yo" if in_spanish() else "me", asking.actor.name)
    words = begun.replace("-", " ")
    like = Q(full_name__icontains=words) | Q(email__istartswith=begun)
    for email, name in people_of(asking.actor).filter(like).values_list("email", "full_name")[:10]:
        yield Offer(email, name)

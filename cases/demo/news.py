"""What colleagues have told each other in the cases of the known logins, so that the bell has rung."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from django.utils import timezone

from cases import services
from cases.models import Case, Event, EventKind, StateCategory
from cases.permissions import CHANGE_CASE
from cases.selectors import people_who_see
from cases.services import told_at
from cases.services.news import tell_people
from crm.accounts.actors import actor_for
from crm.accounts.demo import address
from crm.accounts.models import User
from crm.audit.record import dated
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.kit.policy import decide
from crm.notices.models import Notification
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation

LOGINS = ("agente", "supervision")
_ASKED = (
    "@{name}, ¿puedes mirar si el certificado que aportó es el bueno? Yo no lo veo claro.",
    "Ha llamado dos veces esta semana. @{name}, ¿le dices algo hoy?",
    "@{name}: he hablado con el registro y lo tienen desde el lunes.",
    "Para cuando lo retomes, @{name}: falta solo la firma del representante.",
)
_NOTED = (
    "Comprobado con la oficina: los datos coinciden.",
    "La persona prefiere que se le escriba en lugar de llamarla.",
    "Queda pendiente de que confirmen la fecha de efectos.",
)


def fill(demo: Demo) -> None:
    """The known agent and supervisor of each organisation are named in some notes and follow some cases."""
    for code in (INSTITUTE, TOWN):
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        for login in LOGINS:
            person = User.objects.filter(email=address(login, code)).first()
            actor = actor_for(person, organisation, Origin(Door.COMMAND)) if person else None
            if person is not None and actor is not None:
                _ring(demo, person, actor, organisation)


def _ring(demo: Demo, person: User, actor: Actor, organisation: Organisation) -> None:
    dice = demo.dice(f"news {person.email}")
    rows = Case.objects.for_actor(actor).filter(
        category__in=[StateCategory.NEW, StateCategory.OPEN], suspended_on=None
    )
    cases = list(rows.order_by("-opened_at", "-pk")[: demo.share(24)])
    for number, case in enumerate(cases[:: max(1, len(cases) // 7)][:7]):
        writer = _colleague(dice, actor, organisation, case)
        last = case.events.order_by("-seq").first()
        at = demo.now - timedelta(hours=3 + 19 * number, minutes=dice.randrange(60))
        at = max(at, last.at + timedelta(minutes=7)) if last else at
        if writer is None or at > demo.now:
            continue
        named = number % 2 == 0
        words = dice.choice(_ASKED).format(name=person.full_name) if named else dice.choice(_NOTED)
        with told_at(at), dated(at):
            if not named:
                services.follow_case(actor, case.uuid)
            services.add_note(writer, case.uuid, words)
        # as its newest event says
        Case.objects.unscoped("the demo's own").filter(pk=case.pk).update(updated_at=at)
        _tell([case])
        demo.made["news"] += 1
    _read_some(person)


def _colleague(dice: Random, actor: Actor, organisation: Organisation, case: Case) -> Actor | None:
    """Somebody else who may write there."""
    others = [one for one in people_who_see(actor, case)[:30] if one.pk != actor.user_id]
    dice.shuffle(others)
    actors = (actor_for(one, organisation, Origin(Door.COMMAND)) for one in others)
    return next((one for one in actors if one and decide(one, CHANGE_CASE, case)), None)


def _tell(cases: Sequence[Case]) -> None:
    """As the workers would: what they do again later tells nobody twice."""
    events = Event.objects.unscoped("the demo's own").filter(case__in=cases, kind=EventKind.NOTED)
    newest = events.order_by("-seq").select_related("case").first()
    if newest is not None:
        tell_people({"kind": newest.kind, "case": str(newest.case.uuid), "seq": newest.seq})


def _read_some(person: User) -> None:
    """The older half has been read."""
    rows = Notification.objects.unscoped("the demo's own").filter(user=person).order_by("at")
    keys = list(rows.values_list("pk", flat=True))
    rows.filter(pk__in=keys[: len(keys) // 2]).update(read_at=timezone.now())


seeders.register("news", Seeder(96, fill))

"""How the demo's units give out their work, what some people know, and who will be away next week."""

from datetime import timedelta

from cases.models import Method
from cases.services.distribution import set_profile, set_rule
from crm.accounts.demo import address
from crm.accounts.models import User
from crm.accounts.services.absences import local_day, record_absence
from crm.kit.actor import Actor
from crm.kit.demo import Demo
from crm.organisations.demo import INSTITUTE
from crm.organisations.models import Unit

_KNOW = {  # skills and languages beside Spanish
    "fatima.bennani": (["extranjería", "pensiones"], ["fr"]),
    "nerea.agirre": (["pensiones"], ["eu"]),
    "oscar.delgado": (["lengua de signos", "prestaciones familiares"], ["en"]),
    "alvaro.marin": (["cotización", "pensiones"], []),
    "agente": (["pensiones", "prestaciones familiares"], ["en"]),
    "jordi.puig": (["pensiones"], ["ca"]),
    "sabela.otero": (["pensiones"], ["gl"]),
}


def fill(demo: Demo, actor: Actor) -> None:
    """The institute takes the next; one office gives it out by itself. The town assigns by hand."""
    if actor.organisation_code != INSTITUTE:
        return
    set_rule(actor, None, method=Method.TAKE_NEXT)
    units = Unit.objects.for_actor(actor)
    set_rule(actor, units.get(code="DP46").uuid, method=Method.LEAST_BUSY, weight=2)
    people = {
        user.email: user
        for user in User.objects.filter(email__in=[address(one, INSTITUTE) for one in _KNOW])
    }
    for mailbox, (skills, languages) in _KNOW.items():
        user = people[address(mailbox, INSTITUTE)]
        set_profile(actor, user.uuid, capacity=60, skills=skills, languages=languages)
    today = local_day(actor, demo.now)
    record_absence(
        actor,
        people[address("alvaro.marin", INSTITUTE)].uuid,
        first=today + timedelta(days=5),
        last=today + timedelta(days=12),
        substitute=people[address("agente", INSTITUTE)].uuid,
    )

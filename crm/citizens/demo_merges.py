"""What of the demo was on record twice: one person merged, a few pairs to be looked at."""

from datetime import timedelta

from crm.accounts.actors import actor_for
from crm.accounts.models import User
from crm.audit.record import dated
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint, DuplicatePair, Merge
from crm.citizens.services import duplicates
from crm.citizens.services.merging import merge_citizens
from crm.citizens.vocabulary import learn
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.models import Organisation

TWINS = 5
_SUPERVISORS = {"INP": "supervision@inp.example", "VAL": "supervision@val.example"}


def fill(demo: Demo) -> None:
    """In each organisation some people came twice; the records were looked through, and one pair merged."""
    for code, login in _SUPERVISORS.items():
        organisation = Organisation.objects.unscoped("the demo's own").filter(code=code).first()
        user = User.objects.filter(email=login).first()
        actor = (
            actor_for(user, organisation, Origin(Door.COMMAND)) if user and organisation else None
        )
        if actor is not None:
            _twice(demo, actor)


def _twice(demo: Demo, actor: Actor) -> None:
    dice = demo.dice(f"twins {actor.organisation_code}")
    rows = CitizenRecord.objects.for_actor(actor).filter(
        citizen__kind=Citizen.Kind.NATURAL, protected=False, citizen__merged_into=None
    )
    people = [row.citizen for row in rows.select_related("citizen").order_by("pk")[:200]]
    pairs = [
        (one, _twin(actor, one, number)) for number, one in enumerate(dice.sample(people, TWINS))
    ]
    with dated(demo.now - timedelta(days=2)):
        duplicates.start_scan(actor)
        while duplicates.look_on():
            pass
        one, twin = pairs[0]
        merge = merge_citizens(
            actor,
            twin.uuid,
            one.uuid,
            reason="Se dio de alta otra vez por teléfono, sin DNI",
            despite=True,
        )
    Merge.objects.for_actor(actor).filter(pk=merge.pk).update(at=demo.now - timedelta(days=2))
    demo.made["likely duplicates"] += DuplicatePair.objects.for_actor(actor).count()


def _twin(actor: Actor, one: Citizen, number: int) -> Citizen:
    """The same person as somebody in a hurry wrote them down."""
    surname2 = "" if number % 2 else one.surname2
    surname1 = one.surname1 if number % 2 else one.surname1.replace("z", "s", 1)
    twin = Citizen.objects.create(
        name=one.name, surname1=surname1, surname2=surname2, birth_date=one.birth_date
    )
    learn(twin)
    CitizenRecord.objects.create(citizen=twin, organisation_id=actor.organisation_id)
    points = ContactPoint.objects.for_actor(actor).filter(
        citizen=one, channel="phone", ended_at=None
    )
    for point in points[:1]:
        ContactPoint.objects.create(
            organisation_id=actor.organisation_id,
            citizen=twin,
            channel=point.channel,
            address=point.address,
            address_key=point.address_key,
            preferred=True,
        )
    return twin


def present() -> bool:
    """Whether it has been made."""
    return Merge.objects.unscoped("the demo's own").exists()


seeders.register("merges", Seeder(95, fill, present))

"""What the demo's audit trail tells: every act on a case, and of the last weeks also who looked."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import models

from cases.demo.cast import Act, Cast, Worker
from cases.demo.stories import Story
from crm.audit.models import Result
from crm.audit.record import entry
from crm.citizens.models import CitizenRecord
from crm.citizens.permissions import VIEW_PROTECTED
from crm.kit.actor import Actor, Kind
from crm.kit.demo import Demo
from crm.kit.policy import decide

Entry = dict[str, Any]
WEEKS = 5  # for which looks are told
REFUSALS = 14  # openings of protected records by who may not
SEARCHED = (
    "farola apagada",
    "jubilación anticipada",
    "certificado de empresa",
    "vida laboral",
    "empadronamiento",
    "licencia de obra",
    "contenedores",
    "recibo duplicado",
)


def entries_of(
    demo: Demo, cast: Cast, stories: Sequence[Story], purposes: Sequence[str]
) -> list[Entry]:
    """The entries of one organisation's trail in the order of their moments."""
    teller = _Teller(demo, cast, purposes)
    told = [one for story in stories for act in story.acts for one in teller.act(story, act)]
    for worker in {one.user.pk: one for one in (*cast.workers, *cast.supervisors)}.values():
        told += teller.days(worker)
    told += teller.refusals()
    return sorted((one for one in told if one["at"] <= demo.now), key=lambda one: one["at"])


class _Teller:
    """Makes the entries of one organisation."""

    def __init__(self, demo: Demo, cast: Cast, purposes: Sequence[str]) -> None:
        self._demo, self._cast, self._purposes = demo, cast, purposes
        self._dice = demo.dice(f"looks {cast.portal.organisation_code}")
        self._edge = demo.now - timedelta(weeks=WEEKS)

    def act(self, story: Story, act: Act) -> Iterator[Entry]:
        """The act, and lately what its author opened before: the case, the person, a number."""
        dice, actor = self._dice, act.actor
        told = {"event": act.seq, "kind": str(act.kind)}
        yield self._entry(actor, act.permission, story.case, act.at, **told)
        if act.at < self._edge or actor.kind is not Kind.USER or act.seq == 1:
            return
        if dice.random() < 0.55:
            yield self._entry(actor, "viewed", story.case, act.at - timedelta(seconds=95))
        if story.client and dice.random() < 0.14:
            yield self._citizen(actor, "viewed", story.client.record, act.at - timedelta(minutes=3))
            if dice.random() < 0.3:
                yield self._revealed(actor, story.client.record, act.at - timedelta(minutes=2))

    def days(self, worker: Worker) -> Iterator[Entry]:
        """Coming in, searching and going out on each working day."""
        dice, place = self._dice, worker.place
        day = self._edge.replace(hour=8, minute=0, second=0, microsecond=0)
        while day < self._demo.now:
            if self._cast.works(place, day.date()) and dice.random() < 0.9:
                came = day + timedelta(minutes=dice.randint(-20, 45))
                yield self._entry(worker.actor, "sign_in", None, came)
                for _ in range(dice.randint(0, 3)):
                    at = came + timedelta(minutes=dice.randint(10, 380))
                    told = {
                        "what": "cases",
                        "text": dice.choice(SEARCHED),
                        "found": dice.randint(0, 40),
                    }
                    yield self._entry(worker.actor, "searched", None, at, **told)
                went = came + timedelta(minutes=dice.randint(400, 470))
                yield self._entry(worker.actor, "sign_out", None, went)
            day += timedelta(days=1)

    def refusals(self) -> Iterator[Entry]:
        """Protected records that somebody wanted to open and might not."""
        protected = list(
            CitizenRecord.objects.unscoped("the demo's own")
            .filter(organisation=self._cast.portal.organisation_id, protected=True)
            .select_related("citizen")
            .order_by("pk")
        )
        curious = [one for one in self._cast.workers if not one.actor.holds(VIEW_PROTECTED)]
        if not protected or not curious:
            return
        for _ in range(self._demo.share(REFUSALS)):
            worker, record = self._dice.choice(curious), self._dice.choice(protected)
            at = self._cast.at_work(
                worker.place,
                self._edge + timedelta(days=self._dice.uniform(1, WEEKS * 7 - 2)),
                self._dice,
            )
            reason = str(decide(worker.actor, VIEW_PROTECTED, record).reason)
            yield self._citizen(
                worker.actor, VIEW_PROTECTED, record, at, result=Result.REFUSED, reason=reason
            )

    def _revealed(self, actor: Actor, record: CitizenRecord, at: datetime) -> Entry:
        number = self._dice.choice(list(record.citizen.identifiers.all()))
        told = {"kind": number.kind, "identifier": str(number.uuid)}
        return self._citizen(actor, "revealed", record, at, **told)

    def _citizen(
        self,
        actor: Actor,
        action: str,
        record: CitizenRecord,
        at: datetime,
        *,
        result: str = Result.DONE,
        **data: Any,
    ) -> Entry:
        """Why stands there where the person was opened; of a protected one only the initials."""
        purpose = self._dice.choice(self._purposes) if result == Result.DONE else ""
        made = entry(actor, action, record.citizen, purpose, result, record.shown_name, data)
        return self._signed(made, at)

    def _entry(
        self, actor: Actor, action: str, target: models.Model | None, at: datetime, **data: Any
    ) -> Entry:
        return self._signed(entry(actor, action, target, "", Result.DONE, None, data), at)

    def _signed(self, made: Entry, at: datetime) -> Entry:
        return {**made, "at": at, "request_id": f"{self._dice.getrandbits(128):032x}"}

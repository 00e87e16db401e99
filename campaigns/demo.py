"""The demo's campaigns: topics that people want or not, two campaigns with results and one that waits for
approval in each organisation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from campaigns.models import (
    AgentKind,
    Campaign,
    CampaignRun,
    Click,
    ClickCount,
    Delivery,
    DeliveryEvent,
    Segment,
    ShortLink,
    Suppression,
    Template,
    address_hash,
)
from campaigns.permissions import APPROVE_CAMPAIGN, DESIGN_CAMPAIGN, RUN_CAMPAIGN
from campaigns.rendering import targets
from campaigns.services.audiences import allow_destination, create_topic, save_segment
from campaigns.services.drafting import Wanted, create_campaign, submit_campaign
from campaigns.services.launching import freeze, new_code
from campaigns.services.templates import latest, save_template
from campaigns.tokens import short_url
from crm.accounts.actors import actor_for, system_actor
from crm.accounts.models import User
from crm.audit.record import dated, record
from crm.citizens.models import Channel, Consent, ContactPoint, Topic
from crm.kit.actor import Actor, Door, Origin
from crm.kit.copying import copy_rows
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation

WANTED = 0.62  # of who was asked, said yes
_ORIGIN = Origin(Door.COMMAND)
Status = Delivery.Status


@dataclass(frozen=True)
class Story:
    """One organisation's room: topics, audiences and what was sent."""

    topics: tuple[tuple[str, str, dict[str, str]], ...]
    segments: tuple[tuple[str, dict[str, Any]], ...]
    templates: tuple[tuple[str, dict[str, dict[str, str]]], ...]
    sent: tuple[tuple[str, str, str, str, int], ...]  # name, topic, segment, template, days ago
    waiting: tuple[str, str, str, str, dict[str, str]]


def _is(field: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "op": "is", "value": list(value)}


_YOUNG_PENSION = {
    "es": {
        "subject": "((name)), así calcula su futura pensión",
        "body": "# Su pensión, sin sorpresas\n\nHola, ((name)):\n\nDesde hoy puede ver en la sede"
        " electrónica cuánto ha cotizado y qué pensión le correspondería.\n\n"
        "- [Calcular mi pensión](https://sede.inp.example/calculadora)\n"
        "- [Pedir cita](https://sede.inp.example/cita)\n\nNo hace falta certificado: basta con Cl@ve.",
    },
    "ca": {
        "subject": "((name)), així es calcula la vostra futura pensió",
        "body": "# La vostra pensió, sense sorpreses\n\nHola, ((name)):\n\nDes d'avui podeu veure a la"
        " seu electrònica quant heu cotitzat i quina pensió us correspondria.\n\n"
        "- [Calcular la meva pensió](https://sede.inp.example/calculadora)\n"
        "- [Demanar cita](https://sede.inp.example/cita)",
    },
    "gl": {
        "subject": "((name)), así se calcula a súa futura pensión",
        "body": "# A súa pensión, sen sorpresas\n\nOla, ((name)):\n\nDesde hoxe pode ver na sede"
        " electrónica canto cotizou e que pensión lle correspondería.\n\n"
        "- [Calcular a miña pensión](https://sede.inp.example/calculadora)",
    },
}
_OFFICES = {
    "es": {
        "subject": "Su oficina en ((municipality|su provincia)) amplía el horario",
        "body": "Estimado/a ((full_name)):\n\nDesde el ((since:date)) las oficinas abren también por la"
        " tarde. Puede [consultar el horario](https://sede.inp.example/oficinas) de la suya.",
    }
}
_FAIRS = {
    "es": {
        "subject": "((name)), fiestas de Valdelagua",
        "body": "# Programa de fiestas\n\nHola, ((name)):\n\nYa está el"
        " [programa completo](https://www.val.example/fiestas). Este año hay **actividades para"
        " todas las edades** y el recinto es accesible.\n\n- Pregón: plaza Mayor, 20:00\n"
        "- Concierto: parque del Río, 22:30",
    }
}
_WATER = {
    "es": {
        "subject": "Corte de agua el ((day:date))",
        "body": "Estimado/a ((full_name)):\n\nEl ((day:date)) se cortará el agua por obras en la red,"
        " de 9 a 14 horas. Más información en [la página de avisos](https://www.val.example/avisos).",
    }
}
_WORKSHOPS = {
    "es": {
        "subject": "Talleres municipales: abierta la inscripción",
        "body": "Hola, ((name)):\n\nHasta el ((until:date)) puede inscribirse en los talleres de este"
        " trimestre. [Ver talleres](https://www.val.example/talleres)",
    }
}
STORIES = {
    INSTITUTE: Story(
        topics=(
            ("Novedades sobre pensiones", "informational", {"ca": "Novetats sobre pensions"}),
            ("Jornadas y formación", "informational", {"ca": "Jornades i formació"}),
            ("Oficinas y horarios", "service", {}),
        ),
        segments=(
            ("De 30 a 60 años", {"all": [_is("age", 30, 60), _is("kind", "natural_person")]}),
            ("Todas las personas con correo", {"all": []}),
            (
                "Mayores de 60 en catalán o valenciano",
                {"all": [_is("age", 60, None), _is("language", "ca", "ca-es-valencia")]},
            ),
        ),
        templates=(("Calculadora de pensiones", _YOUNG_PENSION), ("Horario de oficinas", _OFFICES)),
        sent=(
            (
                "Calculadora de pensiones, primavera",
                "Novedades sobre pensiones",
                "De 30 a 60 años",
                "Calculadora de pensiones",
                41,
            ),
            (
                "Nuevo horario de tarde",
                "Oficinas y horarios",
                "Todas las personas con correo",
                "Horario de oficinas",
                12,
            ),
        ),
        waiting=(
            "Calculadora de pensiones, segundo envío",
            "Novedades sobre pensiones",
            "De 30 a 60 años",
            "Calculadora de pensiones",
            {},
        ),
    ),
    TOWN: Story(
        topics=(
            ("Cultura y fiestas", "informational", {}),
            ("Talleres y deporte", "informational", {}),
            ("Avisos de servicios", "service", {}),
        ),
        segments=(
            ("Vecindario con correo", {"all": []}),
            ("Mayores de 65 años", {"all": [_is("age", 65, None)]}),
            (
                "Jóvenes o con lectura fácil",
                {"any": [_is("age", 14, 30), _is("need", "easy_reading")]},
            ),
        ),
        templates=(
            ("Fiestas patronales", _FAIRS),
            ("Corte de agua", _WATER),
            ("Talleres", _WORKSHOPS),
        ),
        sent=(
            (
                "Fiestas de Valdelagua",
                "Cultura y fiestas",
                "Vecindario con correo",
                "Fiestas patronales",
                63,
            ),
            (
                "Corte de agua por obras",
                "Avisos de servicios",
                "Vecindario con correo",
                "Corte de agua",
                9,
            ),
        ),
        waiting=(
            "Talleres del trimestre",
            "Talleres y deporte",
            "Vecindario con correo",
            "Talleres",
            {"until": "2030-12-15"},
        ),
    ),
}
HOSTS = {INSTITUTE: ("sede.inp.example",), TOWN: ("www.val.example",)}


def fill(demo: Demo) -> None:
    """Both organisations write to their citizens."""
    for code, story in STORIES.items():
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        _Room(demo, organisation, story).fill()


class _Room:
    """One organisation's campaigns."""

    def __init__(self, demo: Demo, organisation: Organisation, story: Story) -> None:
        self._demo, self._organisation, self._story = demo, organisation, story
        self._dice = demo.dice(f"campaigns {organisation.code}")
        self._author = self._actor("comunicacion")
        self._approver = self._actor("supervision")

    def _actor(self, mailbox: str) -> Actor:
        domain = f"{self._organisation.code.lower()}.example"
        user = User.objects.get(email=f"{mailbox}@{domain}")
        actor = actor_for(user, self._organisation, _ORIGIN)
        assert actor is not None
        return actor

    def fill(self) -> None:
        """Topics with consents, then audiences, templates and campaigns."""
        with dated(self._demo.began + timedelta(days=20)):
            system = system_actor(self._organisation, _ORIGIN)
            self._topics = {
                name: create_topic(system, name, kind, names)
                for name, kind, names in self._story.topics
            }
            for host in HOSTS[self._organisation.code]:
                allow_destination(self._author, host)
            self._consents()
            self._segments = {
                name: save_segment(self._author, name, tree) for name, tree in self._story.segments
            }
            self._templates = {
                name: save_template(self._author, name, texts)
                for name, texts in self._story.templates
            }
        for sent in self._story.sent:
            self._sent(*sent)
        self._wait(*self._story.waiting)

    def _consents(self) -> None:
        """People said at the desk or on the form whether they want to hear about each topic."""
        points = ContactPoint.objects.unscoped("the demo's own").filter(
            organisation=self._organisation, channel=Channel.EMAIL, ended_at=None
        )
        keys = list(points.order_by("pk").values_list("pk", flat=True))
        rows = []
        for topic in self._topics.values():
            for key in keys if topic.needs_consent else ():
                asked, yes = self._dice.random() < 0.85, self._dice.random() < WANTED
                if asked:
                    rows.append(
                        Consent(
                            contact_point_id=key,
                            topic=topic,
                            state=Consent.State.GRANTED if yes else Consent.State.WITHDRAWN,
                            source=self._dice.choice(["web_form", "in_person", "phone"]),
                            evidence={"form": "preferencias", "version": 2},
                            at=self._demo.began + timedelta(days=self._dice.randint(1, 300)),
                        )
                    )
        self._demo.made["consents"] += copy_rows(Consent, map(vars, rows))

    def _sent(self, name: str, topic: str, segment: str, template: str, days: int) -> None:
        begun = (self._demo.now - timedelta(days=days)).replace(hour=10, minute=0, second=0)
        with dated(begun):
            campaign, run = self._launched(
                name, self._topics[topic], self._segments[segment], self._templates[template], begun
            )
        self._settle(run, begun)
        self._bounces(run)
        self._clicks(campaign, begun)
        self._demo.made["campaigns"] += 1
        self._demo.made["deliveries"] += run.total

    def _launched(
        self, name: str, topic: Topic, segment: Segment, template: Template, begun: datetime
    ) -> tuple[Campaign, CampaignRun]:
        version = latest(template)
        assert version is not None
        day = (begun + timedelta(days=5)).date().isoformat()
        campaign = Campaign.objects.create(
            organisation=self._organisation,
            name=name,
            topic=topic,
            segment=segment,
            tree=segment.tree,
            template=template,
            version=version,
            values={key: day for key in ("since", "day") if f"(({key}:" in str(version.texts)},
            state=Campaign.State.FINISHED,
            send_at=begun,
            send_not_after=begun + timedelta(days=2),
            rate_per_minute=600,
            created_by_id=self._author.user_id,
            created_by_name=self._author.name,
            submitted_by_id=self._author.user_id,
            submitted_by_name=self._author.name,
            submitted_at=begun - timedelta(hours=26),
            approved_by_id=self._approver.user_id,
            approved_by_name=self._approver.name,
            approved_at=begun - timedelta(hours=3),
        )
        record(self._author, DESIGN_CAMPAIGN, campaign, state="waiting")
        record(self._approver, APPROVE_CAMPAIGN, campaign, state="scheduled", approved=True)
        run = CampaignRun.objects.create(
            campaign=campaign,
            domain="ventanilla.example",
            started_at=begun,
            resumed_at=begun,
            tokens_at=begun,
            finished_at=begun + timedelta(minutes=38),
        )
        for target in targets(version.texts, campaign.values):
            link = ShortLink.objects.create(
                organisation=self._organisation,
                campaign=campaign,
                code=new_code(),
                target=target,
                valid_until=begun + timedelta(days=365),
            )
            run.links[target] = short_url(link.code)
        run.total = freeze(campaign, run)
        run.save(update_fields=["links", "total"])
        system = system_actor(self._organisation, _ORIGIN)
        record(system, RUN_CAMPAIGN, campaign, state="running", recipients=run.total)
        return campaign, run

    def _settle(self, run: CampaignRun, begun: datetime) -> None:
        """What became of each message, drawn by the recipient and spread over the run."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_delivery d SET
                    status = CASE WHEN d.status <> 'queued' THEN d.status
                        WHEN r.drawn < 22 THEN 'hard_bounced' WHEN r.drawn < 39 THEN 'soft_bounced'
                        WHEN r.drawn < 41 THEN 'complained' WHEN r.drawn < 46 THEN 'failed'
                        WHEN r.drawn < 47 THEN 'unknown' ELSE 'sent' END,
                    reason = CASE WHEN d.status = 'queued' AND r.drawn BETWEEN 41 AND 45
                        THEN 'refused' ELSE d.reason END,
                    attempts = 1, due_at = %(begun)s, updated_at = %(begun)s,
                    settled_at = %(begun)s + interval '38 minutes' * r.place
                FROM (SELECT id, row_number() OVER (ORDER BY id)::float / count(*) OVER () AS place,
                        (hashtextextended(recipient_key || %(seed)s, 0) & 1023) AS drawn
                    FROM campaigns_delivery WHERE run_id = %(run)s) r
                WHERE d.id = r.id
                """,
                {"begun": begun, "run": run.pk, "seed": f"{self._demo.seed} {run.pk}"},
            )

    def _bounces(self, run: CampaignRun) -> None:
        rows = Delivery.objects.unscoped("the demo's own").filter(run=run)
        back = rows.filter(status__in=["hard_bounced", "soft_bounced", "complained"])
        kinds = {
            "hard_bounced": ("hard_bounce", "5.1.1", "550 5.1.1 User unknown"),
            "soft_bounced": ("soft_bounce", "4.2.2", "452 4.2.2 Mailbox full"),
            "complained": ("complaint", "", "abuse"),
        }
        found = list(back.select_related("contact_point"))
        DeliveryEvent.objects.bulk_create(
            DeliveryEvent(
                delivery=row,
                kind=kinds[row.status][0],
                status_code=kinds[row.status][1],
                diagnostic=kinds[row.status][2],
                source_key="demo",
                at=row.settled_at or timezone.now(),
            )
            for row in found
        )
        gone = [row for row in found if row.status != Status.SOFT_BOUNCED]
        Suppression.objects.bulk_create(
            (
                Suppression(
                    organisation=self._organisation,
                    channel=Channel.EMAIL,
                    address_hash=address_hash(row.contact_point.address_key),
                    reason="complaint" if row.status == Status.COMPLAINED else "hard_bounce",
                    source_delivery=row,
                )
                for row in gone
            ),
            ignore_conflicts=True,
        )
        ContactPoint.objects.unscoped("the demo's own").filter(
            pk__in=[row.contact_point_id for row in gone if row.status == Status.HARD_BOUNCED]
        ).update(quality=ContactPoint.Quality.BAD)

    def _clicks(self, campaign: Campaign, begun: datetime) -> None:
        """Most visits come on the first days; machines look first."""
        rows: list[Click] = []
        counts: dict[tuple[int, str, Any], int] = {}
        for link in campaign.short_links.order_by("pk"):
            for _number in range(self._demo.share(self._dice.randint(90, 220))):
                hours = min(self._dice.expovariate(1 / 40), 24 * 8)
                kind = self._dice.choices(
                    [AgentKind.HUMAN, AgentKind.SCANNER, AgentKind.PREFETCH, AgentKind.UNKNOWN],
                    [70, 20, 6, 4],
                )[0]
                at = begun + timedelta(hours=hours)
                rows.append(Click(link=link, at=at, agent_kind=kind))
                key = (link.pk, kind, timezone.localdate(at))
                counts[key] = counts.get(key, 0) + 1
        Click.objects.bulk_create(rows)
        ClickCount.objects.bulk_create(
            ClickCount(link_id=link, agent_kind=kind, day=day, slot=0, count=count)
            for (link, kind, day), count in counts.items()
        )

    def _wait(
        self, name: str, topic: str, segment: str, template: str, values: dict[str, str]
    ) -> None:
        """One that somebody else must approve."""
        begins = self._demo.now + timedelta(days=3)
        row = create_campaign(
            self._author,
            Wanted(
                name=name,
                topic=self._topics[topic].uuid,
                segment=self._segments[segment].uuid,
                template=self._templates[template].uuid,
                send_at=begins.replace(hour=9, minute=30, second=0, microsecond=0),
                send_not_after=begins + timedelta(days=3),
                values=values,
                rate_per_minute=300,
            ),
        )
        submit_campaign(self._author, row.uuid)
        self._demo.made["campaigns"] += 1


seeders.register("campaigns", Seeder(8, fill))

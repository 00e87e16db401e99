"""The demo's e-mail: two mailboxes in each organisation, threads of the last weeks, and what is kept apart.

Everything comes in by the real door and is answered by the real verbs, at the moments that are told.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formataddr
from random import Random

from django.db.models import QuerySet

from cases.models import Case, Confidentiality, StateCategory
from cases.services import told_at
from channels_app.email import intake, sending, verbs
from channels_app.email.setup import MailSetup, kept
from channels_app.models import (
    AccountKind,
    ChannelAccount,
    Conversation,
    Delivery,
    Direction,
    Message,
)
from channels_app.services.writing import said_at
from crm.accounts.actors import actor_for
from crm.accounts.demo import address
from crm.accounts.models import User
from crm.audit.record import dated
from crm.citizens.models import Channel, Citizen, ContactPoint
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.kit.mail import mark_of
from crm.kit.models import Outbox
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation, Unit

THREADS = {INSTITUTE: 30, TOWN: 24}
_WRITERS = {
    INSTITUTE: ("agente", "supervision", "alvaro.marin"),
    TOWN: ("agente", "raul.santos"),
}


@dataclass(frozen=True)
class Mailbox:
    """One mailbox: its name, the unit that reads it and the type of the cases it opens."""

    local: str
    name: str
    unit: str
    case_type: str


@dataclass(frozen=True)
class Talk:
    """A matter by letter: its subject and what is written, the citizen first and then in turns."""

    subject: str
    lines: tuple[str, ...]
    mailbox: int = 0


_MAILBOXES = {
    INSTITUTE: (
        Mailbox("atencion", "Atención a la ciudadanía", "DP28", "informes"),
        Mailbox("quejas", "Quejas y sugerencias", "DP28", "quejas"),
    ),
    TOWN: (
        Mailbox("oac", "Oficina de Atención Ciudadana", "OAC", "padron"),
        Mailbox("incidencias", "Incidencias en la calle", "OAC", "via-publica"),
    ),
}
_TALKS = {
    INSTITUTE: (
        Talk(
            "Informe de vida laboral con periodos que faltan",
            (
                (
                    "Buenos días:\n\nHe descargado mi informe de vida laboral y faltan los meses de marzo a "
                    "septiembre de 2009, en los que trabajé en una empresa que ya no existe. Conservo las "
                    "nóminas.\n\n¿Cómo puedo pedir que se corrija?"
                ),
                (
                    "Buenos días:\n\nPuede pedir la rectificación con las nóminas o el contrato. Envíenos una "
                    "copia en respuesta a este correo y la añadimos a su caso."
                ),
                "Muchas gracias. Les adjunto las nóminas mañana, que las tengo en casa de mi madre.",
            ),
        ),
        Talk(
            "Cambio de cuenta bancaria de mi pensión",
            (
                (
                    "Hola,\n\nHe cambiado de banco y quisiera cobrar la pensión en la cuenta nueva a partir del "
                    "mes que viene. ¿Llego a tiempo?"
                ),
                (
                    "Buenos días:\n\nSi nos lo comunica antes del día 15, el cambio se aplica al mes siguiente. "
                    "Por seguridad no lo tramitamos por correo: puede hacerlo en la sede o con cita."
                ),
            ),
        ),
        Talk(
            "Certificado de prestaciones para una beca",
            (
                (
                    "Necesito un certificado que diga que no cobro ninguna prestación. Me lo piden para la beca "
                    "de mi hijo y el plazo acaba el viernes."
                ),
                (
                    "Buenos días:\n\nPuede obtenerlo al momento en la sede con un código a su móvil. Si lo "
                    "prefiere, díganos y se lo enviamos por correo postal, aunque tardará unos días."
                ),
                "Lo he conseguido con el código. Muchísimas gracias.",
            ),
        ),
        Talk(
            "Pensión de viudedad: qué documentos faltan",
            (
                (
                    "Buenas tardes. El lunes presenté la solicitud por el fallecimiento de mi marido y me dijeron "
                    "que faltaba un papel, pero con los nervios no apunté cuál. ¿Me lo pueden decir?"
                ),
                (
                    "Buenas tardes, y reciba nuestro pésame.\n\nFalta el certificado literal de matrimonio. Lo "
                    "expide el Registro Civil y también se puede pedir por internet sin coste."
                ),
            ),
        ),
        Talk(
            "No me llega el código al móvil",
            (
                (
                    "Llevo tres días intentando entrar y el código no llega. El número que sale acaba en 41 y ese "
                    "ya no es mi teléfono."
                ),
            ),
        ),
        Talk(
            "Jubilación a los 64: ¿cuánto me quedaría?",
            (
                (
                    "Buenos días, tengo 63 años y 38 cotizados. Me gustaría saber cuánto cobraría si me jubilo el "
                    "año que viene y cuánto si espero a la edad ordinaria.\n\nUn saludo"
                ),
            ),
        ),
        Talk(
            "Dos horas de espera en la oficina",
            (
                (
                    "Tenía cita a las 10:20 y me atendieron a las 12:05. Nadie nos explicó nada. Entiendo que "
                    "falte personal, pero al menos avisen."
                ),
                (
                    "Lamentamos lo ocurrido. Ese día falló el sistema de turnos. Hemos trasladado su queja a la "
                    "dirección de la oficina, que le responderá por escrito."
                ),
            ),
            1,
        ),
        Talk(
            "La sede no funciona con mi lector de pantalla",
            (
                (
                    "Soy una persona ciega y el formulario de solicitud no anuncia los errores. No puedo terminar "
                    "el trámite por mi cuenta. Les ruego que lo arreglen."
                ),
            ),
            1,
        ),
    ),
    TOWN: (
        Talk(
            "Empadronar a mi hija recién nacida",
            (
                (
                    "Buenos días:\n\nMi hija nació el día 3 y quiero empadronarla en nuestro domicilio. ¿Qué tengo "
                    "que llevar? ¿Hace falta que vayamos los dos?"
                ),
                (
                    "Buenos días, ¡enhorabuena!\n\nBasta con que venga uno de los dos con el libro de familia o el "
                    "certificado de nacimiento y su documento de identidad."
                ),
                "Perfecto, iré el jueves. Gracias por contestar tan rápido.",
            ),
        ),
        Talk(
            "Volante de empadronamiento histórico",
            (
                (
                    "Hola, necesito un volante histórico con todos mis domicilios desde 2005 para un trámite de "
                    "extranjería. ¿Se puede pedir por correo?"
                ),
                (
                    "Buenos días:\n\nPodemos prepararlo, pero hay que recogerlo con el documento de identidad o "
                    "descargarlo de la sede. ¿Cómo lo prefiere?"
                ),
            ),
        ),
        Talk(
            "Recibo de la basura cobrado dos veces",
            (
                (
                    "Me han pasado dos veces el recibo del segundo semestre, los días 5 y 12. Adjunto no puedo "
                    "porque escribo desde el móvil, pero se ve en el banco."
                ),
            ),
        ),
        Talk(
            "Farola apagada en la calle del Molino",
            (
                (
                    "La farola que hay delante del número 14 lleva más de una semana apagada y esa esquina es muy "
                    "oscura. Pasan muchos niños al salir de la academia."
                ),
                "Gracias por avisar. El equipo de alumbrado la revisará esta semana.",
                "Ya funciona. Da gusto cuando las cosas se arreglan.",
            ),
            1,
        ),
        Talk(
            "Baldosas levantadas por las raíces",
            (
                (
                    "En la plaza de Santa Ana las raíces de los plátanos han levantado la acera. Ayer se cayó una "
                    "vecina mayor. ¿Pueden al menos señalizarlo?"
                ),
            ),
            1,
        ),
        Talk(
            "Horario de la biblioteca en exámenes",
            (
                (
                    "¿Van a abrir la biblioteca por la noche en enero como el año pasado? Somos varios los que "
                    "preparamos oposiciones."
                ),
                (
                    "Buenos días:\n\nSí. Del 8 al 31 de enero abrirá hasta la una de la madrugada, de domingo a "
                    "jueves."
                ),
            ),
        ),
    ),
}


def fill(demo: Demo) -> None:
    """Both organisations read and answer their mail."""
    for code, count in THREADS.items():
        office = _Office(demo, Organisation.objects.unscoped("the demo's own").get(code=code))
        office.fill(demo.share(count))


class _Office:
    """One organisation's mail, from the oldest letter to what came in a minute ago."""

    def __init__(self, demo: Demo, organisation: Organisation) -> None:
        self._demo, self._organisation, self._code = demo, organisation, organisation.code
        self._dice: Random = demo.dice(f"mail {organisation.code}")
        self._number = 0
        self._accounts = [
            self._account(number, one) for number, one in enumerate(_MAILBOXES[self._code])
        ]
        self._writers = [self._actor(login) for login in _WRITERS[self._code]]
        self._people = self._with_mailboxes()
        known = {person.pk: person for person in self._people}
        self._busy: dict[int, list[Citizen]] = {}  # unit -> who has something going on there
        matters = self._going_on().filter(citizen__in=known).order_by("pk")
        for unit, citizen in matters.values_list("unit", "citizen"):
            self._busy.setdefault(unit, []).append(known[citizen])

    def fill(self, count: int) -> None:
        """So many threads; the newest wait, the oldest are closed."""
        talks = _TALKS[self._code]
        for number in range(count):
            talk = talks[number % len(talks)]
            age = timedelta(
                days=28 * (1 - number / count) ** 2.2, minutes=self._dice.randint(4, 200)
            )
            self._thread(talk, self._demo.now - age, count - number)
        self._apart()
        for account, told in zip(self._accounts, _MAILBOXES[self._code], strict=True):
            account.settings = {**account.settings, "case_type": told.case_type}
            account.save(update_fields=["settings", "updated_at"])  # what comes from now on
        self._demo.made["e-mail threads"] += count
        _leave_nothing_owed(self._organisation)

    def _thread(self, talk: Talk, at: datetime, from_last: int) -> None:
        account = self._accounts[talk.mailbox]
        busy = self._busy.get(account.unit_id, [])
        person = self._dice.choice(busy if busy and from_last % 2 else self._people)
        row = self._arrive(account, person, talk.subject, talk.lines[0], at)
        if row is None:
            return
        self._join(row, person, at)
        if from_last <= 6 or (len(talk.lines) == 1 and from_last <= 12):
            return  # still waits
        writer = self._writers[0 if from_last <= 11 else self._dice.randrange(len(self._writers))]
        at += timedelta(minutes=self._dice.randint(25, 400))
        last = self._answer(writer, row, talk, at)
        for line in talk.lines[2:]:
            at += timedelta(minutes=self._dice.randint(30, 900))
            if last is not None and at < self._demo.now:
                self._arrive(account, person, f"Re: {talk.subject}", line, at, last)
        if from_last > 14:
            at = min(at + timedelta(hours=3), self._demo.now - timedelta(minutes=2))
            with _told(at):
                if writer.user_id is not None:
                    verbs.close(writer, row.uuid)

    def _join(self, row: Conversation, person: Citizen, at: datetime) -> None:
        """The thread is about the matter that the person has going on, if they have one."""
        mine = self._going_on().filter(unit=row.unit, citizen=person, opened_at__lt=at)
        case = mine.order_by("-opened_at").first()
        if case is not None:
            with _told(at):
                intake.join_case(intake.actor_of(row.account), row, case)

    def _going_on(self) -> QuerySet[Case]:
        return Case.objects.unscoped("the demo's own").filter(
            organisation=self._organisation,
            category__lt=StateCategory.RESOLVED,
            confidentiality=Confidentiality.INTERNAL,
        )

    def _answer(self, writer: Actor, row: Conversation, talk: Talk, at: datetime) -> Message | None:
        if at >= self._demo.now:
            return None
        words = (
            talk.lines[1] if len(talk.lines) > 1 else "Buenos días:\n\nHemos tomado nota. Gracias."
        )
        with _told(at):
            message = verbs.answer(writer, row.uuid, words, quote=True)
            sending.settle(message.uuid, Delivery.SENT)
        return message

    def _arrive(
        self,
        account: ChannelAccount,
        person: Citizen,
        subject: str,
        text: str,
        at: datetime,
        answers: Message | None = None,
    ) -> Conversation | None:
        raw = self._letter(
            account, person.full_name, self._mailbox_of[person.pk], subject, text, answers
        )
        with _told(at):
            return intake.take_in(account, raw).conversation

    def _letter(
        self,
        account: ChannelAccount,
        name: str,
        mailbox: str,
        subject: str,
        text: str,
        answers: Message | None = None,
    ) -> bytes:
        self._number += 1
        message = EmailMessage()
        message["From"] = formataddr((name, mailbox))
        message["To"] = account.address
        message["Subject"] = subject
        message["Message-ID"] = f"<demo.{self._code.lower()}.{self._number}@mail.example>"
        if answers is not None:
            message["In-Reply-To"] = message["References"] = f"<{answers.external_id}>"
            quoted = "\n".join(f"> {line}" for line in answers.body.split("\n"))
            text = f"{text}\n\nEl lun, 16 nov 2026, {account.name} escribió:\n{quoted}"
        message.set_content(f"{text}\n\n-- \n{name}")
        return message.as_bytes()

    def _apart(self) -> None:
        """What somebody has to look at, and what nobody need."""
        account, now = self._accounts[0], self._demo.now
        person = self._people[0]
        for minutes, name, mailbox, subject, text, headers in (
            (300, "Ofertas Premium", "promo@ofertas.example", "¡Ha ganado un premio!",
             "Enhorabuena, ha sido seleccionado. Envíe sus datos bancarios.", {"To2": ""}),
            (190, "Boletín Municipalista", "boletin@revista.example", "Resumen semanal",
             "Las noticias de la semana para su administración.", {"List-Id": "<boletin.revista.example>"}),
            (95, person.full_name, self._mailbox_of[person.pk], "Respuesta automática: ausencia",
             "Estoy de vacaciones hasta el día 30.", {"Auto-Submitted": "auto-replied"}),
        ):  # fmt: skip
            raw = self._letter(account, name, mailbox, subject, text)
            fields = "".join(f"{key}: {value}\n" for key, value in headers.items() if value)
            if "To2" in headers:
                raw = raw.replace(f"To: {account.address}".encode(), b"To: lista@ofertas.example")
            with _told(now - timedelta(minutes=minutes)):
                intake.take_in(account, fields.encode() + raw)
        self._bounce(now - timedelta(minutes=50))

    def _bounce(self, at: datetime) -> None:
        """One answer did not arrive: its address no longer exists."""
        sent = Message.objects.unscoped("the demo's own").filter(
            account__organisation=self._organisation,
            direction=Direction.OUT,
            author__isnull=False,
            state=Delivery.SENT,
        )
        message = sent.order_by("-pk").first()
        if message is None:
            return
        raw = _REPORT.format(
            to=message.headers["to"],
            id=message.external_id,
            mark=mark_of(message.external_id or ""),
        ).encode()
        with _told(at):
            intake.take_in(message.account, raw)

    # --- Who and where ----------------------------------------------------------------------------

    def _account(self, number: int, told: Mailbox) -> ChannelAccount:
        unit = Unit.objects.unscoped("the demo's own").get(
            organisation=self._organisation, code=told.unit
        )
        return ChannelAccount.objects.create(
            organisation=self._organisation,
            kind=AccountKind.EMAIL,
            code=f"correo-{number + 1}",
            name=told.name,
            address=address(told.local, self._code),
            unit=unit,
            settings=dict(
                kept(
                    MailSetup(
                        signature=f"{told.name}\n{self._organisation.name}",
                    )
                )
            ),
        )

    def _actor(self, login: str) -> Actor:
        user = User.objects.get(email=address(login, self._code))
        actor = actor_for(user, self._organisation, Origin(Door.CONSOLE, ip="10.20.3.4"))
        assert actor is not None
        return actor

    def _with_mailboxes(self) -> Sequence[Citizen]:
        points = (
            ContactPoint.objects.unscoped("the demo's own")
            .filter(organisation=self._organisation, channel=Channel.EMAIL, ended_at=None)
            .filter(citizen__kind=Citizen.Kind.NATURAL)
            .exclude(quality=ContactPoint.Quality.BAD)
            .select_related("citizen")
            .order_by("pk")[:400]
        )
        self._mailbox_of = {point.citizen_id: point.address.lower() for point in points}
        return [point.citizen for point in points]


@contextmanager
def _told(at: datetime) -> Iterator[None]:
    """Whatever is done within happened then."""
    with said_at(at), told_at(at), dated(at):
        yield


def _leave_nothing_owed(organisation: Organisation) -> None:
    """What the demo sent has left long ago: no worker sends it once more."""
    queued = Message.objects.unscoped("the demo's own").filter(
        account__organisation=organisation,
        account__kind=AccountKind.EMAIL,
        direction=Direction.OUT,
        state=Delivery.QUEUED,
    )
    queued.update(state=Delivery.SENT)
    Outbox.objects.filter(topic=sending.DELIVER_EMAIL).delete()


_REPORT = """From: MAILER-DAEMON@mx.mail.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <{id}.report@mx.mail.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

El mensaje no se ha podido entregar: el buzón no existe.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.mail.example

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 mailbox does not exist

--b
Content-Type: text/rfc822-headers

Message-ID: <{id}>
X-Ventanilla-Mark: {mark}

--b--
"""

seeders.register("mail", Seeder(8, fill))

"""Filing an application on the public pages: it opens a case by the room's own verbs, with a receipt."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formataddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from cases import catalogue
from cases.catalogue import Shown
from cases.fields import Fields
from cases.models import Application, Case, Document
from cases.permissions import CHANGE_CASE
from cases.services import letters
from cases.services.documents import attach_stored
from cases.services.lifecycle import NewCase, edit_case, open_case, published_version
from cases.services.writing import fetch
from cases.texts import one_line, paragraphs
from cases.timeline import shown as in_words
from cases.workflow import of_version
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.citizens import checking, identifiers
from crm.citizens.checking import Errors, Names, NewContactPoint, NewIdentifier
from crm.citizens.matching import Duplicate, likely_duplicates
from crm.citizens.models import Channel, Citizen, Identifier
from crm.citizens.services.registration import register_citizen
from crm.kit import outbox
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid, NotFound, Text
from crm.kit.files import Stored
from crm.kit.mail import post
from crm.kit.models import uuid7
from crm.kit.policy import require
from crm.organisations.calendars import NotCovered

RECEIPT_MAIL = "cases.receipt_mail"
MOST_PAPERS = 10
_PAPERS = (Identifier.Kind.NIF, Identifier.Kind.NIE, Identifier.Kind.PASSPORT)
_SHOWN = ("case__unit", "case__organisation", "case__type_version", "procedure__unit")


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """Who applies, as they say themselves."""

    name: str
    surname1: str
    surname2: str = ""
    identifier: str = ""
    email: str = ""
    phone: str = ""


def file_application(
    visitor: Actor,
    code: str,
    *,
    key: UUID,
    applicant: Applicant,
    answers: Mapping[str, Any],
    request: str,
    papers: Sequence[Stored] = (),
    language: str = "es",
) -> Application:
    """The application is a case with its papers, its receipt on the way; the same sent again with its
    `key` files one. A key of which something else was filed counts for nothing: a form that the browser
    kept is filled in again for another matter, or by somebody else.

    It is nobody's yet: who the applicant is stays their word until an employee has looked.
    """
    procedure = catalogue.one(visitor, code, language)
    answers = procedure.fields.kept(answers)
    claimed = _checked(applicant)
    known = _filed(visitor, key)
    if known:
        if _says(known, procedure, claimed, answers, request, papers):
            return known
        key = uuid7()
    if len(papers) > MOST_PAPERS:
        text = _("Send at most %(count)s papers.") % {"count": MOST_PAPERS}
        raise Invalid(errors={"papers": [text]})
    procedure.fields.require_valid(answers)
    try:
        with transaction.atomic():
            case = _opened(visitor, procedure, answers, request, language)
            application = Application.objects.create(
                case=case,
                procedure=procedure.procedure,
                key=key,
                answers=dict(answers),
                **vars(claimed),
            )
            for paper in papers:
                attach_stored(visitor, case, paper, origin=Document.Origin.CITIZEN)
            outbox.send_later(RECEIPT_MAIL, {"application": str(application.uuid)}, key=str(key))
            if procedure.procedure.informs:
                with suppress(NotCovered):  # without holidays nobody says a date: a person sends it
                    letters.send_letter(visitor, case.uuid, automatic=True)
    except IntegrityError:  # sent twice at the same moment
        known = _filed(visitor, key)
        if known is None:
            raise
        return known
    return application


def _filed(visitor: Actor, key: UUID) -> Application | None:
    return Application.objects.for_actor(visitor).select_related("case").filter(key=key).first()


def _says(
    known: Application,
    procedure: Shown,
    applicant: Applicant,
    answers: Mapping[str, Any],
    request: str,
    papers: Sequence[Stored],
) -> bool:
    """Whether this very application was filed."""
    own = of_version(known.case.type_version.bundle).fields
    sent = Document.objects.unscoped("of a case of the visitor's organisation").filter(
        case=known.case_id, origin=Document.Origin.CITIZEN
    )
    return (
        known.procedure_id == procedure.procedure.pk
        and all(getattr(known, name) == value for name, value in vars(applicant).items())
        and known.answers == answers
        and known.case.description == _description(procedure, own, answers, request)
        and set(sent.values_list("sha256", flat=True)) == {paper.sha256 for paper in papers}
    )


def _checked(given: Applicant) -> Applicant:
    """As it is kept; Invalid names all that is wrong at once."""
    errors = Errors()
    clean: dict[str, str] = {}
    with errors.at(""):
        names = checking.names(
            Names(Citizen.Kind.NATURAL, given.name, given.surname1, given.surname2)
        )
        clean |= {"name": names.name, "surname1": names.surname1, "surname2": names.surname2}
    with errors.at("surname1"):
        if not one_line(given.surname1):
            raise Invalid(_("This field is required."))
    with errors.at("email"):
        clean["email"] = identifiers.normalise_email(given.email)
    with errors.at("phone"):
        clean["phone"] = identifiers.normalise_phone(given.phone) if given.phone.strip() else ""
    clean["identifier"] = checking.text(given.identifier, 30).upper()
    errors.refuse()
    return Applicant(**clean)


def _opened(
    visitor: Actor, procedure: Shown, answers: Mapping[str, Any], request: str, language: str
) -> Case:
    row = procedure.procedure
    version = published_version(visitor, row.case_type.code)
    own = of_version(version.bundle).fields
    data = {name: value for name, value in answers.items() if own.get(name) is not None}
    spanish = catalogue.text_of(row, "es")
    return open_case(
        visitor,
        NewCase(
            case_type=row.case_type.code,
            subject=(spanish or procedure.text).name,
            description=_description(procedure, own, answers, request),
            unit=row.unit.uuid,
            channel=Channel.WEB_FORM,
            language=language,
            data=data,
        ),
    )


def _description(procedure: Shown, own: Fields, answers: Mapping[str, Any], request: str) -> str:
    """What is asked for, and the answers that the case type has no field of its `own` for."""
    more = [
        f"{field.label}: {in_words(field.said(answers[field.name]))}"
        for field in procedure.fields
        if field.name in answers and own.get(field.name) is None
    ]
    return "\n\n".join(filter(None, [paragraphs(request), "\n".join(more)]))


# --- Identified by an employee ------------------------------------------------------------------


@transaction.atomic
def identify_applicant(
    actor: Actor,
    case: UUID,
    *,
    citizen: UUID | None = None,
    kind: str = "",
    despite: Sequence[UUID] = (),
) -> Case:
    """The case is of the citizen whom the employee recognised, or of one registered for it now.

    Registering takes the applicant's words; their number only as the `kind` that the employee has seen it
    to be. Raises what citizens' own verb raises, Duplicates among them.
    """
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    application = Application.objects.for_actor(actor).get_or_refuse(case=row)
    if row.citizen_id is not None:
        raise Conflict("applicant_known", _("The case has its citizen already."))
    if citizen is None:
        numbers = [NewIdentifier(kind, application.identifier)] if kind else []
        made = register_citizen(
            actor,
            Names(
                Citizen.Kind.NATURAL, application.name, application.surname1, application.surname2
            ),
            identifiers=numbers,
            contact_points=points_of(application),
            despite=despite,
        )
        citizen = made.record.citizen.uuid
    return edit_case(actor, case, {"citizen": citizen})


def application_of(actor: Actor, case: Case) -> Application:
    """What was filed, when citizens filed the case themselves; NotFound else."""
    return Application.objects.for_actor(actor).get_or_refuse(case=case)


def candidates(actor: Actor, application: Application) -> list[Duplicate]:
    """Citizens on record who may be the applicant, likeliest first; it is shown, never decided."""
    names = Names(
        Citizen.Kind.NATURAL, application.name, application.surname1, application.surname2
    )
    points = [checking.contact_point(point) for point in points_of(application)]
    numbers = []
    for kind in _PAPERS if application.identifier else ():
        with suppress(Invalid):  # it is no number of this kind
            value = identifiers.normalise(kind, application.identifier)
            numbers.append(NewIdentifier(kind, value))
    return likely_duplicates(actor, names, numbers, points)


def points_of(application: Application) -> list[NewContactPoint]:
    """How the applicant says that they can be reached."""
    points = [NewContactPoint(Channel.EMAIL, application.email)]
    if application.phone:
        points.append(NewContactPoint(Channel.PHONE, application.phone))
    return points


# --- The receipt --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Receipt:
    """What an applicant holds in hand (Ley 39/2015 art. 16.3): what was filed, when, under which number."""

    application: Application
    procedure: Shown
    papers: Sequence[Document]
    answers: Sequence[tuple[Text, str]]

    @property
    def case(self) -> Case:
        """What it opened."""
        return self.application.case


def receipt_of(visitor: Actor, case: UUID) -> Receipt:
    """The receipt of the application that opened a case; one entry says that it was shown."""
    application = (
        Application.objects.for_actor(visitor)
        .select_related(*_SHOWN)
        .get_or_refuse(case__uuid=case)
    )
    record(visitor, "viewed", application.case, part="receipt")
    return _receipt(visitor, application)


def _receipt(visitor: Actor, application: Application) -> Receipt:
    """With the procedure as it is described now, the term and fields as they were when it was filed."""
    case, row = application.case, application.procedure
    workflow = of_version(case.type_version.bundle)
    text = catalogue.text_of(row, case.language)
    if text is None:
        raise NotFound
    fields = Fields(row.form) if row.form else workflow.fields
    papers = Document.objects.for_actor(visitor).filter(
        case=case, origin=Document.Origin.CITIZEN, withdrawn_at=None
    )
    return Receipt(
        application,
        Shown(row, text, workflow.term, fields),
        list(papers.order_by("created_at", "pk")),
        [
            (fields.label_of(name), in_words(fields.said(name, value)))
            for name, value in application.answers.items()
        ],
    )


def send_receipt(application: UUID) -> None:
    """The receipt has been handed to the mail server."""
    row = (
        Application.objects.unscoped("a worker serves every organisation")
        .select_related(*_SHOWN)
        .get(uuid=application)
    )
    visitor = system_actor(row.case.organisation, Origin(Door.TASK))
    with translation.override(row.case.language):
        receipt = _receipt(visitor, row)
        message = EmailMessage(
            subject=_("Receipt of your application %(reference)s")
            % {"reference": row.case.reference},
            body=render_to_string(
                "cases/window/receipt.txt",
                {"receipt": receipt, "case": row.case, "public_url": settings.PUBLIC_URL},
            ),
            from_email=formataddr((row.case.organisation.name, settings.DEFAULT_FROM_EMAIL)),
            to=[row.email],
        )
    post(message)

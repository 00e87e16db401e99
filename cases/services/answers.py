"""Canned answers: written, published, retired; and sent with the files that go with them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import answers as reading
from cases.models import (
    AnswerFile,
    AnswerVersion,
    Audience,
    CannedAnswer,
    Confidentiality,
    Document,
    Message,
)
from cases.parts.messages import LONGEST_TEXT, holes
from cases.permissions import CHANGE_CASE, PUBLISH_ARTICLE, WRITE_ARTICLE
from cases.services.documents import attach_stored
from cases.services.notes import send_message
from cases.services.sharing import Wrong, check_placed
from cases.services.writing import fetch, moment
from cases.texts import one_line, paragraphs
from crm.audit.record import record
from crm.citizens.identifiers import folded
from crm.citizens.models import Channel
from crm.kit import files as kept
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, Refused, Text
from crm.kit.policy import Decision, require

MOST_FILES = 5
MOST_BYTES = 8 * 1024 * 1024  # what goes by e-mail with one answer
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a canned answer says."""

    code: str
    name: str
    texts: Mapping[str, str]
    audience: str = Audience.OWN
    unit: UUID | None = None
    case_types: Sequence[str] = ()
    states: Sequence[str] = ()
    channels: Sequence[str] = ()


@transaction.atomic
def create_answer(actor: Actor, given: Answer) -> CannedAnswer:
    """The answer exists: one's own can be used at once, others are drafts until somebody publishes them."""
    own = given.audience == Audience.OWN
    if own and not reading.may_write_own(actor):
        require(actor, CHANGE_CASE)
        raise Invalid(errors={"audience": [_("Only a person has answers of their own.")]})
    if not own:
        require(actor, WRITE_ARTICLE)
    row = CannedAnswer(organisation_id=actor.organisation_id)
    texts = _fill(actor, row, given)
    _save(row)
    _write(actor, row, texts)
    if own:
        _publish(actor, row)
    record(actor, CHANGE_CASE if own else WRITE_ARTICLE, row, created=True, audience=row.audience)
    return row


@transaction.atomic
def change_answer(
    actor: Actor, answer: UUID, given: Answer, *, version: int | None = None
) -> CannedAnswer:
    """The words are its draft, one's own at once what is offered. Where and for whom it is offered only
    changes who may publish it there, and also where it was before; Changed when it is past `version`."""
    row = _locked(actor, answer)
    _may(actor, WRITE_ARTICLE, row, reading.may_change(actor, row))
    if version is not None and row.version != version:
        raise Changed(_("Someone has changed this answer since you opened it."))
    if row.status == CannedAnswer.Status.RETIRED:
        raise Conflict("answer_retired", _("The answer is retired: copy it to use it again."))
    own = Audience.OWN in (row.audience, given.audience)
    if own and row.audience != given.audience:
        text = _("One's own answer stays one's own: copy it to share it.")
        raise Invalid(errors={"audience": [text]})
    before = answer_as_given(row)
    texts = _fill(actor, row, given)
    elsewhere = replace(before, texts={}) != replace(answer_as_given(row), texts={})
    if elsewhere and row.status == CannedAnswer.Status.PUBLISHED:
        old = CannedAnswer.objects.for_actor(actor).get(pk=row.pk)
        _may(actor, PUBLISH_ARTICLE, old, reading.may_publish(actor, old))
        _may(actor, PUBLISH_ARTICLE, row, reading.may_publish(actor, row))
    row.version += 1
    _save(row)
    _write(actor, row, texts)
    if row.audience == Audience.OWN:
        _publish(actor, row)
    record(actor, CHANGE_CASE if own else WRITE_ARTICLE, row, version=row.version)
    return row


@transaction.atomic
def publish_answer(actor: Actor, answer: UUID) -> CannedAnswer:
    """Its draft is what is offered from now on; what was offered before is kept."""
    row = _locked(actor, answer)
    _may(actor, PUBLISH_ARTICLE, row, reading.may_publish(actor, row))
    if not row.versions.filter(status=AnswerVersion.Status.DRAFT).exists():
        raise Conflict("answer_without_draft", _("There is no draft to publish."))
    number = _publish(actor, row)
    record(actor, PUBLISH_ARTICLE, row, version=number)
    return row


@transaction.atomic
def retire_answer(actor: Actor, answer: UUID) -> CannedAnswer:
    """The answer is offered no more; what was written with it stays, and its short name is free."""
    row = _locked(actor, answer)
    _may(actor, PUBLISH_ARTICLE, row, reading.may_publish(actor, row))
    if row.status != CannedAnswer.Status.RETIRED:
        row.status = CannedAnswer.Status.RETIRED
        row.version += 1
        row.save(update_fields=["status", "version", "updated_at"])
        own = row.audience == Audience.OWN
        record(actor, CHANGE_CASE if own else PUBLISH_ARTICLE, row, retired=True)
    return row


def answer_as_given(row: CannedAnswer) -> Answer:
    """What an answer says now, to be changed in part: its newest words."""
    newest = row.versions.order_by("-number").first()
    return Answer(
        code=row.code,
        name=row.name,
        texts=newest.texts if newest else {},
        audience=row.audience,
        unit=row.unit.uuid if row.unit else None,
        case_types=tuple(row.case_types),
        states=tuple(row.states),
        channels=tuple(row.channels),
    )


# --- Files ----------------------------------------------------------------------------------------


def add_file(actor: Actor, answer: UUID, chunks: Iterable[bytes], name: str) -> AnswerFile:
    """The file goes with the answer from now on; FileRefused says by name what is wrong with it."""
    with transaction.atomic():
        _require_files(actor, answer)
    stored = kept.store(chunks, name)
    with transaction.atomic():
        row = _require_files(actor, answer)
        there = list(row.files.all())
        same = next((one for one in there if one.sha256 == stored.sha256), None)
        if same:
            return same
        if len(there) >= MOST_FILES:
            text = _("At most %(count)s files go with an answer.") % {"count": MOST_FILES}
            raise Invalid(errors={"file": [text]})
        if sum(one.size for one in there) + stored.size > MOST_BYTES:
            text = _("The files of an answer may have %(size)s MB together.")
            raise Invalid(errors={"file": [text % {"size": MOST_BYTES // 1024 // 1024}]})
        made = AnswerFile.objects.create(
            answer=row,
            name=stored.name[:200],
            media_type=stored.media_type,
            size=stored.size,
            sha256=stored.sha256,
            scan=stored.scan,
        )
        record(actor, WRITE_ARTICLE, row, file=made.name)
        return made


@transaction.atomic
def remove_file(actor: Actor, answer: UUID, file: UUID) -> None:
    """The file goes no more with the answer; where it went it stays."""
    row = _require_files(actor, answer)
    found = AnswerFile.objects.for_actor(actor).get_or_refuse(answer=row, uuid=file)
    record(actor, WRITE_ARTICLE, row, file=found.name, removed=True)
    found.delete()


def _require_files(actor: Actor, answer: UUID) -> CannedAnswer:
    """What goes with a published answer goes to citizens at once: whoever publishes it decides."""
    row = _locked(actor, answer)
    published = row.status == CannedAnswer.Status.PUBLISHED
    decision = (reading.may_publish if published else reading.may_change)(actor, row)
    _may(actor, PUBLISH_ARTICLE if published else WRITE_ARTICLE, row, decision)
    return row


# --- Sending --------------------------------------------------------------------------------------


@transaction.atomic
def send_answered(
    actor: Actor,
    case: UUID,
    body: str,
    answers: Sequence[UUID],
    *,
    key: UUID | None = None,
    draft: UUID | None = None,
    seen: int | None = None,
) -> Message:
    """The message goes with the files of the answers that it was written with, which are documents of
    the case; each answer counts as used. `key`, `draft` and `seen` as of any message."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    known = Message.objects.for_actor(actor).filter(case=row, uuid=key).first() if key else None
    if known:
        return known
    used = reading.published_of(actor, answers) if answers else []
    documents: list[Document] = []
    files = {file.sha256: file for one in used for file in one.files.all()}
    if sum(file.size for file in files.values()) > MOST_BYTES:
        text = _("The files of an answer may have %(size)s MB together.")
        raise Invalid(errors={"text": [text % {"size": MOST_BYTES // 1024 // 1024}]})
    for file in files.values():
        stored = _clean(file).stored
        there = row.documents.filter(sha256=file.sha256, withdrawn_at=None).first()
        if there is not None and there.confidentiality == Confidentiality.PUBLIC:
            documents.append(there)
            continue
        origin = Document.Origin.ADMINISTRATION
        documents.append(
            attach_stored(actor, row, stored, origin=origin, confidentiality=Confidentiality.PUBLIC)
        )
    message = send_message(actor, case, body, key=key, draft=draft, seen=seen, documents=documents)
    CannedAnswer.objects.for_actor(actor).filter(pk__in=[one.pk for one in used]).update(
        uses=F("uses") + 1, last_used_at=timezone.now()
    )
    return message


def _clean(file: AnswerFile) -> AnswerFile:
    """The file, if it may be handed out; what waited for the scanner is asked about again."""
    if not kept.Scan(file.scan).downloadable:
        file.scan = kept.scan(file.stored.path)
        file.save(update_fields=["scan", "updated_at"])
    if not kept.Scan(file.scan).downloadable:
        text = _("The file %(name)s has not passed the virus scanner: it cannot be sent now.")
        raise Conflict("file_not_clean", text % {"name": file.name})
    return file


# --- Inside ---------------------------------------------------------------------------------------


def _locked(actor: Actor, answer: UUID) -> CannedAnswer:
    rows = CannedAnswer.objects.for_actor(actor).select_for_update(of=("self",))
    return rows.select_related("unit").get_or_refuse(uuid=answer)


def _may(actor: Actor, permission: str, row: CannedAnswer, decision: Decision) -> None:
    if not decision:
        raise Refused(permission, decision.reason, row)


def _fill(actor: Actor, row: CannedAnswer, given: Answer) -> dict[str, str]:
    """The row says what was given; its texts, checked. Invalid with all that is wrong, and where."""
    wrong = Wrong()
    name, code = one_line(given.name), given.code.strip()
    if not _CODE.fullmatch(code):
        text = _("A short name is made of small letters, digits and dashes, 40 at most.")
        wrong.add("code", text)
    unit = check_placed(actor, given, 120, wrong)
    if set(given.channels) - set(Channel.values):
        wrong.add("channels", _("Choose one of the offered values."))
    texts = {language: paragraphs(text) for language, text in given.texts.items()}
    texts = {language: texts[language] for language in _languages(texts, wrong) if texts[language]}
    if not texts:
        wrong.add(f"text_{reading.FIRST_LANGUAGE}", _("Write it in one language at least."))
    known = reading.known_names(actor, given.case_types)
    for language, text in texts.items():
        _check_text(f"text_{language}", text, known, wrong)
    row.name, row.code, row.audience, row.unit = name, code, given.audience, unit
    row.owner_id = actor.user_id if given.audience == Audience.OWN else None
    row.case_types = sorted(set(given.case_types))
    row.states, row.channels = sorted(set(given.states)), sorted(set(given.channels))
    row.words = folded(" ".join([code, name, *texts.values()]))
    if not wrong.errors and _taken(row):
        wrong.add("code", _("There is already an answer with this short name."))
    wrong.raise_any()
    return texts


def _languages(texts: Mapping[str, str], wrong: Wrong) -> list[str]:
    """The languages of the texts in the order of the house; what is none of them is wrong."""
    known = [code for code, _name in settings.LANGUAGES]
    for language in texts:
        if language not in known:
            told = _("There is no language “%(name)s”. There are: %(names)s.")
            wrong.add("texts", told % {"name": language, "names": ", ".join(known)})
    return [language for language in known if language in texts]


def _check_text(where: str, text: str, known: Mapping[str, Text], wrong: Wrong) -> None:
    if len(text) > LONGEST_TEXT:
        wrong.add(where, _("Write from 1 to %(limit)s characters.") % {"limit": LONGEST_TEXT})
    for hole in holes(text):
        if hole.name not in known:
            told = _(
                "Line %(line)s, sign %(sign)s: nothing is known by the name “%(name)s”."
                " There are: %(names)s."
            )
            names = ", ".join(sorted(known))
            said = {"line": hole.line, "sign": hole.sign, "name": hole.name, "names": names}
            wrong.add(where, told % said)


def _taken(row: CannedAnswer) -> bool:
    rows = CannedAnswer.objects.unscoped("a short name once in its place")
    same = rows.filter(
        organisation=row.organisation_id, owner=row.owner_id, unit=row.unit, code=row.code
    )
    return same.exclude(status=CannedAnswer.Status.RETIRED).exclude(pk=row.pk).exists()


def _save(row: CannedAnswer) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # somebody took the short name in this very moment
        text = _("There is already an answer with this short name.")
        raise Invalid(errors={"code": [text]}) from None


def _write(actor: Actor, row: CannedAnswer, texts: Mapping[str, str]) -> None:
    """These words are the draft, unless they are those of the newest version already."""
    newest = row.versions.order_by("-number").first()
    if newest is not None and newest.texts == texts:
        return
    if newest is not None and newest.status == AnswerVersion.Status.DRAFT:
        newest.texts, newest.author_name = dict(texts), actor.name[:200]
        newest.save(update_fields=["texts", "author_name", "updated_at"])
        return
    AnswerVersion.objects.create(
        answer=row,
        number=newest.number + 1 if newest else 1,
        texts=dict(texts),
        author_name=actor.name[:200],
    )


def _publish(actor: Actor, row: CannedAnswer) -> int:
    draft = row.versions.filter(status=AnswerVersion.Status.DRAFT).first()
    if draft is not None:
        for before in row.versions.filter(status=AnswerVersion.Status.PUBLISHED):
            before.status = AnswerVersion.Status.SUPERSEDED
            before.save(update_fields=["status", "updated_at"])
        draft.status = AnswerVersion.Status.PUBLISHED
        draft.published_at, draft.published_by_name = moment(), actor.name[:200]
        draft.save(update_fields=["status", "published_at", "published_by_name", "updated_at"])
    row.status = CannedAnswer.Status.PUBLISHED
    row.version += 1
    row.save(update_fields=["status", "version", "updated_at"])
    return draft.number if draft else 0

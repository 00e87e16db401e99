"""Every address of the house: what its ids are, and who may come without a right."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from crm.kit.api import ActorAPIView

API = "api/v1/"
_CONVERTER = re.compile(r"<(\w+:)?(?P<name>\w+)>")
_GROUP = re.compile(r"\(\?P<(?P<name>\w+)>[^)]*\)")
ADMIN = "admin/"


@dataclass(frozen=True)
class Door:
    """One address: its name (its pattern where it has none) and the view behind it."""

    name: str
    pattern: str
    view: Any
    names: tuple[str, ...]  # of the ids in it

    @property
    def api(self) -> type[ActorAPIView] | None:
        """The view's class when it is one of the API's."""
        found = getattr(self.view, "view_class", None)
        return found if isinstance(found, type) and issubclass(found, ActorAPIView) else None

    @property
    def guarded(self) -> bool:
        """Whether `needs` or ActorAPIView stands before it."""
        return self.api is not None or hasattr(self.view, "permission")

    def permission(self, method: str) -> str | None:
        """What a caller must hold to come in by this method; None: nothing."""
        if self.api is not None:
            return self.api.operations[method].needs
        permission: str | None = self.view.permission
        return permission

    def address(self, ids: Mapping[str, str]) -> str:
        """The address with these ids."""
        path = _GROUP.sub(lambda found: str(ids[found["name"]]), self.pattern)
        path = _CONVERTER.sub(lambda found: str(ids[found["name"]]), path)
        return f"/{path.lstrip('^').rstrip('$')}"


@dataclass(frozen=True)
class Guarded:
    """An address that `needs` or ActorAPIView guards.

    `ids` says for each id in the address what it is (an attribute of a Side, or the word itself);
    `post` and `query` are what makes the act be done, `silent` why looking leaves no entry of the
    object.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    post: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    silent: str = ""


@dataclass(frozen=True)
class Own:
    """An address of allauth or of the door that leads whoever is not signed in to sign in."""

    reason: str
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Public:
    """An address for anybody, with the reason why."""

    reason: str
    ids: Mapping[str, str] = field(default_factory=dict)


@cache
def doors() -> tuple[Door, ...]:
    """Every address of crm.urls but the back office's, which test_back_office walks."""
    return tuple(door for door in _walk(get_resolver()) if not door.pattern.startswith(ADMIN))


def _walk(resolver: URLResolver, before: str = "", space: str = "") -> Iterator[Door]:
    for one in resolver.url_patterns:
        pattern = before + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _walk(one, pattern, inner)
        else:
            assert isinstance(one, URLPattern)
            nameless = pattern.startswith(API) or not one.name
            name = pattern if nameless else space + str(one.name)
            ids = _ids(pattern)
            yield Door(name, pattern, one.callback, ids)


def _ids(pattern: str) -> tuple[str, ...]:
    return tuple(found["name"] for found in _CONVERTER.finditer(pattern))


_CASE = {"case": "case.uuid"}
_TYPE = {"code": "case_type.code"}
_MIGRATION = {"code": "drafted.code", "migration": "migration.uuid"}
_API_CASE = {"case_id": "case.uuid"}
_DRAFT = {"draft": "draft.uuid"}
_API_DRAFT = {"draft_id": "api_draft.uuid"}
_API_ANSWER = {"answer_id": "answer.uuid"}
_API_MACRO = {**_API_CASE, "macro_id": "macro.uuid"}
_TASK = {"task": "task.uuid"}
_REVIEW = {"task": "done_task.uuid"}
_API_TASK = {"task_id": "task.uuid"}
_TRANSFER = {"transfer": "transfer.uuid"}
_CONSULTATION = {"consultation": "consultation.uuid"}
_CITIZEN = {"citizen": "citizen.uuid"}
_API_CITIZEN = {"citizen_id": "citizen.uuid"}
_MANDATE = {**_CITIZEN, "mandate": "mandate.uuid"}
_UNCHECKED = {**_CITIZEN, "mandate": "unchecked.uuid"}
_API_MANDATE = {"mandate_id": "mandate.uuid"}
_TERMS = {
    "scope": "general",
    "acts": "inform",
    "granted_on": "2026-01-02",
    "valid_until": "2027-01-02",
}
_LOAD = {"load": "load.uuid"}
_ACTION = {"action": "action.uuid"}
_API_BULK = {"bulk_id": "api_action.uuid"}
_VIEW = {"view": "view.uuid"}
_API_VIEW = {"view_id": "view.uuid"}
_HISTORY = {"history": "history.uuid"}
_BATCH = {"batch": "batch.uuid"}
_EXPORT = {"export": "export.uuid"}
_PERSON = {"user_id": "employee.uuid"}
_UNIT = {"unit_id": "unit.uuid"}
_CALENDAR = {"calendar_id": "calendar.uuid"}
_CONNECTION = {"connection": "connection.uuid"}
_SUBSCRIPTION = {"subscription": "subscription.uuid"}
_SETUP = "how a system is set up, and no person's data but what its scope lets leave"
_MAPPED = {
    "authentication": "none",
    "fields_shown": "Tipo = tipo",
    "seconds": "1",
    "retries": "0",
    "cache_seconds": "0",
    "keep_hours": "0",
}
_OPEN311 = {"code": "organisation.code"}
_MAIL = {"conversation": "mail_thread.uuid"}
_APART = {"mail": "mail_apart.uuid"}
_OFFICE = "an office, nobody's data"
_APPOINTMENT = {"appointment": "appointment.uuid"}
_API_TALK = {"interaction_id": "conversation.uuid"}
_API_APPOINTMENT = {"appointment_id": "appointment.uuid"}
_PUBLIC_CITA = {"code": "organisation.code"}
_PLACE = {**_PUBLIC_CITA, "service": "service.code", "office": "office.code"}
_OWN_CITA = "one's own appointment, opened by reference and code in this browser"
_AGENDA = "what can be booked, nobody's data"
_TEXT = {"text": "Palabras"}
_REASON = {"reason": "Motivo bastante largo"}
_PART = "a part of the case's page, whose opening is the look"
_PART_OF_TALK = "a part of the conversation's page, whose opening is the look"
_TALK = {"conversation": "conversation.uuid"}
_OFFER = {"offer": "offer.uuid"}
_FILE = {"attachment": "attachment.uuid"}
_KEY = {"key": "account.public_key"}
_SET_UP = "a set-up, nobody's data"

_QUESTION = "a question, nobody's data"
_ARTICLE = {"article": "article.uuid"}
_ANSWER = {"answer": "answer.uuid"}
_MACRO = {"macro": "macro.uuid"}
_SIDE = {"organisation": "organisation.code"}
_DEFINITION = "a definition, nobody's data"
_WINDOW = "the organisation's public pages"

_NEWS = {"news": "news.uuid"}
_OWN_NEWS = "one's own news, led to what they are about"
_CAMPAIGN = {"campaign": "campaign.uuid"}
_MESSAGE = "a message to many, nobody's data"
_CONDITIONS = "conditions, nobody's data"
_NEW_CAMPAIGN = {
    "name": "Campaña",
    "topic": "topic.uuid",
    "segment": "segment.uuid",
    "template": "template.uuid",
    "send_at": "2031-01-01T10:00",
    "send_not_after": "2031-01-02T10:00",
    "max_error_rate": "10",
}

ENTRIES: dict[str, Guarded | Own | Public] = {
    # --- crm.notices ---
    "notices:list": Guarded(),
    "notices:bell": Guarded(),
    "notices:count": Guarded(),
    "notices:read_all": Guarded(),
    "notices:choices": Guarded(post={"daily_at": "08:00", "mail-mentioned": "now"}),
    "notices:open": Guarded(_NEWS, silent=_OWN_NEWS),
    "notices:read": Guarded(_NEWS, silent=_OWN_NEWS),
    "api/v1/notifications/": Guarded(),
    "api/v1/notifications/read/": Guarded(),
    "api/v1/notifications/choices/": Guarded(),
    "api/v1/notifications/<uuid:news_id>/read/": Guarded(
        {"news_id": "news.uuid"}, silent=_OWN_NEWS
    ),
    # --- cases ---
    "cases:home": Guarded(),
    "cases:list": Guarded(),
    "cases:counters": Guarded(),
    "cases:filters": Guarded(),
    "cases:query_offers": Guarded(),
    "cases:query_guide": Guarded(),
    "cases:columns": Guarded(post={"column": "state"}),
    "cases:views": Guarded(),
    "cases:view_new": Guarded(
        post={
            "name": "Otra",
            "expression": "state:open",
            "audience": "own",
            "icon": "star",
        }
    ),
    "cases:view_board": Guarded(),
    "cases:view_edit": Guarded(
        _VIEW,
        post={
            "name": "Otra",
            "expression": "state:open",
            "audience": "own",
            "icon": "star",
        },
        silent=_QUESTION,
    ),
    "cases:view_copy": Guarded(_VIEW, silent=_QUESTION),
    "cases:view_delete": Guarded(_VIEW),
    "cases:view_arrange": Guarded(_VIEW, post={"do": "pin"}, silent=_QUESTION),
    "cases:new": Guarded(
        post={
            "case_type": "case_type.code",
            "unit": "unit.uuid",
            "subject": "Asunto",
            "channel": "phone",
            "priority": "1",
            "language": "es",
            "confidentiality": "1",
        }
    ),
    "cases:find_citizen": Guarded(),
    "cases:who_asks": Guarded(),
    "cases:bulk_prepare": Guarded(post={"action": "assign", "case": "case.uuid"}),
    "cases:bulk": Guarded(_ACTION, silent="names no citizen and no case's content"),
    "cases:bulk_list": Guarded(),
    "cases:bulk_start": Guarded(_ACTION),
    "cases:bulk_cancel": Guarded(_ACTION),
    "cases:bulk_undo": Guarded(_ACTION),
    "cases:bulk_progress": Guarded(_ACTION, silent="figures only"),
    "cases:bulk_refusals": Guarded(_ACTION),
    "cases:detail": Guarded(_CASE),
    "cases:story": Guarded(_CASE, silent=_PART),
    "cases:record": Guarded(_CASE, silent=_PART),
    "cases:edit": Guarded(_CASE, post={"subject": "Otro"}, silent=_PART),
    "cases:move": Guarded({**_CASE, "move": "start"}, silent=_PART),
    "cases:take": Guarded(_CASE),
    "cases:release": Guarded(_CASE),
    "cases:assign": Guarded(_CASE, post={"person": "employee.uuid"}),
    "cases:deal": Guarded(_CASE),
    "cases:take_next": Guarded(),
    "cases:distribution": Guarded(),
    "cases:set_rule": Guarded(post={"method": "manual", "weight": "1", "unit": "unit.uuid"}),
    "cases:drop_rule": Guarded({"rule": "rule.uuid"}),
    "cases:work_profile": Guarded({"person": "employee.uuid"}, silent="an employee, not a citizen"),
    "cases:unit": Guarded(_CASE, post={"unit": "other_unit.uuid", **_REASON}),
    "cases:confidentiality": Guarded(_CASE, post={"level": "2", **_REASON}),
    "cases:freeze": Guarded(post={"case": "case.uuid", "shown": "shown.here"}),
    "cases:frozen_list": Guarded(_CASE, silent=_PART),
    "cases:frozen": Guarded({**_CASE, "answer": "frozen.uuid"}),
    "cases:clock": Guarded(_CASE, silent=_PART),
    "cases:letter": Guarded(_CASE, silent=_PART),
    "cases:papers": Guarded(_CASE, post={"papers": "DNI", "term": "10wd"}, silent=_PART),
    "cases:papers_end": Guarded(_CASE, post={"end": "withdrawn"}),
    "cases:targets": Guarded(_CASE, silent=_PART),
    "cases:danger": Guarded(),
    "cases:clock_suspend": Guarded(_CASE, post={"ground": "22.1.b", **_REASON}),
    "cases:clock_resume": Guarded(_CASE, post=_REASON),
    "cases:clock_extend": Guarded(_CASE, post={"ground": "23", "count": "5", **_REASON}),
    "cases:case_tasks": Guarded(_CASE, silent=_PART),
    "cases:new_task": Guarded(_CASE, post={"title": "Llamar"}, silent=_PART),
    "cases:tick_paper": Guarded(
        {**_CASE, "paper": "paper.uuid"}, post={"state": "held", **_REASON}
    ),
    "cases:my_tasks": Guarded(),
    "cases:task": Guarded(_TASK, silent=_PART),
    "cases:edit_task": Guarded(_TASK, post={"title": "Otra"}, silent=_PART),
    "cases:take_task": Guarded(_TASK),
    "cases:finish_task": Guarded(_TASK),
    "cases:reopen_task": Guarded(_TASK, post=_REASON),
    "cases:cancel_task": Guarded(_TASK, post=_REASON),
    "cases:approve_task": Guarded(_REVIEW),
    "cases:reject_task": Guarded(_REVIEW, post=_REASON),
    "cases:transfer_new": Guarded(
        _CASE,
        post={"unit": "other_unit.uuid", "term": "3wd", "comment": "Motivo"},
        silent=_PART,
    ),
    "cases:consultation_new": Guarded(
        _CASE, post={"unit": "other_unit.uuid", "term": "3wd", **_TEXT}, silent=_PART
    ),
    "cases:custody": Guarded(_CASE, silent=_PART),
    "cases:transfers": Guarded(),
    "cases:transfer": Guarded(_TRANSFER),
    "cases:transfer_act": Guarded({**_TRANSFER, "act": "retirar"}),
    "cases:transfer_document": Guarded({**_TRANSFER, "document": "document.uuid"}),
    "cases:consultation": Guarded(_CONSULTATION),
    "cases:consultation_act": Guarded({**_CONSULTATION, "act": "retirar"}),
    "cases:consultation_document": Guarded({**_CONSULTATION, "document": "document.uuid"}),
    "cases:note": Guarded(_CASE, post=_TEXT),
    "cases:drafts": Guarded(),
    "cases:drafts_on_case": Guarded(_CASE, silent=_PART),
    "cases:draft_save": Guarded({**_CASE, "kind": "note"}, post=_TEXT),
    "cases:draft_share": Guarded(_DRAFT),
    "cases:draft_take": Guarded({"draft": "shared_draft.uuid"}),
    "cases:draft_bring": Guarded(_DRAFT),
    "cases:draft_discard": Guarded(_DRAFT),
    "cases:draft_restore": Guarded({"draft": "gone_draft.uuid"}),
    "cases:mentions": Guarded(_CASE, silent=_PART),
    "cases:follow": Guarded(_CASE),
    "cases:unfollow": Guarded(_CASE),
    "cases:followers": Guarded(_CASE, silent=_PART),
    "cases:message": Guarded(_CASE, post=_TEXT),
    "cases:said": Guarded(_CASE, post={**_TEXT, "channel": "phone"}),
    "cases:resend": Guarded({**_CASE, "message": "message.uuid"}),
    "cases:upload": Guarded(_CASE, post={"file": "a file"}),
    "cases:document": Guarded({**_CASE, "document": "document.uuid"}),
    "cases:preview": Guarded({**_CASE, "document": "document.uuid"}),
    "cases:withdraw": Guarded({**_CASE, "document": "document.uuid"}, post=_REASON),
    "cases:add_participant": Guarded(_CASE, post={"citizen": "citizen.uuid", "role": "other"}),
    "cases:end_participant": Guarded({**_CASE, "participant": "participant.uuid"}),
    "cases:merge": Guarded(
        _CASE, post={"reference": "twin_case.reference", "stays": "this", "reason": "Motivo"}
    ),
    "cases:split": Guarded(
        _CASE, post={"subject": "Parte", "reason": "Motivo", "notes": "note.uuid"}
    ),
    "cases:unmerge": Guarded({"merge": "case_merge.uuid"}, post=_REASON),
    "cases:link": Guarded(_CASE, post={"reference": "other_case.reference"}),
    "cases:unlink": Guarded({**_CASE, "link": "link.uuid"}),
    "cases:imports": Guarded(),
    "cases:import_new": Guarded(post={"file": "a file"}),
    "cases:import": Guarded(_LOAD, silent="how far it is; its rows are not shown"),
    "cases:import_columns": Guarded(
        _LOAD, silent="the file that the organisation itself brings in"
    ),
    "cases:import_start": Guarded(_LOAD),
    "cases:import_cancel": Guarded(_LOAD),
    "cases:import_problems": Guarded(_LOAD),
    "cases:import_mapping": Guarded(_LOAD),
    "cases:types": Guarded(),
    "cases:new_type": Guarded(),
    "cases:procedures": Guarded(),
    "cases:new_procedure": Guarded(),
    "cases:procedure": Guarded({"code": "procedure.code"}, silent=_DEFINITION),
    "cases:publish_procedure": Guarded({"code": "procedure.code"}),
    "cases:retire_procedure": Guarded({"code": "procedure.code"}),
    "cases:articles": Guarded(),
    "cases:new_article": Guarded(),
    "cases:article": Guarded(_ARTICLE, silent=_DEFINITION),
    "cases:publish_article": Guarded(_ARTICLE),
    "cases:answers": Guarded(),
    "cases:new_answer": Guarded(
        post={"name": "Otra", "code": "otra", "audience": "organisation", "text_es": "Hola"}
    ),
    "cases:answer_preview": Guarded(silent=_DEFINITION),
    "cases:answer": Guarded(_ANSWER, silent=_DEFINITION),
    "cases:publish_answer": Guarded(_ANSWER, silent=_DEFINITION),
    "cases:retire_answer": Guarded(_ANSWER),
    "cases:answer_file": Guarded(_ANSWER, silent=_DEFINITION),
    "cases:remove_answer_file": Guarded(
        {**_ANSWER, "file": "answer_file.uuid"}, silent=_DEFINITION
    ),
    "cases:offered_answers": Guarded(_CASE, silent=_PART),
    "cases:case_macros": Guarded(_CASE, silent=_PART),
    "cases:run_macro": Guarded({**_CASE, **_MACRO}, silent=_PART),
    "cases:macros": Guarded(),
    "cases:new_macro": Guarded(
        post={
            "name": "Otra",
            "audience": "organisation",
            "act": "note",
            "s1.body": "Visto",
            "do": "save",
        }
    ),
    "cases:macro": Guarded(_MACRO, silent=_DEFINITION),
    "cases:retire_macro": Guarded(_MACRO),
    "cases:macro_key": Guarded(_MACRO, silent=_DEFINITION),
    "cases:retire_article": Guarded(_ARTICLE),
    "cases:review_article": Guarded(_ARTICLE),
    "cases:applicant": Guarded({"case": "filed.uuid"}),
    "cases:window_index": Public(_WINDOW, _SIDE),
    "cases:window_procedure": Public(_WINDOW, {**_SIDE, "code": "procedure.code"}),
    "cases:window_apply": Public(_WINDOW, {**_SIDE, "code": "procedure.code"}),
    "cases:window_article": Public(_WINDOW, {**_SIDE, "code": "article.code"}),
    "cases:window_follow": Public("one answer for any number of a case", _SIDE),
    "cases:window_receipt": Public("404 to all but who filed it", {**_SIDE, **_CASE}),
    "cases:window_case": Public("404 to all but who gave its code", {**_SIDE, **_CASE}),
    "cases:window_leave": Public("ends what this browser may see", _SIDE),
    "cases:type": Guarded(_TYPE, silent=_DEFINITION),
    "cases:studio_retire": Guarded(_TYPE),
    "cases:studio_general": Guarded(
        _TYPE, {"name": "Otro nombre", "nature": "enquiry"}, silent=_DEFINITION
    ),
    "cases:studio_clocks": Guarded(_TYPE, {"count": "3", "counted_in": "m"}, silent=_DEFINITION),
    "cases:studio_keeping": Guarded(
        _TYPE, {"confidentiality": "special", "counted_in": "y"}, silent=_DEFINITION
    ),
    "cases:studio_preview": Guarded(_TYPE, silent=_DEFINITION),
    "cases:studio_preview_public": Guarded(_TYPE, silent=_DEFINITION),
    "cases:studio_publish": Guarded(_TYPE, silent=_DEFINITION),
    "cases:studio_discard": Guarded(_TYPE),
    "cases:studio_versions": Guarded(_TYPE, silent=_DEFINITION),
    "cases:studio_export": Guarded(_TYPE),
    "cases:studio_migrations": Guarded(_TYPE, silent=_DEFINITION),
    "cases:studio_migrate": Guarded(
        {"code": "drafted.code", "source": "2", "target": "1"}, silent=_DEFINITION
    ),
    "cases:studio_migration": Guarded(_MIGRATION, silent=_DEFINITION),
    "cases:studio_progress": Guarded(_MIGRATION, silent="figures only"),
    "cases:studio_refusals": Guarded(_MIGRATION),
    "cases:import_type": Guarded(post={"text": "no type"}),
    "cases:studio_list": Guarded(
        {**_TYPE, "lot": "estados"}, {"first_state": "in_progress"}, silent=_DEFINITION
    ),
    "cases:studio_item": Guarded(
        {**_TYPE, "lot": "estados", "key": "new"},
        {"name": "Recibida", "category": "new"},
        silent=_DEFINITION,
    ),
    "cases:studio_order": Guarded({**_TYPE, "lot": "estados", "key": "new"}, {"to": "down"}),
    "cases:studio_remove": Guarded({**_TYPE, "lot": "estados", "key": "new"}),
    "cases:open311": Guarded(),
    "cases:new_open311_service": Guarded(),
    "cases:open311_service": Guarded(
        {"service": "open311.uuid"}, silent="what is offered, nobody's data"
    ),
    # --- Open311 ---
    **{
        f"open311:{name}_{form}": Public(
            "GeoReport v2: what can be and was reported is public", ids
        )
        for form in ("json", "xml")
        for name, ids in {
            "discovery": _OPEN311,
            "services": _OPEN311,
            "definition": {**_OPEN311, "service_code": "open311.code"},
            "requests": _OPEN311,
            "token": {**_OPEN311, "token": "case.uuid"},
            "request": {**_OPEN311, "number": "case.reference"},
        }.items()
    },
    "open311:media": Public(
        "public pictures of public reports", {**_OPEN311, "document": "document.uuid"}
    ),
    # --- citizens ---
    "citizens:list": Guarded(),
    "citizens:new": Guarded(),
    "citizens:duplicates": Guarded(),
    "citizens:look_for_duplicates": Guarded(),
    "citizens:different": Guarded(
        {"pair": "pair.uuid"}, silent="names of two, in the search entry"
    ),
    "citizens:merge_choose": Guarded(_CITIZEN, silent="two entries: the person and the proposals"),
    "citizens:merge": Guarded(
        {**_CITIZEN, "other": "twin.uuid"}, post=_REASON, silent="two entries: one of each person"
    ),
    "citizens:unmerge": Guarded({"merge": "merge.uuid"}, post=_REASON),
    "citizens:detail": Guarded(_CITIZEN),
    "citizens:timeline": Guarded(_CITIZEN),
    "citizens:more": Guarded(_CITIZEN),
    "citizens:new_relation": Guarded(
        _CITIZEN, post={"citizen": "twin.uuid", "kind": "sibling", "source": "declared"}
    ),
    "citizens:end_relation": Guarded({**_CITIZEN, "relation": "relation.uuid"}, post=_REASON),
    "citizens:systems": Guarded(_CITIZEN),
    "citizens:looks": Guarded(_CITIZEN),
    "citizens:looks_named": Guarded(_CITIZEN),
    "citizens:looks_export": Guarded(_CITIZEN),
    "citizens:system": Guarded({**_CITIZEN, **_CONNECTION}),
    "citizens:state_reason": Guarded(_CITIZEN, post={"reason": "Motivo", "next": "/"}),
    "citizens:names": Guarded(_CITIZEN),
    "citizens:wishes": Guarded(_CITIZEN),
    "citizens:protection": Guarded(_CITIZEN, post=_REASON),
    "citizens:add_identifier": Guarded(_CITIZEN),
    "citizens:reveal": Guarded({**_CITIZEN, "identifier": "identifier.uuid"}),
    "citizens:validity": Guarded({**_CITIZEN, "identifier": "identifier.uuid"}),
    "citizens:verify_identifier": Guarded({**_CITIZEN, "identifier": "identifier.uuid"}),
    "citizens:withdraw_identifier": Guarded(
        {**_CITIZEN, "identifier": "identifier.uuid"}, post=_REASON
    ),
    "citizens:add_contact_point": Guarded(_CITIZEN),
    "citizens:change_contact_point": Guarded({**_CITIZEN, "point": "point.uuid"}),
    "citizens:verify_contact_point": Guarded({**_CITIZEN, "point": "point.uuid"}),
    "citizens:end_contact_point": Guarded({**_CITIZEN, "point": "point.uuid"}),
    "citizens:mandates": Guarded(_CITIZEN),
    "citizens:relations": Guarded(_CITIZEN),
    "citizens:new_mandate": Guarded(
        _CITIZEN, post={**_TERMS, "citizen": "holder.uuid", "proof": "public_deed"}
    ),
    "citizens:many_mandates": Guarded(
        _CITIZEN, post={**_TERMS, "proof": "public_deed", "file": "a file"}
    ),
    "citizens:refused_mandates": Guarded(_CITIZEN),
    "citizens:mandate": Guarded(_MANDATE),
    "citizens:verify_mandate": Guarded(_UNCHECKED, post={"assurance": "1"}),
    "citizens:end_mandate": Guarded(_MANDATE, post={**_REASON, "how": "revoked"}),
    "citizens:extend_mandate": Guarded(_MANDATE),
    "citizens:add_mandate_paper": Guarded(_MANDATE, post={"paper": "a file"}),
    "citizens:mandate_paper": Guarded({**_MANDATE, "paper": "mandate_paper.uuid"}),
    "citizens:professional": Guarded(_CITIZEN, post={"number": "98765"}),
    "citizens:end_professional": Guarded({"citizen": "holder.uuid"}, post=_REASON),
    "citizens:attend": Guarded(_CITIZEN, post={"holder": "holder.uuid"}),
    "citizens:stop_attending": Guarded(_CITIZEN),
    # --- e-mail ---
    "mail:list": Guarded(),
    "mail:thread": Guarded(_MAIL),
    "mail:parts": Guarded(_MAIL, silent="a part of the thread's page, whose opening is the look"),
    "mail:html": Guarded(
        {**_MAIL, "number": "1"},
        silent="a part of the thread's page, whose opening is the look",
    ),
    "mail:again": Guarded({**_MAIL, "number": "2"}),
    "mail:take": Guarded(_MAIL),
    "mail:release": Guarded(_MAIL),
    "mail:close": Guarded(_MAIL),
    "mail:spam": Guarded(_MAIL),
    "mail:answer": Guarded(_MAIL, post=_TEXT),
    "mail:note": Guarded(_MAIL, post=_TEXT),
    "mail:identify": Guarded(_MAIL, post={"citizen": "citizen.uuid"}),
    "mail:link": Guarded(_MAIL, post={"reference": "other_case.reference"}),
    "mail:upload": Guarded(_MAIL, post={"file": "a file"}),
    "mail:file": Guarded({**_MAIL, "attachment": "mail_file.uuid"}),
    "mail:detach": Guarded({**_MAIL, "attachment": "mail_file.uuid"}),
    "mail:apart": Guarded(_APART),
    "mail:source": Guarded(_APART),
    "mail:accept": Guarded(_APART),
    "mail:reject": Guarded(_APART),
    "mail:accounts": Guarded(),
    "mail:new_account": Guarded(),
    "mail:account": Guarded({"account": "mail_account.uuid"}, silent="a set-up, nobody's data"),
    "mail:try_account": Guarded({"account": "mail_account.uuid"}),
    "mail:simulator": Public("a citizen's side for demos; answers 404 where it is not switched on"),
    # --- organisations ---
    "organisations:accent": Public(
        "an organisation's colour, on its public pages too", {"code": "organisation.code"}
    ),
    "organisations:logo": Public(
        "an organisation's logo, on its public pages too", {"code": "organisation.code"}
    ),
    "organisations:preview_css": Public("a colour as a style sheet", {"colour": "0b5a6b"}),
    "organisations:settings": Guarded(),
    "organisations:options": Guarded(),
    "organisations:set_logo": Guarded(post={"file": "a file"}),
    "organisations:preview": Guarded(),
    "organisations:units": Guarded(),
    "organisations:unit": Guarded(_UNIT, silent=_OFFICE),
    "organisations:new_unit": Guarded(_UNIT, silent=_OFFICE),
    "organisations:move_unit": Guarded(_UNIT, post={"target": "other_unit.uuid"}),
    "organisations:merge_unit": Guarded(_UNIT, post={"target": "other_unit.uuid"}),
    "organisations:close_unit": Guarded(_UNIT),
    "organisations:calendars": Guarded(),
    "organisations:new_calendar": Guarded(),
    "organisations:calendar": Guarded(_CALENDAR, silent=_OFFICE),
    "organisations:rename_calendar": Guarded(_CALENDAR, post={"name": "Otro"}),
    "organisations:holiday": Guarded(_CALENDAR, post={"day": "2026-12-24", "name": "Fiesta"}),
    "organisations:remove_holiday": Guarded(_CALENDAR, post={"day": "2026-12-24"}),
    "organisations:week": Guarded(_CALENDAR),
    "organisations:date_hours": Guarded(_CALENDAR, post={"day": "2026-12-24"}),
    "organisations:remove_date_hours": Guarded(_CALENDAR, post={"day": "2026-12-24"}),
    "organisations:agreements": Guarded(),
    "organisations:new_agreement": Guarded(),
    "organisations:revoke_agreement": Guarded({"agreement_id": "agreement.uuid"}),
    # --- accounts ---
    "accounts:lock": Own("leads out of nothing but one's own lock"),
    "accounts:second_factor": Own("before there is an actor"),
    "accounts:accept": Public("the invitation's token is the key", {"token": "no-such-token"}),
    "accounts:profile": Guarded(),
    "accounts:end_other_sessions": Guarded(),
    "accounts:end_session": Guarded({"session_id": "session.uuid"}),
    "accounts:preferences": Guarded(post={"theme": "dark"}),
    "accounts:switch": Guarded(post={"organisation": "organisation.code"}),
    "accounts:awake": Guarded(),
    "accounts:people": Guarded(),
    "accounts:invite": Guarded(),
    "accounts:person": Guarded(_PERSON, silent="an employee, not a citizen"),
    "accounts:absences": Guarded(_PERSON, silent="an employee, not a citizen"),
    "accounts:end_absence": Guarded({"absence_id": "absence.uuid"}),
    "accounts:move": Guarded(_PERSON, post={"unit": "unit.pk"}),
    "accounts:suspend": Guarded(_PERSON, post=_REASON),
    "accounts:give_role": Guarded(_PERSON, post={"role": "role.pk"}),
    "accounts:take_role": Guarded(_PERSON),
    "accounts:act": Guarded({**_PERSON, "verb": "terminar"}),
    "accounts:roles": Guarded(),
    "accounts:role_changes": Guarded(),
    "accounts:role_new": Guarded(),
    "accounts:role": Guarded({"code": "role.code"}, silent="a role, nobody's data"),
    "accounts:why": Guarded(),
    "accounts:clients": Guarded(),
    "accounts:client_revoke": Guarded({"client_id": "client.uuid"}),
    "account_login": Public("the door itself"),
    "account_logout": Public("leads to the door"),
    "mfa_authenticate": Public("the door's second step; without the first it leads back"),
    "mfa_login_webauthn": Public("the door, by passkey"),
    "account_reset_password": Public("for who forgot the password: one answer for any address"),
    "account_reset_password_done": Public("says that a link is on its way if there is an account"),
    "account_reset_password_from_key": Public(
        "the link's key is the key", {"uidb36": "1", "key": "no-such-key"}
    ),
    "account_reset_password_from_key_done": Public("says that the password is changed"),
    "account_reauthenticate": Own("confirms who is signed in"),
    "mfa_reauthenticate": Own("confirms who is signed in"),
    "mfa_reauthenticate_webauthn": Own("confirms who is signed in"),
    "account_change_password": Own("one's own password"),
    "mfa_index": Own("one's own second factors"),
    "mfa_activate_totp": Own("one's own second factors"),
    "mfa_deactivate_totp": Own("one's own second factors"),
    "mfa_view_recovery_codes": Own("one's own second factors"),
    "mfa_generate_recovery_codes": Own("one's own second factors"),
    "mfa_list_webauthn": Own("one's own second factors"),
    "mfa_add_webauthn": Own("one's own second factors"),
    "mfa_remove_webauthn": Own("one's own second factors", {"pk": "1"}),
    # --- integrations ---
    "integrations:connections": Guarded(),
    "integrations:new_connection": Guarded(
        post={
            **_MAPPED,
            "name": "Otro",
            "base_url": "https://example.org",
            "path": "/{number}",
            "legal_basis": "Ley 39/2015, art. 28.2",
        }
    ),
    "integrations:connection": Guarded(_CONNECTION, silent=_SETUP),
    "integrations:calls": Guarded(_CONNECTION, silent=_SETUP),
    "integrations:try_connection": Guarded(_CONNECTION, post={"number": "99000001H"}),
    "integrations:remove_connection": Guarded(_CONNECTION),
    "integrations:subscriptions": Guarded(),
    "integrations:new_subscription": Guarded(
        post={
            "name": "Otro",
            "url": "https://example.org/",
            "topics": "cases.moved",
            "scope": "identifiers",
        }
    ),
    "integrations:subscription": Guarded(_SUBSCRIPTION, silent=_SETUP),
    "integrations:deliveries": Guarded(_SUBSCRIPTION, silent=_SETUP),
    "integrations:rotate_secret": Guarded(_SUBSCRIPTION),
    "integrations:test_subscription": Guarded(_SUBSCRIPTION),
    "integrations:stop_subscription": Guarded(_SUBSCRIPTION),
    "integrations:start_subscription": Guarded(_SUBSCRIPTION),
    "integrations:remove_subscription": Guarded(_SUBSCRIPTION),
    "integrations:replay_all": Guarded(_SUBSCRIPTION),
    "integrations:replay": Guarded({**_SUBSCRIPTION, "delivery": "delivery.uuid"}),
    # --- audit ---
    "audit:trail": Guarded(),
    "audit:export": Guarded(),
    "audit:chain": Guarded(),
    "audit:verify": Guarded(),
    "audit:entry": Guarded({"number": "entry.pk"}),
    # --- campaigns ---
    "campaigns:list": Guarded(),
    "campaigns:new": Guarded(post=_NEW_CAMPAIGN),
    "campaigns:detail": Guarded(_CAMPAIGN, silent=_MESSAGE),
    "campaigns:progress": Guarded(_CAMPAIGN, silent="figures only"),
    "campaigns:edit": Guarded(_CAMPAIGN, post=_NEW_CAMPAIGN, silent=_MESSAGE),
    "campaigns:preview": Guarded(_CAMPAIGN),
    "campaigns:test": Guarded(_CAMPAIGN, post={"language": "es"}),
    "campaigns:submit": Guarded(_CAMPAIGN),
    "campaigns:withdraw": Guarded(_CAMPAIGN),
    "campaigns:approve": Guarded(_CAMPAIGN),
    "campaigns:return": Guarded(_CAMPAIGN, post=_REASON),
    "campaigns:pause": Guarded(_CAMPAIGN),
    "campaigns:resume": Guarded(_CAMPAIGN),
    "campaigns:stop": Guarded(_CAMPAIGN),
    "campaigns:export": Guarded(_CAMPAIGN),
    "campaigns:segments": Guarded(),
    "campaigns:segment_new": Guarded(post={"name": "Nuevo", "k.0": "all"}),
    "campaigns:builder": Guarded(post={"k.0": "all", "act": "add:0"}),
    "campaigns:segment": Guarded(
        {"segment": "segment.uuid"}, post={"name": "Otro", "k.0": "all"}, silent=_CONDITIONS
    ),
    "campaigns:segment_archive": Guarded({"segment": "segment.uuid"}),
    "campaigns:templates": Guarded(),
    "campaigns:template_new": Guarded(
        post={"name": "Nueva", "subject-es": "Asunto", "body-es": "Hola"}
    ),
    "campaigns:template": Guarded(
        {"template": "template.uuid"},
        post={"name": "Otra", "subject-es": "Asunto", "body-es": "Hola"},
        silent=_MESSAGE,
    ),
    "campaigns:topics": Guarded(post={"name": "Tema", "message_class": "service"}),
    "campaigns:topic_end": Guarded({"topic": "topic.uuid"}),
    "campaigns:allow": Guarded(post={"host": "www.example.org"}),
    "campaigns:forbid": Guarded({"destination": "destination.uuid"}),
    "campaigns:lift": Guarded({"suppression": "suppression.uuid"}),
    "campaigns:unsubscribe": Public("the signed link is the key", {"token": "no-such-token"}),
    "campaigns:preferences": Public("the signed link is the key", {"token": "no-such-token"}),
    "campaigns:follow": Public("whoever has the message may follow its links", {"code": "nosuch"}),
    # --- reporting ---
    "reporting:histories": Guarded(),
    "reporting:batch": Guarded(post={"cases": "case.uuid", "variant": "full"}),
    "reporting:batch_row": Guarded(_BATCH, silent="how far it is"),
    "reporting:download_batch": Guarded(_BATCH),
    "reporting:history": Guarded(_HISTORY, silent="how far it is"),
    "reporting:download": Guarded(_HISTORY),
    "reporting:text": Guarded(_HISTORY, silent="there is none while there is a PDF"),
    "reporting:revoke": Guarded(_HISTORY, post=_REASON, silent="a question before the act"),
    "reporting:of_case": Guarded(_CASE, silent=_PART),
    "reporting:issue": Guarded(_CASE, post={"variant": "full"}),
    "reporting:of_citizen": Guarded(_CITIZEN, silent=_PART),
    "reporting:issue_of_citizen": Guarded(_CITIZEN, post={"variant": "full"}),
    "reporting:board": Guarded(),
    "reporting:filters": Guarded(),
    "reporting:now": Guarded(),
    "reporting:figures": Guarded(),
    "reporting:behind": Guarded(),
    "reporting:ask_export": Guarded(
        post={"subject": "figures", "form": "csv", "purpose": "Memoria anual"}
    ),
    "reporting:exports": Guarded(),
    "reporting:export": Guarded(_EXPORT, silent="how far it is"),
    "reporting:download_export": Guarded(_EXPORT),
    "reporting:verify": Public("whoever holds a document may check it"),
    # --- scheduling ---
    "scheduling:start": Public("what one can have an appointment for", _PUBLIC_CITA),
    "scheduling:where": Public("in which offices", {**_PUBLIC_CITA, "service": "service.code"}),
    "scheduling:times": Public("free times name nobody", _PLACE),
    "scheduling:person": Public("whoever wants an appointment says who they are", _PLACE),
    "scheduling:confirm": Public("the code that was sent is the key", _PUBLIC_CITA),
    "scheduling:resend": Public("to the mailbox of the hold in this browser", _PUBLIC_CITA),
    "scheduling:find": Public("reference and code are the key", _PUBLIC_CITA),
    "scheduling:send_code": Public("one answer for any reference and mailbox", _PUBLIC_CITA),
    "scheduling:mine": Public(_OWN_CITA, _PUBLIC_CITA),
    "scheduling:move_mine": Public(_OWN_CITA, _PUBLIC_CITA),
    "scheduling:cancel_mine": Public(_OWN_CITA, _PUBLIC_CITA),
    "scheduling:calendar": Public(_OWN_CITA, _PUBLIC_CITA),
    "scheduling:day": Guarded(),
    "scheduling:new": Guarded(),
    "scheduling:appointment": Guarded(_APPOINTMENT),
    "scheduling:receipt": Guarded(_APPOINTMENT),
    "scheduling:move": Guarded(_APPOINTMENT, silent="a part of the appointment's page"),
    "scheduling:cancel": Guarded(_APPOINTMENT, silent="a question before the act"),
    "scheduling:check_in": Guarded(_APPOINTMENT),
    "scheduling:begin": Guarded(_APPOINTMENT),
    "scheduling:complete": Guarded(_APPOINTMENT),
    "scheduling:no_show": Guarded(_APPOINTMENT),
    "scheduling:identify": Guarded(_APPOINTMENT, post={"citizen": "citizen.uuid"}),
    "scheduling:setup": Guarded(),
    "scheduling:new_office": Guarded(),
    "scheduling:office": Guarded({"office": "office.uuid"}, silent=_AGENDA),
    "scheduling:new_resource": Guarded({"office": "office.uuid"}, silent=_AGENDA),
    "scheduling:closure": Guarded(
        {"office": "office.uuid"}, post={"first": "2026-12-24", "name": "Cierre"}
    ),
    "scheduling:import_closures": Guarded({"office": "office.uuid"}, post={"file": "a file"}),
    "scheduling:remove_closure": Guarded({"office": "office.uuid", "closure": "closure.uuid"}),
    "scheduling:new_service": Guarded(),
    "scheduling:service": Guarded({"service": "service.uuid"}, silent=_AGENDA),
    "scheduling:resource": Guarded({"resource": "resource.uuid"}, silent=_AGENDA),
    "scheduling:exception": Guarded({"resource": "resource.uuid"}, post={"day": "2026-12-24"}),
    "scheduling:remove_exception": Guarded(
        {"resource": "resource.uuid"}, post={"day": "2026-12-24"}
    ),
    # --- channels_app: the visitor's ---
    "channels_app:widget": Public("the chat's form, in a frame of allowed sites", _KEY),
    "channels_app:widget_script": Public("the script tag of foreign sites", _KEY),
    "channels_app:visitor_begin": Public("anybody may begin a chat, with our own form", _KEY),
    "channels_app:visitor_leave_message": Public("anybody may leave a message", _KEY),
    "channels_app:visitor_state": Public("opens to the visitor's own token"),
    "channels_app:visitor_say": Public("opens to the visitor's own token"),
    "channels_app:visitor_send_file": Public("opens to the visitor's own token"),
    "channels_app:visitor_file": Public("opens to the visitor's own token", _FILE),
    "channels_app:visitor_seen": Public("opens to the visitor's own token"),
    "channels_app:visitor_person": Public("opens to the visitor's own token"),
    "channels_app:visitor_leave": Public("opens to the visitor's own token"),
    "channels_app:visitor_transcript": Public("opens to the visitor's own token"),
    "channels_app:demo_page": Public("a made-up page of another site; not in production"),
    # --- channels_app: the employees' ---
    "channels_app:desk": Guarded(),
    "channels_app:queue": Guarded(),
    "channels_app:presence": Guarded(post={"state": "busy"}),
    "channels_app:beat": Guarded(),
    "channels_app:accept": Guarded(_OFFER),
    "channels_app:decline": Guarded(_OFFER),
    "channels_app:conversation": Guarded(_TALK),
    "channels_app:thread": Guarded(_TALK, silent=_PART_OF_TALK),
    "channels_app:citizen": Guarded(_TALK, silent=_PART_OF_TALK),
    "channels_app:take": Guarded({"conversation": "waiting.uuid"}),
    "channels_app:reply": Guarded(_TALK, post=_TEXT),
    "channels_app:note": Guarded(_TALK, post=_TEXT),
    "channels_app:offered_answers": Guarded(_TALK, silent=_PART_OF_TALK),
    "channels_app:attach": Guarded(_TALK),
    "channels_app:attachment": Guarded({**_TALK, **_FILE}),
    "channels_app:mark_read": Guarded(_TALK),
    "channels_app:types": Guarded(_TALK),
    "channels_app:transfer": Guarded(_TALK, post={"queue": "queue.uuid", "note": "Motivo"}),
    "channels_app:end": Guarded(_TALK),
    "channels_app:close": Guarded(_TALK, post={"code": "wrap_up_code.uuid"}),
    "channels_app:identify": Guarded(_TALK, post={"citizen": "citizen.uuid"}),
    "channels_app:link_case": Guarded(_TALK, post={"reference": "case.reference"}),
    "channels_app:open_case": Guarded(
        _TALK, post={"case_type": "case_type.code", "subject": "Asunto"}
    ),
    "channels_app:wallboard": Guarded(),
    "channels_app:wallboard_now": Guarded(),
    "channels_app:assistant": Guarded(),
    "channels_app:try_assistant": Guarded(),
    "channels_app:supervised": Guarded(
        {"queue": "queue.uuid"}, silent="a list; entering a conversation is the look"
    ),
    "channels_app:reassign": Guarded(_TALK, post={"to": "reassigned.to", "note": "Motivo"}),
    # --- channels_app: the administrators' ---
    "channels_app:setup": Guarded(),
    "channels_app:setup_new_chat": Guarded(),
    "channels_app:setup_chat": Guarded({"account": "account.uuid"}, silent=_SET_UP),
    "channels_app:setup_new_reason": Guarded({"account": "account.uuid"}, silent=_SET_UP),
    "channels_app:setup_reason": Guarded({"reason": "contact_reason.uuid"}, silent=_SET_UP),
    "channels_app:setup_new_queue": Guarded(),
    "channels_app:setup_queue": Guarded({"queue": "queue.uuid"}, silent=_SET_UP),
    "channels_app:setup_new_code": Guarded({"queue": "queue.uuid"}, silent=_SET_UP),
    "channels_app:setup_code": Guarded({"code": "wrap_up_code.uuid"}, silent=_SET_UP),
    "channels_app:setup_add_member": Guarded(
        {"queue": "queue.uuid"}, post={"person": "employee.uuid", "room": "3"}
    ),
    "channels_app:setup_remove_member": Guarded(
        {"queue": "queue.uuid", "agent": "agent_slot.uuid"}
    ),
    "channels_app:setup_new_pause": Guarded(),
    "channels_app:setup_pause": Guarded({"pause": "pause_reason.uuid"}, silent=_SET_UP),
    # --- the roof ---
    "palette": Guarded(),
    "set_language": Public("one's own language, also on public pages"),
    "accessibility": Public("RD 1112/2018: linked from every page"),
    "simulators": Public("leads to the simulators of a demo; answers 404 where there are none"),
    "healthz": Public("for who watches the installation; names nothing"),
    "metrics": Public("answers 404 to others than this machine or who has its token"),
    "showcase": Public("components with made-up words; not in production"),
    # --- API ---
    "api/v1/schema/": Public("the same for everybody"),
    "api/v1/docs/": Public("the same for everybody"),
    "api/v1/": Public("says that there is no such address"),
    "api/v1/cases/": Guarded(),
    "api/v1/cases/<uuid:case_id>/": Guarded(_API_CASE),
    **{
        f"api/v1/cases/<uuid:case_id>/{verb}/": Guarded(_API_CASE)
        for verb in (
            *(
                "assign",
                "take",
                "release",
                "deal",
                "move",
                "close",
                "reopen",
                "unit",
                "confidentiality",
            ),
            *("notes", "messages", "documents", "links", "participants"),
            *("tasks", "papers"),
            *("information-letter", "paper-requests", "paper-requests/end"),
            *("targets", "clock", "clock/suspend", "clock/resume", "clock/extend"),
            *("custody", "transfer", "consult"),
            *("follow", "unfollow", "followers"),
        )
    },
    "api/v1/cases/<uuid:case_id>/papers/<uuid:paper_id>/": Guarded(
        {**_API_CASE, "paper_id": "paper.uuid"}
    ),
    "api/v1/tasks/": Guarded(),
    **{
        f"api/v1/tasks/<uuid:task_id>/{verb}": Guarded(_API_TASK)
        for verb in ("", "take/", "done/", "reopen/", "cancel/")
    },
    **{
        f"api/v1/tasks/<uuid:task_id>/{verb}/": Guarded({"task_id": "done_task.uuid"})
        for verb in ("approve", "reject")
    },
    "api/v1/cases/<uuid:case_id>/documents/<uuid:document_id>/withdraw/": Guarded(
        {**_API_CASE, "document_id": "document.uuid"}
    ),
    "api/v1/cases/<uuid:case_id>/answers/": Guarded(_API_CASE),
    "api/v1/cases/<uuid:case_id>/answers/<uuid:answer_id>/": Guarded(
        {**_API_CASE, "answer_id": "frozen.uuid"}
    ),
    "api/v1/cases/<uuid:case_id>/events/<int:seq>/": Guarded({**_API_CASE, "seq": "1"}),
    "api/v1/cases/<uuid:case_id>/merge/": Guarded(_API_CASE),
    "api/v1/cases/<uuid:case_id>/split/": Guarded(_API_CASE),
    "api/v1/case-merges/<uuid:merge_id>/": Guarded(
        {"merge_id": "case_merge.uuid"}, silent="numbers of rows, nobody's data"
    ),
    "api/v1/case-merges/<uuid:merge_id>/undo/": Guarded({"merge_id": "case_merge.uuid"}),
    "api/v1/cases/<uuid:case_id>/links/<uuid:link_id>/": Guarded(
        {**_API_CASE, "link_id": "link.uuid"}
    ),
    "api/v1/cases/<uuid:case_id>/participants/<uuid:participant_id>/end/": Guarded(
        {**_API_CASE, "participant_id": "participant.uuid"}
    ),
    "api/v1/transfers/": Guarded(),
    "api/v1/consultations/": Guarded(),
    **{
        f"api/v1/transfers/<uuid:transfer_id>/{verb}": Guarded({"transfer_id": "transfer.uuid"})
        for verb in ("", "accept/", "return/", "refuse/", "withdraw/")
    },
    **{
        f"api/v1/consultations/<uuid:consultation_id>/{verb}": Guarded(
            {"consultation_id": "consultation.uuid"}
        )
        for verb in ("", "answer/", "decline/", "ask-back/", "clarify/", "extend/", "withdraw/")
    },
    "api/v1/case-types/": Guarded(),
    "api/v1/case-types/<uuid:type_id>/": Guarded(
        {"type_id": "case_type.uuid"}, silent="a definition, nobody's data"
    ),
    "api/v1/case-types/import/": Guarded(),
    "api/v1/case-types/import/try/": Guarded(),
    **{
        f"api/v1/case-types/<uuid:type_id>/{rest}": Guarded(
            {"type_id": "drafted.uuid"}, query=query, silent="a definition, nobody's data"
        )
        for rest, query in {
            "draft/": {},
            "draft/publish/": {},
            "retire/": {},
            "versions/": {},
            "text/": {},
            "differences/": {"before": "1"},
            "migrations/": {},
            "migrations/try/": {},
        }.items()
    },
    "api/v1/case-types/<uuid:type_id>/migrations/<uuid:migration_id>/": Guarded(
        {"type_id": "drafted.uuid", "migration_id": "migration.uuid"},
        silent="how many of which version, nobody's data",
    ),
    "api/v1/bulk-actions/": Guarded(),
    "api/v1/bulk-actions/<uuid:bulk_id>/": Guarded(_API_BULK),
    "api/v1/bulk-actions/<uuid:bulk_id>/start/": Guarded(_API_BULK),
    "api/v1/bulk-actions/<uuid:bulk_id>/cancel/": Guarded(_API_BULK),
    "api/v1/bulk-actions/<uuid:bulk_id>/undo/": Guarded(_API_BULK),
    "api/v1/bulk-actions/<uuid:bulk_id>/refusals/": Guarded(_API_BULK),
    "api/v1/drafts/": Guarded(),
    "api/v1/drafts/<uuid:draft_id>/": Guarded(_API_DRAFT),
    "api/v1/drafts/<uuid:draft_id>/share/": Guarded(_API_DRAFT),
    "api/v1/drafts/<uuid:draft_id>/take/": Guarded({"draft_id": "shared_draft.uuid"}),
    "api/v1/cases/<uuid:case_id>/presence/": Guarded(_API_CASE),
    "api/v1/cases/<uuid:case_id>/drafts/": Guarded(_API_CASE),
    "api/v1/views/": Guarded(),
    "api/v1/canned-answers/": Guarded(),
    "api/v1/canned-answers/<uuid:answer_id>/": Guarded(_API_ANSWER),
    "api/v1/canned-answers/<uuid:answer_id>/publish/": Guarded(_API_ANSWER),
    "api/v1/canned-answers/<uuid:answer_id>/retire/": Guarded(_API_ANSWER),
    "api/v1/macros/": Guarded(),
    "api/v1/cases/<uuid:case_id>/canned-answers/": Guarded(_API_CASE),
    "api/v1/cases/<uuid:case_id>/macros/<uuid:macro_id>/try/": Guarded(_API_MACRO),
    "api/v1/cases/<uuid:case_id>/macros/<uuid:macro_id>/run/": Guarded(_API_MACRO),
    "api/v1/views/<uuid:view_id>/": Guarded(_API_VIEW),
    "api/v1/views/<uuid:view_id>/count/": Guarded(_API_VIEW),
    "api/v1/documents/": Guarded(),
    "api/v1/documents/<uuid:document_id>/": Guarded({"document_id": "document.uuid"}),
    "api/v1/documents/<uuid:document_id>/content/": Guarded({"document_id": "document.uuid"}),
    "api/v1/events/": Guarded(),
    "api/v1/citizens/": Guarded(),
    "api/v1/citizens/<uuid:citizen_id>/": Guarded(_API_CITIZEN, query={"purpose": "Motivo"}),
    "api/v1/citizens/<uuid:citizen_id>/relations/": Guarded(_API_CITIZEN),
    "api/v1/citizens/<uuid:citizen_id>/relations/<uuid:relation_id>/end/": Guarded(
        {**_API_CITIZEN, "relation_id": "relation.uuid"}
    ),
    "api/v1/citizens/<uuid:citizen_id>/accesses/": Guarded(_API_CITIZEN),
    "api/v1/citizens/<uuid:citizen_id>/systems/": Guarded(
        _API_CITIZEN, silent="names systems, nobody is asked"
    ),
    "api/v1/citizens/<uuid:citizen_id>/systems/<uuid:connection_id>/": Guarded(
        {**_API_CITIZEN, "connection_id": "connection.uuid"}, query={"purpose": "Motivo"}
    ),
    "api/v1/citizens/<uuid:citizen_id>/merge/": Guarded(_API_CITIZEN),
    "api/v1/citizen-merges/<uuid:merge_id>/": Guarded(
        {"merge_id": "merge.uuid"}, silent="numbers of rows, nobody's data"
    ),
    "api/v1/citizen-merges/<uuid:merge_id>/undo/": Guarded({"merge_id": "merge.uuid"}),
    "api/v1/citizen-duplicates/": Guarded(),
    "api/v1/citizen-duplicates/<uuid:pair_id>/different/": Guarded({"pair_id": "pair.uuid"}),
    "api/v1/citizens/<uuid:citizen_id>/identifiers/": Guarded(_API_CITIZEN),
    "api/v1/citizens/<uuid:citizen_id>/contact-points/": Guarded(_API_CITIZEN),
    "api/v1/citizens/<uuid:citizen_id>/contact-points/<uuid:point_id>/": Guarded(
        {**_API_CITIZEN, "point_id": "point.uuid"}
    ),
    "api/v1/citizens/<uuid:citizen_id>/contact-points/<uuid:point_id>/end/": Guarded(
        {**_API_CITIZEN, "point_id": "point.uuid"}
    ),
    "api/v1/citizens/<uuid:citizen_id>/mandates/": Guarded(_API_CITIZEN),
    "api/v1/mandates/decision/": Guarded(),
    "api/v1/mandates/<uuid:mandate_id>/": Guarded(_API_MANDATE),
    "api/v1/mandates/<uuid:mandate_id>/verify/": Guarded({"mandate_id": "unchecked.uuid"}),
    "api/v1/mandates/<uuid:mandate_id>/end/": Guarded(_API_MANDATE),
    "api/v1/interactions/": Guarded(),
    "api/v1/interactions/<uuid:interaction_id>/": Guarded(_API_TALK),
    "api/v1/interactions/<uuid:interaction_id>/messages/": Guarded(_API_TALK),
    "api/v1/interactions/<uuid:interaction_id>/cases/": Guarded(_API_TALK),
    "api/v1/appointments/": Guarded(),
    "api/v1/appointments/free-slots/": Guarded(),
    "api/v1/appointments/<uuid:appointment_id>/": Guarded(_API_APPOINTMENT),
    "api/v1/appointments/<uuid:appointment_id>/move/": Guarded(_API_APPOINTMENT),
    "api/v1/appointments/<uuid:appointment_id>/cancel/": Guarded(_API_APPOINTMENT),
    "api/v1/offices/": Guarded(),
    "api/v1/bookable-services/": Guarded(),
    "api/v1/absences/": Guarded(),
    "api/v1/absences/<uuid:absence_id>/": Guarded({"absence_id": "absence.uuid"}),
    "api/v1/units/": Guarded(),
    "api/v1/units/<uuid:unit_id>/": Guarded(_UNIT, silent=_OFFICE),
    "api/v1/units/<uuid:unit_id>/move/": Guarded(_UNIT),
    "api/v1/units/<uuid:unit_id>/close/": Guarded(_UNIT),
    "api/v1/units/<uuid:unit_id>/merge/": Guarded(_UNIT),
}

# Addresses that answer with a file, and the method.
EXPORTS = {
    "campaigns:export": "get",
    "cases:bulk_refusals": "get",
    "cases:studio_export": "get",
    "cases:studio_refusals": "get",
    "cases:document": "get",
    "cases:transfer_document": "get",
    "cases:consultation_document": "get",
    "cases:import_problems": "get",
    "cases:import_mapping": "get",
    "audit:export": "post",
    "citizens:looks_export": "post",
    "mail:file": "get",
    "mail:source": "get",
    "reporting:download": "get",
    "reporting:download_batch": "get",
    "channels_app:attachment": "get",
    "reporting:download_export": "get",
    "citizens:mandate_paper": "get",
    "api/v1/documents/<uuid:document_id>/content/": "get",
}

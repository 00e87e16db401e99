"""The papers that a case needs: listed by its type when it opens, each ticked with what settles it."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Case, Document, EventKind, Paper
from cases.permissions import CHANGE_CASE
from cases.services.writing import fetch, moment, require_work_goes_on, write
from cases.texts import one_line
from cases.workflow import Workflow
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import require


def list_papers(case: Case, workflow: Workflow) -> None:
    """A case that opens has the list of the papers that its type asks for."""
    planned = workflow.checklist.papers
    if not planned:
        return
    Paper.objects.bulk_create(
        [
            Paper(
                case=case,
                code=one.code,
                name=one.name,
                position=number,
                required=one.required,
                source=one.source,
                needed_by=one.by,
                created_at=moment(),
            )
            for number, one in enumerate(planned)
        ]
    )


@transaction.atomic
def tick_paper(
    actor: Actor,
    case: UUID,
    paper: UUID,
    state: str,
    *,
    document: UUID | None = None,
    reason: str = "",
) -> Paper:
    """The paper is there as a document of the case, is not needed or is held by the administration
    (Ley 39/2015, art. 28), each with its reason; or it is missing after all."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    require_work_goes_on(row)
    rows = Paper.objects.for_actor(actor).select_for_update(of=("self",))
    found = rows.select_related("document").get_or_refuse(case=row, uuid=paper)
    if state not in Paper.State.values:
        raise Invalid(errors={"state": [_("Choose one of the offered values.")]})
    proof = _document(actor, row, document) if state == Paper.State.RECEIVED else None
    said = _reason(state, reason)
    if (found.state, found.document, found.reason) == (state, proof, said):
        return found
    if state == found.state == Paper.State.MISSING:
        raise Conflict("paper_missing", _("This paper is missing already."))
    found.state, found.document, found.reason = state, proof, said
    found.ticked_by_name, found.ticked_at = actor.name[:200], moment()
    found.save()
    told = {"paper": str(found.uuid), "title": found.name, "state": state, "reason": said}
    if proof is not None:
        told["document"] = str(proof.uuid)
    write(actor, CHANGE_CASE, row, EventKind.PAPER_TICKED, {k: v for k, v in told.items() if v})
    return found


def document_gone(document: Document) -> None:
    """What a withdrawn document was is missing again; that it was withdrawn stands in the story."""
    document.papers.update(
        state=Paper.State.MISSING, document=None, ticked_by_name="", ticked_at=None
    )


def _document(actor: Actor, case: Case, document: UUID | None) -> Document:
    rows = Document.objects.for_actor(actor).filter(case=case, withdrawn_at=None)
    found = rows.filter(uuid=document).first() if document else None
    if found is None:
        raise Invalid(errors={"document": [_("Choose one of the documents of the case.")]})
    return found


def _reason(state: str, reason: str) -> str:
    if state not in (Paper.State.NOT_NEEDED, Paper.State.HELD):
        return ""
    most = Paper._meta.get_field("reason").max_length or 0
    said = one_line(reason)
    errors: list[Text] = []
    if not said and state == Paper.State.HELD:
        errors = [_("Say which administration has it, and since when.")]
    elif not said:
        errors = [_("This field is required.")]
    elif len(said) > most:
        errors = [_("Write at most %(limit)s characters.") % {"limit": most}]
    if errors:
        raise Invalid(errors={"reason": errors})
    return said

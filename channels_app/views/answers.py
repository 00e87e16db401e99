"""Canned answers in the composer of a conversation, whatever its channel."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from cases import answers as reading
from cases.selectors import case_of
from cases.views.answers import offers_told
from channels_app import selectors
from channels_app.permissions import ATTEND
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs


@require_GET
@needs(ATTEND)
def offers(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The answers that fit the newest case of the conversation that the reader sees; without one those
    for every type, with nothing filled in but the citizen's name. Without files, which stay with cases."""
    actor = request.actor
    row = selectors.conversation(actor, conversation)
    record_part(actor, row, "answers")
    asked = request.GET.get("idioma", "")
    language = asked if asked in dict(settings.LANGUAGES) else row.language
    occasion = reading.Occasion(row.unit_id, row.account.channel, language, with_files=False)
    text = request.GET.get("q", "")
    linked = selectors.cases_of(actor, row).order_by("-conversation_links__at").first()
    if linked is not None:
        case = case_of(actor, linked.uuid)
        record_part(actor, case, "answers")
        found = reading.offered(actor, case, text=text, conversation=occasion)
    else:
        hidden = selectors.protected_name(actor, row)
        known = row.citizen_id is not None or row.contact_name
        name = selectors.name_of(actor, row) if known and not hidden else ""
        found = reading.offered_outside(actor, occasion, name, text=text)
    return JsonResponse(offers_told(found, language))

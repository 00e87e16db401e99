"""What the console's search box finds in every room: citizens and cases; commands are the page's own."""

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from cases import selectors as cases
from crm.citizens import selectors as citizens
from crm.kit.access import ActorRequest, needs


@require_GET
@needs(None)
def palette(request: ActorRequest) -> HttpResponse:
    """Answer ?q= with groups of places to go to, each of what the actor may see."""
    text = request.GET.get("q", "")
    people = citizens.palette(request.actor, text)
    matters = cases.palette(request.actor, text)
    groups = [
        {
            "label": _("Citizens"),
            "items": [
                {
                    "label": person.label,
                    "sub": person.sub,
                    "icon": "user",
                    "url": reverse("citizens:detail", args=[person.uuid]),
                }
                for person in people
            ],
        },
        {
            "label": _("Cases"),
            "items": [
                {
                    "label": case.label,
                    "sub": case.sub,
                    "icon": "folder",
                    "url": reverse("cases:detail", args=[case.uuid]),
                }
                for case in matters
            ],
        },
    ]
    return JsonResponse({"groups": [group for group in groups if group["items"]]})

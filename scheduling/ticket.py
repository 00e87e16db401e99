"""What a person holds in hand of an appointment: its code, and a picture that leads to it."""

import base64

from django.conf import settings
from django.urls import reverse

from crm.kit.pdf import qr_svg
from crm.organisations.models import Organisation
from scheduling.models import Appointment
from scheduling.presenting import shown_code
from scheduling.services.booking import code_of


def ticket_of(row: Appointment, organisation: Organisation) -> dict[str, str]:
    """Variables of scheduling/_ticket.html, and the page where reference and code open it."""
    page = settings.PUBLIC_URL + reverse("scheduling:find", args=[organisation.code])
    picture = qr_svg(f"{page}?referencia={row.reference}", title=row.shown_reference, light="#fff")
    return {
        "code": shown_code(code_of(row)) if row.code else "—",
        "qr": f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}",
        "page": page,
    }

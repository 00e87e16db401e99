"""What may be done with appointments: permissions in plain words."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

BOOK_APPOINTMENT = declare(
    "scheduling.book_appointment",
    _("book, move and cancel appointments"),
    roles="agent office supervisor integration",
)
MANAGE_AGENDA = declare(
    "scheduling.manage_agenda",
    _("set up offices, agendas and bookable services"),
    roles="administrator supervisor",
)
ATTEND_DESK = declare(
    "scheduling.call_ticket",
    _("check people in and attend them at a desk"),
    roles="agent office supervisor",
)

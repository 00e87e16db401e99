"""What may be done with e-mail, beside what may be done with any conversation."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

SORT_MAIL = declare(
    "channels_app.sort_mail",
    _("take, release and sort the e-mails of their units"),
    roles="agent office supervisor",
)

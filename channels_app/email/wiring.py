"""What e-mail plugs into, called once by the room's AppConfig."""

from django.utils.translation import gettext_lazy as _

from cases import ports as of_cases
from channels_app import ports
from channels_app.email import fetching, handlers, permissions, selectors, tasks  # noqa: F401
from channels_app.email.correspondence import Threads
from channels_app.email.sending import EmailCarrier
from channels_app.models import AccountKind
from channels_app.permissions import MANAGE_CHANNELS, VIEW_CONVERSATION
from crm.kit import nav, realtime, web


def wire() -> None:
    """Carrier, places, live stream and health."""
    ports.carriers.register(AccountKind.EMAIL, EmailCarrier())
    of_cases.threads.register("email", Threads())
    realtime.streams.register("mail", selectors.may_follow_mail)
    web.health.register("mailboxes", _health)
    nav.add(
        nav.NavItem(
            "mail",
            _("E-mail"),
            "mail",
            "mail:list",
            permission=VIEW_CONVERSATION,
            order=24,
            keys="g e",
            badge=selectors.badge,
        )
    )
    nav.add(
        nav.NavItem(
            "mail-accounts",
            _("E-mail accounts"),
            "mail-cog",
            "mail:accounts",
            permission=MANAGE_CHANNELS,
            group="settings",
            order=45,
        )
    )


def _health() -> web.Health:
    failing, well = fetching.health()
    return web.Health(failing, well)

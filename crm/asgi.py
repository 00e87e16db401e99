"""WebSockets, and on one small machine everything."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - after Django is set up
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from channels.sessions import SessionMiddlewareStack  # noqa: E402
from django.urls import path  # noqa: E402

from channels_app.consumers import VisitorConsumer  # noqa: E402
from crm.accounts.consumers import LiveConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(
            SessionMiddlewareStack(
                URLRouter(
                    [
                        path("ws/", LiveConsumer.as_asgi()),
                        path("ws/chat/", VisitorConsumer.as_asgi()),
                    ]
                )
            )
        ),
    }
)

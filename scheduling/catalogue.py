"""What the catalogue of procedures offers of this room: the pages where citizens book by themselves."""

from collections.abc import Mapping

from django.urls import reverse

from crm.kit.actor import Actor
from scheduling import selectors


class OwnPages:
    """The services that citizens book on our public pages."""

    def services(self, actor: Actor) -> Mapping[str, str]:
        """Code → name, by name."""
        return dict(selectors.services(actor, public=True).values_list("code", "name"))

    def address(self, actor: Actor, service: str) -> str:
        """Where its office is chosen, or straight its times; empty when it is not for citizens now."""
        if not selectors.services(actor, public=True).filter(code=service).exists():
            return ""
        return reverse("scheduling:where", args=[actor.organisation_code, service])

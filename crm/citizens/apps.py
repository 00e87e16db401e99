"""Wiring of the citizens room."""

import re

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from crm.kit import nav
from crm.kit.actor import Actor


class CitizensConfig(AppConfig):
    """Floor 5."""

    name = "crm.citizens"
    verbose_name = _("Citizens")

    def ready(self) -> None:
        """Offer the room's pages in the console, and its part of a person's timeline."""
        from crm.accounts import rights
        from crm.audit.selectors import meanings
        from crm.citizens import attending, profile, selectors, story
        from crm.citizens.models import MandatePaper
        from crm.citizens.permissions import CHANGE_CITIZEN, MERGE_CITIZENS, VIEW_CITIZEN
        from crm.citizens.services import lookups, related
        from crm.integrations.permissions import CONSULT_SYSTEMS
        from crm.kit.api import narrowers
        from crm.kit.files import holders

        narrowers.register(attending.HEADER, attending.by_mandate)
        holders.register(MandatePaper._meta.label_lower, MandatePaper)
        meanings.register("citizen", selectors.with_number)
        rooms = frozenset({"citizens"})
        rights.things.register("citizen", rights.Thing(_record_by_address, rooms))
        nav.add(
            nav.NavItem(
                "citizens",
                _("Citizens"),
                "users",
                "citizens:list",
                permission=VIEW_CITIZEN,
                order=30,
                keys="g p",
            )
        )
        nav.add(
            nav.NavItem(
                "duplicates",
                _("Likely duplicates"),
                "users",
                "citizens:duplicates",
                permission=MERGE_CITIZENS,
                group="command",
                order=31,
            )
        )
        nav.add(
            nav.NavItem(
                "new-citizen",
                _("Register a person"),
                "user-plus",
                "citizens:new",
                permission=CHANGE_CITIZEN,
                group="command",
                order=30,
            )
        )
        _register_references()
        post_migrate.connect(_guard, sender=self)
        story.stories.register(
            story.RECORD,
            story.Story({story.RECORD: _("Citizen's record")}, story.record_story),
        )
        profile.panels.register(
            "ahead",
            profile.Panel(
                name="ahead",
                title=_("Next deadlines and appointments"),
                icon="calendar-time",
                template="citizens/_ahead.html",
                load=profile.ahead,
                permission=VIEW_CITIZEN,
                order=12,
            ),
        )
        profile.panels.register(
            "relations",
            profile.Panel(
                name="relations",
                title=_("Family, guardians and companies"),
                icon="users-group",
                template="citizens/_relations.html",
                load=related.panel,
                permission=VIEW_CITIZEN,
                order=50,
                later=True,
            ),
        )
        profile.panels.register(
            "consents",
            profile.Panel(
                name="consents",
                title=_("Consents"),
                icon="mail-check",
                template="citizens/_consents.html",
                load=selectors.consents,
                permission=VIEW_CITIZEN,
                order=60,
                later=True,
            ),
        )
        profile.panels.register(
            "systems",
            profile.Panel(
                name="systems",
                title=_("In other systems"),
                icon="database-search",
                template="citizens/_systems.html",
                load=lookups.panel,
                permission=CONSULT_SYSTEMS,
                order=40,
            ),
        )
        profile.panels.register(
            "timeline",
            profile.Panel(
                name="timeline",
                title=_("Timeline"),
                icon="history",
                template="citizens/_story.html",
                load=story.panel,
                permission=VIEW_CITIZEN,
                order=90,
                within=True,
            ),
        )


_MERGED = _("The records were merged: the relation was on record already.")


def _register_references() -> None:
    """What becomes of this room's own rows when a citizen is merged into another."""
    from django.utils import timezone

    from crm.citizens.merge_models import references

    history = "what was done and found stays told of whom it was"
    references.follows("citizens.CitizenRecord", "citizen")
    references.follows("citizens.Identifier", "citizen")
    references.follows(
        "citizens.ContactPoint",
        "citizen",
        clashes={
            "contact_point_once": lambda: {"ended_at": timezone.now(), "preferred": False},
            "contact_point_one_preferred": lambda: {"preferred": False},
        },
    )
    references.follows("citizens.Mandate", "grantor")
    references.follows("citizens.Mandate", "holder")
    once = {"relation_once": lambda: {"ended_at": timezone.now(), "ended_reason": str(_MERGED)}}
    references.follows("citizens.Relation", "citizen", clashes=once)
    references.follows("citizens.Relation", "other", clashes=once)
    references.follows(
        "citizens.AuthorisedProfessional",
        "citizen",
        clashes={
            "professional_once": lambda: {
                "ended_at": timezone.now(),
                "ended_reason": str(_("The records were merged: the other authorisation counts.")),
            }
        },
    )
    references.stays("citizens.Citizen", "merged_into", "a name leads on by the next one")
    for field in ("merged", "survivor"):
        references.stays("citizens.Merge", field, history, guarded=False)
    for field in ("one", "other"):
        references.stays("citizens.DuplicatePair", field, history, guarded=False)


def _guard(**_kwargs: object) -> None:
    """The database refuses rows that point to a merged citizen."""
    from crm.citizens.merge_models import references
    from crm.kit.ledger import guard

    guard(references, "citizens_merged_rests")


def _record_by_address(asker: Actor, text: str) -> object | None:
    """The record on which an administrator has rights explained, by the address of its page: no name or
    number tells them who is on record."""
    from crm.citizens.aliases import Survivor
    from crm.citizens.models import CitizenRecord

    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text.lower())
    if found is None:
        return None
    own = CitizenRecord.objects.unscoped("who gives roles need not see citizens")
    return own.filter(organisation=asker.organisation_id, citizen=Survivor(found[0])).first()

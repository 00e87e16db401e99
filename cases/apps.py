"""Wiring of the cases room."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.kit import nav
from crm.kit.actor import Actor


class CasesConfig(AppConfig):
    """Floor 6."""

    name = "cases"
    verbose_name = _("Cases")

    def ready(self) -> None:
        """Plug into the floors below: places, live streams, the citizen's page, the story, effects."""
        from cases import (  # handlers and tasks register themselves
            citizen_story,
            elsewhere,
            frozen,
            handlers,  # noqa: F401
            merged,
            news,
            permissions,
            represented,
            selectors,
            tasks,  # noqa: F401
            telling,
            timeline,
        )
        from cases.imports import wiring  # noqa: F401
        from cases.models import AnswerFile, Document, DraftPaper
        from cases.services import targets, units, writing
        from cases.services.relations import participant_ends
        from crm.accounts import rights
        from crm.citizens.keeping import keepers
        from crm.citizens.looks import traces
        from crm.citizens.mandate_ports import coverables
        from crm.citizens.merge_models import references as of_citizens
        from crm.citizens.profile import Dates, Panel, dates, panels
        from crm.citizens.services.records import matters
        from crm.citizens.story import Story, stories
        from crm.kit import presence, realtime
        from crm.kit.files import holders
        from crm.kit.public import PublicDoor, doors
        from crm.organisations import ports

        _register_references()
        post_migrate.connect(_guard, sender=self)
        telling.register()
        news.register()
        if targets.follow not in writing.followers:
            writing.followers.append(targets.follow)
        for model in (AnswerFile, Document, DraftPaper):
            holders.register(model._meta.label_lower, model)
        ports.closing_checks.register("cases", units.reason_to_stay_open)
        ports.closing_checks.register("transfers", units.reason_to_answer_first)
        ports.movers.register("transfers", units.move_between)
        ports.movers.register("cases", units.move_all)
        for place in _places():
            nav.add(place)
        doors.register(
            "window",
            PublicDoor(
                _("Procedures and answers"),
                "list-search",
                lambda code: reverse("cases:window_index", args=[code]),
                order=10,
            ),
        )
        of_citizens.follows("cases.Case", "citizen")
        of_citizens.follows("cases.Participant", "citizen", clashes=participant_ends)
        of_citizens.follows("cases.Representation", "holder")
        of_citizens.follows("cases.RepresentativeAccess", "holder")
        shown = "it stays told of whom it was shown"
        of_citizens.stays("cases.FrozenAnswer", "citizen", shown, guarded=False)
        keepers.register("cases", frozen.offer)
        traces.register("cases", selectors.traces)
        matters.register("cases", selectors.has_open)
        rooms = frozenset({"cases", "reporting"})
        rights.things.register("case", rights.Thing(_case_by_reference, rooms))
        realtime.streams.register("case", selectors.may_follow_case)
        presence.places.register("case", selectors.cases_among)
        realtime.streams.register("bulk", selectors.may_follow_bulk)
        coverables.register("matter", represented.matters)
        coverables.register("procedure", represented.procedures)
        timeline.sources.register(timeline.OWN, timeline.own_events)
        timeline.sources.register(merged.SOURCE, merged.events)
        stories.register(
            citizen_story.SOURCE,
            Story(citizen_story.TOLD, citizen_story.tell, permissions.VIEW_CASE, within=True),
        )
        panels.register(
            "cases",
            Panel(
                name="cases",
                title=_("Cases"),
                icon="folder",
                template="cases/_panel.html",
                load=selectors.panel,
                permission=permissions.VIEW_CASE,
                order=10,
                within=True,
            ),
        )
        dates.register("cases", Dates(selectors.dates, permissions.VIEW_CASE))
        panels.register(
            "documents",
            Panel(
                name="documents",
                title=_("Documents"),
                icon="file-text",
                template="cases/_citizen_documents.html",
                load=selectors.papers,
                permission=permissions.VIEW_CASE,
                order=30,
                within=True,
                later=True,
            ),
        )
        panels.register(
            "cases_elsewhere",
            Panel(
                name="cases_elsewhere",
                title=_("Cases at other organisations"),
                icon="share",
                template="cases/_elsewhere.html",
                load=elsewhere.panel,
                permission=permissions.VIEW_CASE,
                order=15,
            ),
        )


def _register_references() -> None:
    """What becomes of this room's own rows when a case is merged into another."""
    from cases.models.merging import references
    from cases.services.drafting import drafts_stand_aside
    from cases.services.relations import participant_ends

    references.follows("cases.Participant", "case", clashes=participant_ends)
    references.follows("cases.Note", "case")
    references.follows("cases.Message", "case")
    references.follows("cases.Document", "case")
    references.follows("cases.Application", "case")
    references.follows("cases.Draft", "case", clashes=drafts_stand_aside)
    references.follows("cases.Link", "case")
    references.follows("cases.Link", "other")
    references.follows("cases.Follower", "case")
    references.follows("cases.FrozenAnswer", "case")
    references.stays("cases.Event", "case", "events are numbered in their case", guarded=False)
    references.stays("cases.ClockInterval", "case", "its own term's history", guarded=False)
    references.stays("cases.AccessCode", "case", "opens for minutes what it was asked for")
    for model in ("Task", "Paper", "PapersRequest", "Consultation"):
        references.follows(f"cases.{model}", "case")
    told = "what was done stays told"
    for model in ("InformationLetter", "CaseResult", "VersionMigrationRefusal", "BulkRow"):
        references.stays(f"cases.{model}", "case", told, guarded=False)
    for model in ("Representation", "Handover", "Custody", "CaseTransfer"):
        references.stays(f"cases.{model}", "case", told, guarded=False)
    references.stays("cases.CaseTransfer", "received_case", told, guarded=False)
    for model in ("ServiceTarget", "ServiceClock"):
        references.stays(f"cases.{model}", "case", "promised for that case alone", guarded=False)
    references.stays("cases.MacroRun", "case", told, guarded=False)
    for field in ("merged", "survivor"):
        references.stays("cases.CaseMerge", field, told, guarded=False)


def _guard(**_kwargs: object) -> None:
    """The database refuses rows that point to a merged case."""
    from cases.models.merging import references
    from crm.kit.ledger import guard

    guard(references, "cases_merged_rests")


def _case_by_reference(asker: Actor, text: str) -> object | None:
    """The case on which an administrator has rights explained."""
    from cases.models import Case

    reason = "who gives roles need not see the cases"
    own = Case.objects.unscoped(reason).filter(organisation=asker.organisation_id)
    return own.filter(reference__iexact=text).first()


def _places() -> list[nav.NavItem]:
    from cases import permissions

    return [
        nav.NavItem("home", _("My day"), "sun", "cases:home", order=10, keys="g d"),
        nav.NavItem(
            "cases",
            _("Cases"),
            "folder",
            "cases:list",
            permission=permissions.VIEW_CASE,
            order=20,
            keys="g c",
        ),
        nav.NavItem(
            "tasks",
            _("Tasks"),
            "checklist",
            "cases:my_tasks",
            permission=permissions.VIEW_CASE,
            order=22,
            keys="g q",
        ),
        nav.NavItem(
            "drafts",
            _("My drafts"),
            "pencil",
            "cases:drafts",
            permission=permissions.CHANGE_CASE,
            group="command",
            order=23,
            keys="g b",
        ),
        nav.NavItem(
            "transfers",
            _("Transfers and questions"),
            "transfer",
            "cases:transfers",
            short=_("Transfers"),
            permission=permissions.VIEW_CASE,
            order=25,
            keys="g x",
        ),
        nav.NavItem(
            "new_case",
            _("New case"),
            "folder-plus",
            "cases:new",
            permission=permissions.OPEN_CASE,
            group="command",
            order=20,
            keys="c",
        ),
        nav.NavItem(
            "danger",
            _("Service targets in danger"),
            "alarm",
            "cases:danger",
            permission=permissions.ASSIGN_CASE,
            group="command",
            order=25,
        ),
        nav.NavItem(
            "articles",
            _("Knowledge"),
            "book",
            "cases:articles",
            short=_("Articles"),
            permission=permissions.WRITE_ARTICLE,
            order=45,
            keys="g k",
        ),
        nav.NavItem(
            "answers",
            _("Canned answers"),
            "message-2-plus",
            "cases:answers",
            short=_("Answers"),
            order=46,
            keys="g r",
        ),
        nav.NavItem(
            "distribution",
            _("Distribution of work"),
            "users-group",
            "cases:distribution",
            short=_("Distribution"),
            permission=permissions.DISTRIBUTE,
            group="settings",
            order=45,
        ),
        nav.NavItem(
            "procedures",
            _("Procedures"),
            "list-details",
            "cases:procedures",
            permission=permissions.PUBLISH_CASE_TYPE,
            group="settings",
            order=55,
        ),
        nav.NavItem(
            "case_types",
            _("Case types"),
            "category",
            "cases:types",
            permission=permissions.PUBLISH_CASE_TYPE,
            group="settings",
            order=50,
        ),
        nav.NavItem(
            "open311",
            "Open311",
            "map-pin",
            "cases:open311",
            permission=permissions.PUBLISH_CASE_TYPE,
            group="settings",
            order=65,
        ),
    ]

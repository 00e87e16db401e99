"""Wiring of the scheduling room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav


class SchedulingConfig(AppConfig):
    """Floor 8."""

    name = "scheduling"
    verbose_name = _("Appointments")

    def ready(self) -> None:
        """Plug into the floors below: places, live days, the citizen's page and story, the case's story."""
        from cases import ports as catalogue
        from cases import timeline
        from cases.models.merging import references as of_cases
        from crm.citizens.merge_models import references
        from crm.citizens.profile import Dates, Panel, dates, panels
        from crm.citizens.services.records import matters
        from crm.citizens.story import Story, stories
        from crm.kit import realtime
        from crm.kit.public import PublicDoor, doors
        from crm.organisations import ports
        from scheduling import handlers, permissions, selectors, tasks  # noqa: F401
        from scheduling import stories as told
        from scheduling.catalogue import OwnPages
        from scheduling.services import units

        ports.closing_checks.register("scheduling", units.reason_to_stay_open)
        ports.movers.register("scheduling", units.move_all)
        catalogue.bookings.register("scheduling", OwnPages())
        references.follows("scheduling.Appointment", "citizen")
        of_cases.follows("scheduling.Appointment", "case")
        for place in _places():
            nav.add(place)
        doors.register(
            "appointments",
            PublicDoor(
                _("Book an appointment"), "calendar-plus", selectors.public_address, order=20
            ),
        )
        realtime.streams.register("office", selectors.may_follow_office)
        timeline.sources.register("appointments", told.of_case)
        dates.register("appointments", Dates(selectors.dates, permissions.BOOK_APPOINTMENT))
        matters.register("appointments", selectors.has_open)
        stories.register("appointments", Story(told.GROUPS, told.of_citizen))
        panels.register(
            "appointments",
            Panel(
                name="appointments",
                title=_("Appointments"),
                icon="calendar",
                template="scheduling/_panel.html",
                load=selectors.panel,
                permission=permissions.BOOK_APPOINTMENT,
                order=20,
            ),
        )


def _places() -> list[nav.NavItem]:
    from scheduling import permissions

    return [
        nav.NavItem(
            "appointments",
            _("Appointments"),
            "calendar",
            "scheduling:day",
            permission=permissions.ATTEND_DESK,
            order=25,
            keys="g t",
        ),
        nav.NavItem(
            "new_appointment",
            _("New appointment"),
            "calendar-plus",
            "scheduling:new",
            permission=permissions.BOOK_APPOINTMENT,
            group="command",
            order=25,
        ),
        nav.NavItem(
            "agendas",
            _("Offices and agendas"),
            "calendar-cog",
            "scheduling:setup",
            permission=permissions.MANAGE_AGENDA,
            group="settings",
            order=60,
        ),
    ]

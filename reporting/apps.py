"""Wiring of the reporting room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportingConfig(AppConfig):
    """Floor 9."""

    name = "reporting"
    verbose_name = _("Reports")

    def ready(self) -> None:
        """Offer the board and the page of issued histories; let what is made be followed live."""
        from cases.models.merging import references as of_cases
        from crm.citizens.merge_models import references
        from crm.citizens.profile import Panel, panels
        from crm.kit import nav, realtime
        from crm.kit.files import holders
        from crm.notices.kinds import things
        from reporting import live, news, selectors, streams
        from reporting.models import Export, IssuedHistory
        from reporting.permissions import ISSUE_HISTORY, VIEW_REPORT

        references.follows("reporting.IssuedHistory", "citizen")
        of_cases.stays("reporting.IssuedHistory", "case", "a sealed document tells of its case")
        of_cases.stays("reporting.CaseFact", "case", "made anew of its case", guarded=False)
        nav.add(
            nav.NavItem(
                key="board",
                label=_("Reports"),
                icon="chart-bar",
                url_name="reporting:board",
                permission=VIEW_REPORT,
                order=55,
                keys="g i",
            )
        )
        nav.add(
            nav.NavItem(
                key="histories",
                label=_("Sealed histories"),
                short=_("Histories"),
                icon="certificate",
                url_name="reporting:histories",
                permission=ISSUE_HISTORY,
                order=60,
            )
        )
        panels.register(
            "histories",
            Panel(
                name="histories",
                title=_("Sealed history"),
                icon="certificate",
                template="reporting/_citizen_histories.html",
                load=selectors.panel,
                permission=ISSUE_HISTORY,
                order=90,
            ),
        )
        for model in (Export, IssuedHistory):
            holders.register(model._meta.label_lower, model)
        realtime.streams.register("history", streams.may_follow_history)
        realtime.streams.register("histories", streams.may_follow_batch)
        realtime.streams.register("export", streams.may_follow_export)
        things.register(news.THING, news.exports_shown)
        live.sources.register("cases", live.CASES)
        live.sources.register("queues", live.QUEUES)

"""One's own news by API: read, marked as read, and how one wants to hear of them. A machine has none."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from crm.audit.record import record
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import (
    Choice,
    Filters,
    Flag,
    FlagParameter,
    Id,
    Input,
    Moment,
    Output,
    Text,
    Whole,
)
from crm.kit.errors import Invalid
from crm.kit.keyset import Order
from crm.notices import selectors, services
from crm.notices.kinds import kinds
from crm.notices.models import Mail, Notification

Way = Mail  # named here so that the schema can name it
NEWEST = Order(("id",), descending=True)


class NewsFilters(Filters):
    """Which news."""

    unread = FlagParameter(required=False, help_text="Only what nobody has read, or only the rest.")
    kind = Text(required=False, max_length=40)


class NewsOutput(Output):
    """A piece of news. Of what the caller may not see any more neither words nor title are told."""

    id = Id(source="uuid")
    kind = Text()
    text = Text(allow_blank=True)
    thing = Text(help_text="What it is about: `case`, `transfer`…")
    thing_id = Id(allow_null=True)
    title = Text(allow_blank=True)
    url = Text(allow_blank=True, help_text="Its page, without the host.")
    at = Moment()
    read_at = Moment(allow_null=True)


class ReadOutput(Output):
    """How many were read by this."""

    count = Whole()


class WayChanges(Input):
    """How to hear of one kind."""

    kind = Text(max_length=40)
    console = Flag(required=False)
    mail = Choice(choices=Way.choices, required=False)


class WayOutput(Output):
    """How the caller hears of one kind."""

    kind = Text()
    label = Text()  # type: ignore[assignment]
    console = Flag()
    mail = Choice(choices=Way.choices)


class WaysOutput(Output):
    """Of every kind."""

    kinds = WayOutput(many=True)


class OwnNews(ActorAPIView):
    """The caller's own news."""

    @operation("List updates", needs=None, filters=NewsFilters, answers=NewsOutput, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """The newest first."""
        record(self.actor, "searched", what="updates")
        asked = self.filters()
        rows = selectors.news(self.actor)
        if "unread" in asked:
            rows = rows.filter(read_at__isnull=bool(asked["unread"]))
        if "kind" in asked:
            rows = rows.filter(kind=asked["kind"])
        return self.page(rows, NEWEST, complete=self._complete)

    def _complete(self, rows: list[Notification]) -> None:
        told(self.actor, rows)


class ReadAll(ActorAPIView):
    """All of the caller's news."""

    @operation("Mark all updates as read", needs=None, answers=ReadOutput)
    def post(self, request: Request) -> HttpResponse:
        """What is read is not sent by e-mail any more."""
        self.read()
        return self.reply({"count": services.mark_all_read(self.actor)})


class ReadOne(ActorAPIView):
    """One piece of news."""

    @operation("Mark an update as read", needs=None, answers=NewsOutput)
    def post(self, request: Request, news_id: UUID) -> HttpResponse:
        """One alone; others of the same thing stay as they are."""
        self.read()
        row = services.mark_read(self.actor, news_id)
        told(self.actor, [row])
        return self.reply(row)


class Ways(ActorAPIView):
    """How the caller hears of news."""

    @operation("Read how updates reach me", needs=None, answers=WaysOutput)
    def get(self, request: Request) -> HttpResponse:
        """Of every kind, whether chosen or as usual."""
        record(self.actor, "viewed", what="updates")
        return self.reply(_ways(self.actor))

    @operation(
        "Choose how updates of a kind reach me", needs=None, reads=WayChanges, answers=WaysOutput
    )
    def post(self, request: Request) -> HttpResponse:
        """What is not said stays as it is."""
        said: dict[str, Any] = self.read()
        name = said["kind"]
        kind = kinds.get(name)
        if kind is None:
            listed = ", ".join(kinds)
            raise Invalid(
                errors={"kind": [f"There is no such kind of update. There are: {listed}."]}
            )
        console, mail = selectors.chosen_by(self.actor).get(name, (kind.console, kind.mail))
        way = (said.get("console", console), said.get("mail", mail))
        services.choose(self.actor, {name: way})
        return self.reply(_ways(self.actor))


def told(actor: Any, rows: list[Notification]) -> None:
    """What each answer says beyond its row, by the rights of now."""
    seen = selectors.shown(actor, {(row.thing, str(row.thing_id)) for row in rows})
    for row in rows:
        shown = seen.get((row.thing, str(row.thing_id)))
        row.text = selectors.line(row, shown is not None).words  # type: ignore[attr-defined]
        row.title = shown.title if shown else ""  # type: ignore[attr-defined]
        row.url = shown.url if shown else ""  # type: ignore[attr-defined]
        if shown is None:
            row.thing_id = None  # type: ignore[assignment]


def _ways(actor: Any) -> dict[str, Any]:
    chosen = selectors.chosen_by(actor)
    found = []
    for name, kind in kinds.items():
        console, mail = chosen.get(name, (kind.console, kind.mail))
        found.append({"kind": name, "label": str(kind.label), "console": console, "mail": mail})
    return {"kinds": found}


urlpatterns = [
    path("notifications/", OwnNews.as_view()),
    path("notifications/read/", ReadAll.as_view()),
    path("notifications/choices/", Ways.as_view()),
    path("notifications/<uuid:news_id>/read/", ReadOne.as_view()),
]

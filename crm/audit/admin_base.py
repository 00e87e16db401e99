"""The technical back office looks and does not touch: what every room's admin is made of.

Staff see their own organisation's rows, as far as their permissions reach; a superuser sees the
installation. Changes go through the console's verbs, which check, record and publish.
"""

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from crm.audit.record import record, record_at_the_door
from crm.kit.actor import Actor, Door, Origin
from crm.kit.web import client_ip, request_id

M = TypeVar("M", bound=models.Model)


class ScopedAdmin(ModelAdmin):
    """Read-only pages over a model that has `for_actor` and `unscoped`; opening a row is audited.

    `permission` is the name of the permission by which staff may look (empty: superusers only).
    """

    permission: ClassVar[str] = ""
    list_per_page = 50
    paginator = InfinitePaginator  # counts nothing: entries and cases are millions
    show_full_result_count = False
    search_help_text = _("Search")

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Any]":
        """The rows that exist for whoever looks."""
        rows = self.model._default_manager  # noqa: SLF001 - Django's name for it
        if is_superuser(request):
            return rows.unscoped("a superuser looks after the installation")  # type: ignore[no-any-return]
        actor = actor_of(request)
        return rows.for_actor(actor) if actor else rows.none()  # type: ignore[no-any-return]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only what the page offers as a filter: any other may fail in the database or ask for what
        the page does not show."""
        offered = {
            f"{field}{ask}" for field in self.list_filter for ask in ("", "__exact", "__isnull")
        }
        return lookup in offered

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the room is listed."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Superusers, and staff who hold the permission."""
        if is_superuser(request):
            return True
        actor = actor_of(request)
        return bool(self.permission and actor and actor.holds(self.permission))

    def has_add_permission(self, request: HttpRequest, *_args: object) -> bool:
        """Verbs add, this page does not."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Verbs change, this page does not."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Verbs delete, this page does not."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """One row; that it was looked at is written down once."""
        row = self.get_object(request, object_id)
        if row is not None and request.method == "GET":
            note_look(request, row)
        response: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
        return response


def is_superuser(request: HttpRequest) -> bool:
    """Whether whoever looks runs the installation."""
    return request.user.is_active and request.user.is_superuser


def actor_of(request: HttpRequest) -> Actor | None:
    """Who acts in the back office, if in any organisation."""
    return getattr(request, "actor", None)


def note_look(request: HttpRequest, row: models.Model) -> None:
    """Write down that somebody opened a row of the back office."""
    note_act(request, "viewed", row)


def note_act(request: HttpRequest, action: str, row: models.Model, **details: Any) -> None:
    """Write down what somebody did in the back office."""
    actor = actor_of(request)
    if actor is not None:
        record(actor, action, row, purpose="/admin/", **details)
        return
    record_at_the_door(
        Origin(Door.ADMIN, request_id(request), client_ip(request)),
        action,
        user_id=request.user.pk,
        name=str(request.user),
        organisation_id=getattr(row, "organisation_id", None),
        object=row._meta.label_lower,
        object_id=str(getattr(row, "uuid", row.pk)),
        **details,
    )

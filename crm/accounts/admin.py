"""Accounts in the technical back office, and what of other packages has no place there."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.account.views import logout
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from crm.accounts.admin_base import ScopedAdmin, actor_of, is_superuser, note_act
from crm.accounts.models import ApiClient, Membership, Role, User
from crm.accounts.permissions import GRANT_ROLE, INVITE_USER, MANAGE_API_CLIENTS

# memberships of groups are rights: only the verbs of services.roles change them
SCHEDULES = (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule)
for model in (Group, EmailAddress, Authenticator, *SCHEDULES):
    admin.site.unregister(model)


def sign_out(request: HttpRequest, _extra: object = None) -> HttpResponseBase:
    """Out by the one door, which writes it down."""
    response: HttpResponseBase = logout(request)
    return response


def change_password(_request: HttpRequest, _extra: object = None) -> HttpResponse:
    """To the one page where passwords are changed."""
    return redirect("account_change_password")


admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.logout = sign_out  # type: ignore[method-assign,assignment]
admin.site.password_change = change_password  # type: ignore[method-assign,assignment]


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """Accounts: of the installation for superusers, of the own organisation for staff."""

    permission = INVITE_USER
    list_display = ("email", "full_name", "state", "is_staff", "last_login")
    list_filter = ("state", "is_staff")
    search_fields = ("email", "full_name")
    fields = (
        "uuid", "email", "full_name", "state", "is_staff", "is_superuser", "language",
        "last_login", "previous_login", "failed_logins", "current_organisation", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Who works where the actor does; accounts themselves belong to nobody."""
        if is_superuser(request):
            return User.objects.all()
        actor = actor_of(request)
        if actor is None:
            return User.objects.none()
        mine = Membership.objects.for_actor(actor).filter(ended_at=None)
        return User.objects.filter(pk__in=mine.values("user"))


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Roles."""

    permission = GRANT_ROLE
    list_display = ("name", "code", "organisation", "exclusive")
    list_select_related = ("organisation",)
    search_fields = ("name", "code")
    fields = ("uuid", "organisation", "code", "name", "description", "exclusive")


@admin.register(ApiClient)
class ApiClientAdmin(ScopedAdmin):
    """Connected systems, without what could help to guess a key."""

    permission = MANAGE_API_CLIENTS
    list_display = ("name", "prefix", "organisation", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("organisation",)
    search_fields = ("name", "prefix")
    fields = (
        "uuid", "organisation", "name", "prefix", "scopes",
        "expires_at", "revoked_at", "last_used_at", "created_by",
    )  # fmt: skip


@admin.register(PeriodicTask)
class ScheduleAdmin(ScopedAdmin):
    """When the clock starts each task: an operator may slow one down or stop it, and it is written down.

    Tasks come with the code and their rows with `manage.py prepare`: none is added or deleted here.
    """

    list_display = ("name", "interval", "enabled", "last_run_at")
    fields = ("name", "interval", "enabled", "last_run_at", "total_run_count")
    readonly_fields = ("name", "last_run_at", "total_run_count")

    def get_queryset(self, _request: HttpRequest) -> QuerySet[PeriodicTask]:
        """All: they are of the installation."""
        rows: QuerySet[PeriodicTask] = PeriodicTask.objects.select_related("interval")
        return rows

    def has_change_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        """Who runs the installation."""
        return is_superuser(request)

    def save_model(self, request: HttpRequest, obj: PeriodicTask, *args: Any) -> None:
        """The change holds from the clock's next look, and the trail says who made it."""
        super().save_model(request, obj, *args)
        every = obj.interval.every if obj.interval else None
        note_act(request, "schedule_changed", obj, every=every, enabled=obj.enabled)

"""Organisations in the technical back office: to be looked at."""

from django.contrib import admin

from crm.audit.admin_base import ScopedAdmin
from crm.organisations.models import Organisation, SharingAgreement, Unit, WorkingCalendar
from crm.organisations.permissions import (
    CHANGE_ORGANISATION,
    MANAGE_CALENDARS,
    MANAGE_SHARING,
    MANAGE_UNITS,
)


@admin.register(Organisation)
class OrganisationAdmin(ScopedAdmin):
    """Organisations of the installation, or the own one."""

    permission = CHANGE_ORGANISATION
    list_display = ("code", "name", "dir3_code", "is_active")
    search_fields = ("code", "name")
    fields = (
        "uuid", "code", "name", "short_name", "dir3_code", "accent", "languages", "time_zone",
        "calendar", "seat_limit", "options", "units_version", "is_active",
    )  # fmt: skip


@admin.register(Unit)
class UnitAdmin(ScopedAdmin):
    """Units, closed ones too."""

    permission = MANAGE_UNITS
    list_display = ("code", "name", "organisation", "parent", "closed_on")
    list_select_related = ("organisation", "parent")
    search_fields = ("code", "name", "dir3_code")
    fields = (
        "uuid", "organisation", "parent", "code", "name", "dir3_code", "calendar",
        "valid_from", "closed_on", "merged_into",
    )  # fmt: skip


@admin.register(WorkingCalendar)
class WorkingCalendarAdmin(ScopedAdmin):
    """Official calendars and those of organisations."""

    permission = MANAGE_CALENDARS
    list_display = ("code", "name", "layer", "organisation", "base")
    list_select_related = ("organisation", "base")
    fields = ("uuid", "organisation", "layer", "code", "name", "base", "years")


@admin.register(SharingAgreement)
class SharingAgreementAdmin(ScopedAdmin):
    """Agreements of the installation, or of the own organisation."""

    permission = MANAGE_SHARING
    list_display = ("giver", "receiver", "valid", "revoked_at")
    list_select_related = ("giver", "receiver")
    fields = ("uuid", "giver", "receiver", "legal_basis", "data_classes", "valid", "revoked_at")

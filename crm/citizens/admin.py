"""The technical back office of citizens: that they exist, and the names of those not protected."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from crm.accounts.admin_base import ScopedAdmin
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_CITIZEN


@admin.register(Citizen)
class CitizenAdmin(ScopedAdmin):
    """Lists no names; a row that is opened leaves its entry. Protected records open in the console."""

    permission = VIEW_CITIZEN
    list_display = ("uuid", "kind", "created_at", "updated_at")
    list_filter = ("kind",)
    ordering = ("-pk",)
    fields = ("uuid", "kind", "name", "surname1", "surname2", "birth_date", "merged_into")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Citizen]:
        """Whoever no organisation protects."""
        protected = CitizenRecord.objects.unscoped("protection holds for everybody here")
        return (
            super()
            .get_queryset(request)
            .exclude(Exists(protected.filter(citizen=OuterRef("pk"), protected=True)))
        )

"""Addresses of the organisations room's pages."""

from django.urls import URLPattern, URLResolver, path

from crm.organisations.views import branding, calendars, settings, sharing, units

app_name = "organisations"
urlpatterns: list[URLPattern | URLResolver] = [
    path("organizacion/", settings.settings, name="settings"),
    path("organizacion/opciones/", settings.options, name="options"),
    path("organizacion/logotipo/", settings.logo, name="set_logo"),
    path("organizacion/vista-previa/", settings.preview, name="preview"),
    path("organizacion/unidades/", units.units, name="units"),
    path("organizacion/unidades/<uuid:unit_id>/", units.unit, name="unit"),
    path("organizacion/unidades/<uuid:unit_id>/nueva/", units.new_unit, name="new_unit"),
    path("organizacion/unidades/<uuid:unit_id>/mover/", units.move, name="move_unit"),
    path("organizacion/unidades/<uuid:unit_id>/unir/", units.merge, name="merge_unit"),
    path("organizacion/unidades/<uuid:unit_id>/cerrar/", units.close, name="close_unit"),
    path("organizacion/calendarios/", calendars.calendars, name="calendars"),
    path("organizacion/calendarios/nuevo/", calendars.new_calendar, name="new_calendar"),
    path("organizacion/calendarios/<uuid:calendar_id>/", calendars.calendar, name="calendar"),
    path(
        "organizacion/calendarios/<uuid:calendar_id>/nombre/",
        calendars.rename,
        name="rename_calendar",
    ),
    path(
        "organizacion/calendarios/<uuid:calendar_id>/festivos/", calendars.holiday, name="holiday"
    ),
    path(
        "organizacion/calendarios/<uuid:calendar_id>/festivos/quitar/",
        calendars.remove_holiday,
        name="remove_holiday",
    ),
    path("organizacion/calendarios/<uuid:calendar_id>/horario/", calendars.week, name="week"),
    path(
        "organizacion/calendarios/<uuid:calendar_id>/fechas/",
        calendars.date_hours,
        name="date_hours",
    ),
    path(
        "organizacion/calendarios/<uuid:calendar_id>/fechas/quitar/",
        calendars.remove_date_hours,
        name="remove_date_hours",
    ),
    path("organizacion/convenios/", sharing.agreements, name="agreements"),
    path("organizacion/convenios/nuevo/", sharing.new_agreement, name="new_agreement"),
    path(
        "organizacion/convenios/<uuid:agreement_id>/retirar/",
        sharing.revoke,
        name="revoke_agreement",
    ),
    path("organizacion/vista-previa/<str:colour>.css", branding.preview, name="preview_css"),
    path("organizacion/<slug:code>/accent.css", branding.accent, name="accent"),
    path("organizacion/<slug:code>/logo", branding.logo, name="logo"),
]

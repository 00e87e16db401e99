"""Addresses of the citizens room's pages."""

from django.urls import URLPattern, URLResolver, path

from crm.citizens import merge_views, views

app_name = "citizens"
_ONE = "ciudadania/<uuid:citizen>/"
urlpatterns: list[URLPattern | URLResolver] = [
    path("ciudadania/", views.search_page, name="list"),
    path("ciudadania/nueva/", views.new, name="new"),
    path("ciudadania/duplicados/", merge_views.proposals, name="duplicates"),
    path("ciudadania/duplicados/buscar/", merge_views.look, name="look_for_duplicates"),
    path("ciudadania/duplicados/<uuid:pair>/distintas/", merge_views.different, name="different"),
    path("ciudadania/unificaciones/<uuid:merge>/separar/", merge_views.undo, name="unmerge"),
    path(f"{_ONE}unificar/", merge_views.choose, name="merge_choose"),
    path(f"{_ONE}unificar/<uuid:other>/", merge_views.compare, name="merge"),
    path(_ONE, views.detail, name="detail"),
    path(f"{_ONE}cronologia/", views.timeline, name="timeline"),
    path(f"{_ONE}sistemas/<uuid:connection>/", views.system, name="system"),
    path(f"{_ONE}motivo/", views.state_reason, name="state_reason"),
    path(f"{_ONE}datos/", views.names, name="names"),
    path(f"{_ONE}preferencias/", views.wishes, name="wishes"),
    path(f"{_ONE}proteccion/", views.protection, name="protection"),
    path(f"{_ONE}numeros/nuevo/", views.add_identifier, name="add_identifier"),
    path(f"{_ONE}numeros/<uuid:identifier>/mostrar/", views.reveal, name="reveal"),
    path(
        f"{_ONE}numeros/<uuid:identifier>/verificar/",
        views.verify_identifier,
        name="verify_identifier",
    ),
    path(f"{_ONE}numeros/<uuid:identifier>/vigencia/", views.validity, name="validity"),
    path(
        f"{_ONE}numeros/<uuid:identifier>/retirar/",
        views.withdraw_identifier,
        name="withdraw_identifier",
    ),
    path(f"{_ONE}contacto/nuevo/", views.add_contact_point, name="add_contact_point"),
    path(f"{_ONE}contacto/<uuid:point>/", views.change_contact_point, name="change_contact_point"),
    path(
        f"{_ONE}contacto/<uuid:point>/verificar/",
        views.verify_contact_point,
        name="verify_contact_point",
    ),
    path(
        f"{_ONE}contacto/<uuid:point>/finalizar/",
        views.end_contact_point,
        name="end_contact_point",
    ),
]

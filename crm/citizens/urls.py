"""Addresses of the citizens room's pages."""

from django.urls import URLPattern, URLResolver, path

from crm.citizens import look_views, mandate_views, merge_views, relation_views, system_views, views

app_name = "citizens"
_ONE = "ciudadania/<uuid:citizen>/"
_MANDATES = f"{_ONE}apoderamientos/"
_MANDATE = f"{_MANDATES}<uuid:mandate>/"
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
    path(f"{_ONE}mas/", views.more, name="more"),
    path(f"{_ONE}cronologia/", views.timeline, name="timeline"),
    path(f"{_ONE}sistemas/", system_views.systems, name="systems"),
    path(f"{_ONE}sistemas/<uuid:connection>/", system_views.system, name="system"),
    path(f"{_ONE}accesos/", look_views.report, name="looks"),
    path(f"{_ONE}accesos/nombres/", look_views.named, name="looks_named"),
    path(f"{_ONE}accesos/nombres/exportar/", look_views.export, name="looks_export"),
    path(f"{_ONE}relaciones/nueva/", relation_views.new_relation, name="new_relation"),
    path(
        f"{_ONE}relaciones/<uuid:relation>/finalizar/",
        relation_views.end_relation,
        name="end_relation",
    ),
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
    path(_MANDATES, mandate_views.mandates, name="mandates"),
    path(f"{_ONE}representacion/", mandate_views.relations, name="relations"),
    path(f"{_MANDATES}nuevo/", mandate_views.new_mandate, name="new_mandate"),
    path(f"{_MANDATES}varios/", mandate_views.many_mandates, name="many_mandates"),
    path(f"{_MANDATES}rechazos/", mandate_views.refused_mandates, name="refused_mandates"),
    path(_MANDATE, mandate_views.mandate, name="mandate"),
    path(f"{_MANDATE}comprobar/", mandate_views.verify_mandate, name="verify_mandate"),
    path(f"{_MANDATE}finalizar/", mandate_views.end_mandate, name="end_mandate"),
    path(f"{_MANDATE}prorrogar/", mandate_views.extend_mandate, name="extend_mandate"),
    path(f"{_MANDATE}documento/", mandate_views.add_paper, name="add_mandate_paper"),
    path(f"{_MANDATE}documento/<uuid:paper>/", mandate_views.paper, name="mandate_paper"),
    path(f"{_ONE}autorizado-red/", mandate_views.professional, name="professional"),
    path(
        f"{_ONE}autorizado-red/finalizar/", mandate_views.end_professional, name="end_professional"
    ),
    path(f"{_ONE}atender/", mandate_views.attend, name="attend"),
    path(f"{_ONE}atender/fin/", mandate_views.stop_attending, name="stop_attending"),
]

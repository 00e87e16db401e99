"""Addresses of the cases room's pages."""

from django.urls import URLPattern, URLResolver, include, path

from cases.views import (
    acts,
    applicant,
    articles,
    bulk,
    case,
    home,
    imports,
    lists,
    open311,
    opening,
    procedures,
    types,
    window,
)

app_name = "cases"

of_case = [
    path("", case.detail, name="detail"),
    path("cronologia/", case.story, name="story"),
    path("registro/", case.case_record, name="record"),
    path("solicitante/", applicant.applicant, name="applicant"),
    path("editar/", case.edit, name="edit"),
    path("mover/<slug:move>/", case.move, name="move"),
    path("asumir/", acts.take, name="take"),
    path("devolver/", acts.release, name="release"),
    path("asignar/", acts.assign, name="assign"),
    path("unidad/", acts.unit, name="unit"),
    path("confidencialidad/", acts.confidentiality, name="confidentiality"),
    path("notas/", acts.note, name="note"),
    path("mensajes/", acts.message, name="message"),
    path("mensajes/recibidos/", acts.said, name="said"),
    path("mensajes/<uuid:message>/reintentar/", acts.resend, name="resend"),
    path("documentos/", acts.upload, name="upload"),
    path("documentos/<uuid:document>/", acts.download, name="document"),
    path("documentos/<uuid:document>/vista/", acts.preview, name="preview"),
    path("documentos/<uuid:document>/retirar/", acts.withdraw, name="withdraw"),
    path("intervinientes/", acts.add_participant, name="add_participant"),
    path(
        "intervinientes/<uuid:participant>/retirar/", acts.end_participant, name="end_participant"
    ),
    path("relaciones/", acts.link, name="link"),
    path("relaciones/<uuid:link>/quitar/", acts.unlink, name="unlink"),
]

of_window = [
    path("", window.index, name="window_index"),
    path("tramites/<slug:code>/", window.procedure, name="window_procedure"),
    path("tramites/<slug:code>/solicitud/", window.apply, name="window_apply"),
    path("ayuda/<slug:code>/", window.article, name="window_article"),
    path("justificante/<uuid:case>/", window.receipt, name="window_receipt"),
    path("seguimiento/", window.follow, name="window_follow"),
    path("seguimiento/salir/", window.leave, name="window_leave"),
    path("seguimiento/<uuid:case>/", window.case, name="window_case"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("casos/", lists.case_list, name="list"),
    path("casos/contadores/", lists.counters, name="counters"),
    path("casos/filtros/", lists.filters, name="filters"),
    path("casos/columnas/", lists.columns, name="columns"),
    path("casos/nuevo/", opening.new, name="new"),
    path("casos/nuevo/persona/", opening.find_citizen, name="find_citizen"),
    path("casos/acciones/", bulk.prepare, name="bulk_prepare"),
    path("casos/acciones/<uuid:action>/", bulk.follow, name="bulk"),
    path("casos/acciones/<uuid:action>/progreso/", bulk.bulk_progress, name="bulk_progress"),
    path("casos/acciones/<uuid:action>/rechazos.csv", bulk.refusals, name="bulk_refusals"),
    path("casos/<uuid:case>/", include(of_case)),
    path("importaciones/", imports.index, name="imports"),
    path("importaciones/nueva/", imports.new, name="import_new"),
    path("importaciones/<uuid:load>/", imports.detail, name="import"),
    path("importaciones/<uuid:load>/columnas/", imports.columns, name="import_columns"),
    path("importaciones/<uuid:load>/iniciar/", imports.start, name="import_start"),
    path("importaciones/<uuid:load>/detener/", imports.cancel, name="import_cancel"),
    path("importaciones/<uuid:load>/errores.csv", imports.problems, name="import_problems"),
    path("importaciones/<uuid:load>/columnas.toml", imports.mapping, name="import_mapping"),
    path("sede/<slug:organisation>/", include(of_window)),
    path("organizacion/tramites/", procedures.procedure_list, name="procedures"),
    path("organizacion/tramites/nuevo/", procedures.new_procedure, name="new_procedure"),
    path("organizacion/tramites/<slug:code>/", procedures.procedure, name="procedure"),
    path(
        "organizacion/tramites/<slug:code>/publicar/",
        procedures.publish_procedure,
        name="publish_procedure",
    ),
    path(
        "organizacion/tramites/<slug:code>/retirar/",
        procedures.retire_procedure,
        name="retire_procedure",
    ),
    path("conocimiento/", articles.article_list, name="articles"),
    path("conocimiento/nuevo/", articles.new_article, name="new_article"),
    path("conocimiento/<uuid:article>/", articles.article, name="article"),
    path("conocimiento/<uuid:article>/publicar/", articles.publish_article, name="publish_article"),
    path("conocimiento/<uuid:article>/retirar/", articles.retire_article, name="retire_article"),
    path("conocimiento/<uuid:article>/revisado/", articles.review_article, name="review_article"),
    path("organizacion/open311/", open311.services, name="open311"),
    path("organizacion/open311/nuevo/", open311.new, name="new_open311_service"),
    path("organizacion/open311/<uuid:service>/", open311.service, name="open311_service"),
    path("organizacion/tipos/", types.type_list, name="types"),
    path("organizacion/tipos/nuevo/", types.new_type, name="new_type"),
    path("organizacion/tipos/<slug:code>/", types.edit_type, name="type"),
]

"""Addresses of the reporting room's pages."""

from django.urls import URLPattern, URLResolver, path

from reporting.views import board, exports, histories

app_name = "reporting"
urlpatterns: list[URLPattern | URLResolver] = [
    path("informes/", board.board, name="board"),
    path("informes/filtros/", board.filters, name="filters"),
    path("informes/ahora/", board.now, name="now"),
    path("informes/cifras/", board.figures, name="figures"),
    path("informes/casos/", board.behind, name="behind"),
    path("informes/exportar/", exports.ask, name="ask_export"),
    path("informes/exportaciones/", exports.exports, name="exports"),
    path("informes/exportaciones/<uuid:export>/", exports.export_row, name="export"),
    path("informes/exportaciones/<uuid:export>/fichero/", exports.download, name="download_export"),
    path("historiales/", histories.histories, name="histories"),
    path("historiales/lotes/", histories.batch, name="batch"),
    path("historiales/lotes/<uuid:batch>/", histories.batch_row, name="batch_row"),
    path("historiales/lotes/<uuid:batch>/zip/", histories.download_batch, name="download_batch"),
    path("historiales/<uuid:history>/", histories.history_row, name="history"),
    path("historiales/<uuid:history>/pdf/", histories.download, name="download"),
    path("historiales/<uuid:history>/texto/", histories.text, name="text"),
    path("historiales/<uuid:history>/revocar/", histories.revoke, name="revoke"),
    path("casos/<uuid:case>/historiales/", histories.of_case, name="of_case"),
    path("casos/<uuid:case>/historiales/emitir/", histories.issue, name="issue"),
    path("ciudadania/<uuid:citizen>/historiales/", histories.of_citizen, name="of_citizen"),
    path(
        "ciudadania/<uuid:citizen>/historiales/emitir/",
        histories.issue_of_citizen,
        name="issue_of_citizen",
    ),
    path("verificar/", histories.verify, name="verify"),
]

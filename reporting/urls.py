"""Addresses of the reporting room's pages."""

from django.urls import URLPattern, URLResolver, path

from reporting import views

app_name = "reporting"
urlpatterns: list[URLPattern | URLResolver] = [
    path("historiales/", views.histories, name="histories"),
    path("historiales/lotes/", views.batch, name="batch"),
    path("historiales/lotes/<uuid:batch>/", views.batch_row, name="batch_row"),
    path("historiales/lotes/<uuid:batch>/zip/", views.download_batch, name="download_batch"),
    path("historiales/<uuid:history>/", views.history_row, name="history"),
    path("historiales/<uuid:history>/pdf/", views.download, name="download"),
    path("historiales/<uuid:history>/texto/", views.text, name="text"),
    path("historiales/<uuid:history>/revocar/", views.revoke, name="revoke"),
    path("casos/<uuid:case>/historiales/", views.of_case, name="of_case"),
    path("casos/<uuid:case>/historiales/emitir/", views.issue, name="issue"),
    path("verificar/", views.verify, name="verify"),
]

"""Addresses of the audit room's pages."""

from django.urls import URLPattern, URLResolver, path

from crm.audit import views

app_name = "audit"
urlpatterns: list[URLPattern | URLResolver] = [
    path("auditoria/", views.trail, name="trail"),
    path("auditoria/exportar/", views.export, name="export"),
    path("auditoria/cadena/", views.chain, name="chain"),
    path("auditoria/comprobar/", views.verify, name="verify"),
    path("auditoria/<int:number>/", views.entry, name="entry"),
]

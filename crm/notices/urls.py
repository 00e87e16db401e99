"""Addresses of the notices room's pages."""

from django.urls import URLPattern, URLResolver, include, path

from crm.notices import views

rooms = [
    path("", views.index, name="list"),
    path("campana/", views.bell, name="bell"),
    path("cuenta/", views.count, name="count"),
    path("preferencias/", views.choices, name="choices"),
    path("leidas/", views.read_all, name="read_all"),
    path("<uuid:news>/", views.open_news, name="open"),
    path("<uuid:news>/leida/", views.read, name="read"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("novedades/", include((rooms, "notices"))),
]

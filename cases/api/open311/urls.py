"""Addresses of GeoReport v2, each in both forms."""

from django.urls import URLPattern, URLResolver, path

from cases.api.open311 import views

app_name = "open311"
_PLACES = {
    "discovery": ("<slug:code>/discovery", views.discovery),
    "services": ("<slug:code>/v2/services", views.services),
    "definition": ("<slug:code>/v2/services/<slug:service_code>", views.definition),
    "requests": ("<slug:code>/v2/requests", views.service_requests),
    "token": ("<slug:code>/v2/tokens/<slug:token>", views.token),
    "request": ("<slug:code>/v2/requests/<slug:number>", views.service_request),
}
urlpatterns: list[URLPattern | URLResolver] = [
    *(
        path(f"{place}.{form}", view, {"form": form}, name=f"{name}_{form}")
        for name, (place, view) in _PLACES.items()
        for form in ("json", "xml")
    ),
    path("<slug:code>/v2/media/<uuid:document>", views.media, name="media"),
]

"""The roof's addresses: each room mounts its own pages; the API is put together in crm.api."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from crm.kit.metrics import metrics
from crm.kit.web import healthz
from crm.palette import palette
from crm.public import accessibility, simulators

handler400 = "crm.public.bad_request"
handler403 = "crm.public.forbidden"
handler404 = "crm.public.not_found"
handler500 = "crm.public.server_error"
handler429 = "crm.accounts.authentication.locked_out"  # where allauth counts attempts

# what has a place of its own stands first: an address is compared with one line for each of these,
# but with every page of a room that is mounted at the root
urlpatterns: list[URLPattern | URLResolver] = [
    path("paleta/", palette, name="palette"),
    path("api/v1/", include("crm.api")),
    path("open311/", include("cases.api.open311.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accesibilidad/", accessibility, name="accessibility"),
    path("simulador/", simulators, name="simulators"),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("", include("cases.urls")),
    path("", include("channels_app.email.urls")),
    path("", include("channels_app.urls")),
    path("", include("crm.citizens.urls")),
    path("", include("crm.organisations.urls")),
    path("", include("crm.accounts.urls")),
    path("", include("crm.notices.urls")),
    path("", include("crm.integrations.urls")),
    path("", include("crm.audit.urls")),
    path("", include("scheduling.urls")),
    path("", include("campaigns.urls")),
    path("", include("reporting.urls")),
]

if not settings.PRODUCTION:
    from crm.kit.showcase import urlpatterns as showcase

    urlpatterns += showcase

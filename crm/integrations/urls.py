"""Addresses of the integrations room's pages."""

from django.urls import URLPattern, URLResolver, path

from crm.integrations.views import connections, subscriptions

app_name = "integrations"
_CONNECTION = "integraciones/conexiones/<uuid:connection>/"
_SUBSCRIPTION = "integraciones/avisos/<uuid:subscription>/"
urlpatterns: list[URLPattern | URLResolver] = [
    path("integraciones/conexiones/", connections.connections, name="connections"),
    path("integraciones/conexiones/nueva/", connections.new, name="new_connection"),
    path(_CONNECTION, connections.connection, name="connection"),
    path(f"{_CONNECTION}llamadas/", connections.calls, name="calls"),
    path(f"{_CONNECTION}probar/", connections.try_it, name="try_connection"),
    path(f"{_CONNECTION}quitar/", connections.remove, name="remove_connection"),
    path("integraciones/avisos/", subscriptions.subscriptions, name="subscriptions"),
    path("integraciones/avisos/nuevo/", subscriptions.new, name="new_subscription"),
    path(_SUBSCRIPTION, subscriptions.subscription, name="subscription"),
    path(f"{_SUBSCRIPTION}entregas/", subscriptions.deliveries, name="deliveries"),
    path(f"{_SUBSCRIPTION}secreto/", subscriptions.rotate, name="rotate_secret"),
    path(f"{_SUBSCRIPTION}probar/", subscriptions.test, name="test_subscription"),
    path(f"{_SUBSCRIPTION}parar/", subscriptions.stop, name="stop_subscription"),
    path(f"{_SUBSCRIPTION}reanudar/", subscriptions.start, name="start_subscription"),
    path(f"{_SUBSCRIPTION}quitar/", subscriptions.remove, name="remove_subscription"),
    path(f"{_SUBSCRIPTION}repetir/", subscriptions.replay_all, name="replay_all"),
    path(f"{_SUBSCRIPTION}entregas/<uuid:delivery>/repetir/", subscriptions.replay, name="replay"),
]

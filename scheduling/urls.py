"""Addresses of the scheduling room's pages."""

from django.urls import URLPattern, URLResolver, path

from scheduling.views import desk, public, setup

app_name = "scheduling"
_PUBLIC = "cita/<slug:code>/"
_PLACE = f"{_PUBLIC}para/<slug:service>/<slug:office>/"
_ONE = "citas/<uuid:appointment>/"
_SETUP = "organizacion/citas/"
urlpatterns: list[URLPattern | URLResolver] = [
    # for citizens
    path(_PUBLIC, public.start, name="start"),
    path(f"{_PUBLIC}consultar/", public.find, name="find"),
    path(f"{_PUBLIC}consultar/codigo/", public.send_code, name="send_code"),
    path(f"{_PUBLIC}confirmar/", public.confirm, name="confirm"),
    path(f"{_PUBLIC}confirmar/codigo/", public.resend, name="resend"),
    path(f"{_PUBLIC}mia/", public.mine, name="mine"),
    path(f"{_PUBLIC}mia/cambiar/", public.move, name="move_mine"),
    path(f"{_PUBLIC}mia/anular/", public.cancel, name="cancel_mine"),
    path(f"{_PUBLIC}mia/cita.ics", public.calendar, name="calendar"),
    path(f"{_PUBLIC}para/<slug:service>/", public.where, name="where"),
    path(_PLACE, public.times, name="times"),
    path(f"{_PLACE}datos/", public.person, name="person"),
    # for employees
    path("citas/", desk.day, name="day"),
    path("citas/nueva/", desk.new, name="new"),
    path(_ONE, desk.appointment, name="appointment"),
    path(f"{_ONE}justificante/", desk.receipt, name="receipt"),
    path(f"{_ONE}mover/", desk.move, name="move"),
    path(f"{_ONE}anular/", desk.cancel, name="cancel"),
    path(f"{_ONE}llegada/", desk.check_in, name="check_in"),
    path(f"{_ONE}atender/", desk.begin, name="begin"),
    path(f"{_ONE}terminar/", desk.complete, name="complete"),
    path(f"{_ONE}ausencia/", desk.no_show, name="no_show"),
    path(f"{_ONE}persona/", desk.identify, name="identify"),
    # for who sets it up
    path(_SETUP, setup.overview, name="setup"),
    path(f"{_SETUP}oficinas/nueva/", setup.new_office, name="new_office"),
    path(f"{_SETUP}oficinas/<uuid:office>/", setup.office, name="office"),
    path(f"{_SETUP}oficinas/<uuid:office>/agendas/nueva/", setup.new_resource, name="new_resource"),
    path(f"{_SETUP}oficinas/<uuid:office>/cierres/", setup.closure, name="closure"),
    path(
        f"{_SETUP}oficinas/<uuid:office>/cierres/importar/",
        setup.import_closures,
        name="import_closures",
    ),
    path(
        f"{_SETUP}oficinas/<uuid:office>/cierres/<uuid:closure>/quitar/",
        setup.remove_closure,
        name="remove_closure",
    ),
    path(f"{_SETUP}servicios/nuevo/", setup.new_service, name="new_service"),
    path(f"{_SETUP}servicios/<uuid:service>/", setup.service, name="service"),
    path(f"{_SETUP}agendas/<uuid:resource>/", setup.resource, name="resource"),
    path(f"{_SETUP}agendas/<uuid:resource>/fechas/", setup.exception, name="exception"),
    path(
        f"{_SETUP}agendas/<uuid:resource>/fechas/quitar/",
        setup.remove_exception,
        name="remove_exception",
    ),
]

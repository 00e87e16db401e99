"""Addresses of e-mail."""

from django.urls import URLPattern, URLResolver, include, path

from channels_app.email import account_views, simulator, views

app_name = "mail"

of_thread = [
    path("", views.thread, name="thread"),
    path("hilo/", views.parts, name="parts"),
    path("mensajes/<int:number>/html/", views.html, name="html"),
    path("mensajes/<int:number>/reenviar/", views.again, name="again"),
    path("asumir/", views.take, name="take"),
    path("devolver/", views.release, name="release"),
    path("cerrar/", views.close, name="close"),
    path("spam/", views.spam, name="spam"),
    path("responder/", views.answer, name="answer"),
    path("notas/", views.note, name="note"),
    path("persona/", views.identify, name="identify"),
    path("caso/", views.link, name="link"),
    path("archivos/", views.upload, name="upload"),
    path("archivos/<uuid:attachment>/", views.file, name="file"),
    path("archivos/<uuid:attachment>/quitar/", views.detach, name="detach"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("correo/", views.mail_list, name="list"),
    path("correo/apartados/<uuid:mail>/", views.apart, name="apart"),
    path("correo/apartados/<uuid:mail>/original.eml", views.source, name="source"),
    path("correo/apartados/<uuid:mail>/aceptar/", views.accept, name="accept"),
    path("correo/apartados/<uuid:mail>/rechazar/", views.reject, name="reject"),
    path("correo/<uuid:conversation>/", include(of_thread)),
    path("organizacion/correo/", account_views.index, name="accounts"),
    path("organizacion/correo/nueva/", account_views.new, name="new_account"),
    path("organizacion/correo/<uuid:account>/", account_views.account, name="account"),
    path("organizacion/correo/<uuid:account>/probar/", account_views.try_it, name="try_account"),
    path("simulador/correo/", simulator.simulator, name="simulator"),
]

"""Addresses of the campaigns room's pages."""

from django.urls import URLPattern, URLResolver, path

from campaigns.views import audiences, campaigns, public, templates, topics

app_name = "campaigns"
_ROOM = "campanas/"
_ONE = f"{_ROOM}<uuid:campaign>/"
_SEGMENT = f"{_ROOM}publicos/<uuid:segment>/"
_TEMPLATE = f"{_ROOM}plantillas/<uuid:template>/"
urlpatterns: list[URLPattern | URLResolver] = [
    path(_ROOM, campaigns.index, name="list"),
    path(f"{_ROOM}nueva/", campaigns.new, name="new"),
    path(_ONE, campaigns.detail, name="detail"),
    path(f"{_ONE}estado/", campaigns.progress, name="progress"),
    path(f"{_ONE}editar/", campaigns.edit, name="edit"),
    path(f"{_ONE}vista-previa/", campaigns.preview, name="preview"),
    path(f"{_ONE}prueba/", campaigns.test, name="test"),
    path(f"{_ONE}solicitar/", campaigns.submit, name="submit"),
    path(f"{_ONE}retirar/", campaigns.withdraw, name="withdraw"),
    path(f"{_ONE}aprobar/", campaigns.approve, name="approve"),
    path(f"{_ONE}devolver/", campaigns.send_back, name="return"),
    path(f"{_ONE}pausar/", campaigns.pause, name="pause"),
    path(f"{_ONE}reanudar/", campaigns.resume, name="resume"),
    path(f"{_ONE}detener/", campaigns.stop, name="stop"),
    path(f"{_ONE}resultados.csv", campaigns.export, name="export"),
    path(f"{_ROOM}publicos/", audiences.index, name="segments"),
    path(f"{_ROOM}publicos/nuevo/", audiences.new, name="segment_new"),
    path(f"{_ROOM}publicos/condiciones/", audiences.builder, name="builder"),
    path(_SEGMENT, audiences.edit, name="segment"),
    path(f"{_SEGMENT}archivar/", audiences.archive, name="segment_archive"),
    path(f"{_ROOM}plantillas/", templates.index, name="templates"),
    path(f"{_ROOM}plantillas/nueva/", templates.new, name="template_new"),
    path(_TEMPLATE, templates.edit, name="template"),
    path(f"{_ROOM}temas/", topics.index, name="topics"),
    path(f"{_ROOM}temas/<uuid:topic>/cerrar/", topics.end, name="topic_end"),
    path(f"{_ROOM}destinos/", topics.allow, name="allow"),
    path(f"{_ROOM}destinos/<uuid:destination>/quitar/", topics.forbid, name="forbid"),
    path(f"{_ROOM}bloqueos/<uuid:suppression>/levantar/", topics.lift, name="lift"),
    path("baja/<str:token>/", public.unsubscribe, name="unsubscribe"),
    path("preferencias/<str:token>/", public.preferences, name="preferences"),
    path("e/<str:code>", public.follow, name="follow"),
]

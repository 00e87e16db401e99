"""Addresses of the channels room."""

from django.urls import path

from channels_app.views import answers, assistant, demo_page, desk, setup, visitor, wallboard

app_name = "channels_app"
_ONE = "conversaciones/<uuid:conversation>/"
_SETUP = "organizacion/conversaciones/"
_CHAT = f"{_SETUP}chats/<uuid:account>/"
_QUEUE = f"{_SETUP}colas/<uuid:queue>/"

urlpatterns = [
    # the visitor's; what is inside a conversation names it by the token, never in the address
    path("chat/conversacion/", visitor.state, name="visitor_state"),
    path("chat/conversacion/decir/", visitor.say, name="visitor_say"),
    path("chat/conversacion/archivo/", visitor.send_file, name="visitor_send_file"),
    path("chat/conversacion/archivo/<uuid:attachment>/", visitor.file, name="visitor_file"),
    path("chat/conversacion/leido/", visitor.seen, name="visitor_seen"),
    path("chat/conversacion/persona/", visitor.ask_for_person, name="visitor_person"),
    path("chat/conversacion/fin/", visitor.leave, name="visitor_leave"),
    path("chat/conversacion/copia/", visitor.transcript, name="visitor_transcript"),
    path("chat/<str:key>/", visitor.frame, name="widget"),
    path("chat/<str:key>/widget.js", visitor.script, name="widget_script"),
    path("chat/<str:key>/empezar/", visitor.begin, name="visitor_begin"),
    path("chat/<str:key>/dejar/", visitor.leave_message, name="visitor_leave_message"),
    # the employees'
    path("conversaciones/", desk.desk, name="desk"),
    path("conversaciones/cola/", desk.queue, name="queue"),
    path("conversaciones/presencia/", desk.set_presence, name="presence"),
    path("conversaciones/latido/", desk.beat, name="beat"),
    path("conversaciones/ofertas/<uuid:offer>/aceptar/", desk.accept, name="accept"),
    path("conversaciones/ofertas/<uuid:offer>/rechazar/", desk.decline, name="decline"),
    path(_ONE, desk.conversation, name="conversation"),
    path(f"{_ONE}hilo/", desk.thread, name="thread"),
    path(f"{_ONE}persona/", desk.citizen, name="citizen"),
    path(f"{_ONE}coger/", desk.take, name="take"),
    path(f"{_ONE}responder/", desk.reply, name="reply"),
    path(f"{_ONE}nota/", desk.add_note, name="note"),
    path(f"{_ONE}respuestas/", answers.offers, name="offered_answers"),
    path(f"{_ONE}archivo/", desk.attach, name="attach"),
    path(f"{_ONE}archivo/<uuid:attachment>/", desk.attachment, name="attachment"),
    path(f"{_ONE}leida/", desk.mark_read, name="mark_read"),
    path(f"{_ONE}escribiendo/", desk.types, name="types"),
    path(f"{_ONE}transferir/", desk.transfer, name="transfer"),
    path(f"{_ONE}terminar/", desk.end, name="end"),
    path(f"{_ONE}cerrar/", desk.close, name="close"),
    path(f"{_ONE}identificar/", desk.identify, name="identify"),
    path(f"{_ONE}caso/", desk.link_case, name="link_case"),
    path(f"{_ONE}caso-nuevo/", desk.open_case, name="open_case"),
    # the supervisors'
    path("colas/", wallboard.wallboard, name="wallboard"),
    path("colas/ahora/", wallboard.now, name="wallboard_now"),
    # the administrators'
    path("organizacion/asistente/", assistant.assistant, name="assistant"),
    path("organizacion/asistente/probar/", assistant.try_it, name="try_assistant"),
    path("colas/<uuid:queue>/", wallboard.queue, name="supervised"),
    path(f"{_ONE}reasignar/", wallboard.reassign, name="reassign"),
    # the administrators'
    path(_SETUP, setup.overview, name="setup"),
    path(f"{_SETUP}chats/nuevo/", setup.new_chat, name="setup_new_chat"),
    path(_CHAT, setup.chat, name="setup_chat"),
    path(f"{_CHAT}motivos/nuevo/", setup.new_reason, name="setup_new_reason"),
    path(f"{_SETUP}motivos/<uuid:reason>/", setup.reason, name="setup_reason"),
    path(f"{_SETUP}colas/nueva/", setup.new_queue, name="setup_new_queue"),
    path(_QUEUE, setup.queue, name="setup_queue"),
    path(f"{_QUEUE}codigos/nuevo/", setup.new_code, name="setup_new_code"),
    path(f"{_SETUP}codigos/<uuid:code>/", setup.code, name="setup_code"),
    path(f"{_QUEUE}personas/", setup.add_member, name="setup_add_member"),
    path(f"{_QUEUE}personas/<uuid:agent>/quitar/", setup.remove_member, name="setup_remove_member"),
    path(f"{_SETUP}pausas/nueva/", setup.new_pause, name="setup_new_pause"),
    path(f"{_SETUP}pausas/<uuid:pause>/", setup.pause, name="setup_pause"),
    # a page of somebody else's, to try the widget on
    path("demo/pagina/", demo_page.page, name="demo_page"),
]

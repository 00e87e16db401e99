"""Addresses of the accounts room's pages, and of those of allauth that we use."""

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkey
from django.urls import URLPattern, URLResolver, include, path, re_path

from crm.accounts.views import absences, clients, door, people, profile, roles

rooms = [
    path("bloqueo/", door.lock, name="lock"),
    path("entrar/segundo-factor/preparar/", door.second_factor, name="second_factor"),
    path("invitacion/<str:token>/", door.accept, name="accept"),
    path("perfil/", profile.profile, name="profile"),
    path("perfil/sesiones/terminar/", profile.end_other_sessions, name="end_other_sessions"),
    path("perfil/sesiones/<uuid:session_id>/terminar/", profile.end_session, name="end_session"),
    path("perfil/preferencias/", profile.preferences, name="preferences"),
    path("perfil/organismo/", profile.switch, name="switch"),
    path("perfil/presente/", profile.awake, name="awake"),
    path("organizacion/personal/", people.people_list, name="people"),
    path("organizacion/personal/invitar/", people.invite, name="invite"),
    path("organizacion/personal/<uuid:user_id>/", people.person, name="person"),
    path("organizacion/personal/<uuid:user_id>/ausencias/", absences.absences, name="absences"),
    path(
        "organizacion/personal/ausencias/<uuid:absence_id>/terminar/",
        absences.end_absence,
        name="end_absence",
    ),
    path("organizacion/personal/<uuid:user_id>/unidad/", people.move, name="move"),
    path("organizacion/personal/<uuid:user_id>/suspender/", people.suspend, name="suspend"),
    path("organizacion/personal/<uuid:user_id>/roles/", people.give_role, name="give_role"),
    path("organizacion/personal/<uuid:user_id>/roles/quitar/", people.take_role, name="take_role"),
    path("organizacion/personal/<uuid:user_id>/<slug:verb>/", people.act, name="act"),
    path("organizacion/roles/", roles.matrix, name="roles"),
    path("organizacion/roles/cambios/", roles.changes, name="role_changes"),
    path("organizacion/roles/nuevo/", roles.create, name="role_new"),
    path("organizacion/roles/<slug:code>/", roles.role, name="role"),
    path("organizacion/permisos/", roles.why, name="why"),
    path("organizacion/sistemas/", clients.clients, name="clients"),
    path("organizacion/sistemas/<uuid:client_id>/anular/", clients.revoke, name="client_revoke"),
]

door_pages = [  # under allauth's own names, because allauth looks them up
    path("entrar/", account.login, name="account_login"),
    path("salir/", account.logout, name="account_logout"),
    path("entrar/segundo-factor/", factor.authenticate, name="mfa_authenticate"),
    path("entrar/llave/", passkey.login_webauthn, name="mfa_login_webauthn"),
    path("entrar/contrasena/", account.password_reset, name="account_reset_password"),
    path(
        "entrar/contrasena/enviado/",
        account.password_reset_done,
        name="account_reset_password_done",
    ),
    path(
        "entrar/contrasena/hecho/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^entrar/contrasena/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]

confirm_pages = [  # open to a locked session as well: showing who one is leads out of nothing else
    path("confirmar/", account.reauthenticate, name="account_reauthenticate"),
    path("confirmar/codigo/", factor.reauthenticate, name="mfa_reauthenticate"),
    path("confirmar/llave/", passkey.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
]

own_pages = [
    path("contrasena/", door.unlocked(account.password_change), name="account_change_password"),
    path("segundo-factor/", door.unlocked(factor.index), name="mfa_index"),
    path("segundo-factor/app/", door.unlocked(app.activate_totp), name="mfa_activate_totp"),
    path(
        "segundo-factor/app/quitar/", door.unlocked(app.deactivate_totp), name="mfa_deactivate_totp"
    ),
    path(
        "segundo-factor/codigos/",
        door.unlocked(codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "segundo-factor/codigos/nuevos/",
        door.unlocked(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("segundo-factor/llaves/", door.unlocked(passkey.list_webauthn), name="mfa_list_webauthn"),
    path(
        "segundo-factor/llaves/nueva/", door.unlocked(passkey.add_webauthn), name="mfa_add_webauthn"
    ),
    path(
        "segundo-factor/llaves/<int:pk>/quitar/",
        door.unlocked(passkey.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((rooms, "accounts"))),
    path("", include(door_pages)),
    path("", include(confirm_pages)),
    path("perfil/", include(own_pages)),
]

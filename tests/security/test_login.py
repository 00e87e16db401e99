"""The door: uniform answers, locks, the second factor, idle sessions and what is written of it all."""

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from crm.accounts.models import Membership, User
from crm.accounts.services import people
from crm.audit.models import AuditEntry
from crm.kit import outbox
from crm.kit.models import Outbox
from crm.kit.templatetags.ui import in_words
from crm.organisations.models import Organisation
from crm.settings import PUBLIC_URL
from tests.conftest import World
from tests.factories.accounts import PASSWORD, UserFactory, acting, employee

SIGN_IN = "/entrar/"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Limits are counted in the cache."""
    cache.clear()


def enter(client: Client, email: str, password: str = PASSWORD, **extra: str) -> object:
    """Post the form of the door."""
    return client.post(SIGN_IN, {"login": email, "password": password}, **extra)


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def demand_second_factor(organisation: Organisation) -> None:
    """The organisation asks everybody for one."""
    organisation.options = {"second_factor": True}
    organisation.save()


def actions(user: User | None = None) -> list[str]:
    """What was audited of a user, in order."""
    entries = AuditEntry.objects.order_by("id").filter(action__in=ACCESS)
    return list(
        (entries.filter(actor_id=user.pk) if user else entries).values_list("action", flat=True)
    )


def post_mail() -> None:
    """Workers have sent what is owed; a test's transaction has no later moment of its own."""
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    outbox.drain()


ACCESS = [
    "sign_in", "sign_in_refused", "sign_out", "session_ended", "second_factor_changed", "organisation_switched", "password_changed",
]  # fmt: skip


def test_an_employee_signs_in_and_out(world: World, client: Client) -> None:
    response = enter(
        client, "ALICE@example.org".replace("ALICE@example.org", world.alice.email.upper())
    )
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/perfil/").status_code == 200
    assert client.post("/salir/").status_code == 302
    assert client.get("/perfil/")["Location"] == "/entrar/?next=/perfil/"
    assert actions(world.alice) == ["sign_in", "sign_out"]


def test_signing_in_returns_to_the_page_that_was_asked_for(world: World, client: Client) -> None:
    response = client.post(
        SIGN_IN, {"login": world.alice.email, "password": PASSWORD, "next": "/perfil/"}
    )
    assert response["Location"] == "/perfil/"


def test_signing_in_leads_to_no_other_site(world: World, client: Client) -> None:
    response = client.post(
        SIGN_IN, {"login": world.alice.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert response["Location"] == "/"


def test_a_session_has_a_new_key_after_signing_in(world: World, client: Client) -> None:
    client.get("/entrar/contrasena/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key
    enter(client, world.alice.email)
    assert client.cookies["sessionid"].value != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()


@pytest.fixture
def strangers(world: World) -> dict[str, str]:
    """Addresses that must all be answered alike, whatever the password."""
    invited = UserFactory(state=User.State.INVITED)
    suspended = UserFactory(state=User.State.SUSPENDED)
    return {
        "nobody": "nobody@example.org",
        "wrong password": world.alice.email,
        "invited": invited.email,
        "suspended": suspended.email,
    }


def bare(html: str) -> str:
    """A page without what differs from one load to the next."""
    html = re.sub(r'(csrfmiddlewaretoken" value|csrf-token" content)="[^"]+"', "", html)
    return re.sub(r'value="[^"]*@[^"]*"', "", html)


@pytest.mark.parametrize("password", [PASSWORD + "x", PASSWORD])
def test_the_door_answers_everybody_alike(strangers: dict[str, str], password: str) -> None:
    answers = {}
    for kind, email in strangers.items():
        if (kind, password) == ("wrong password", PASSWORD):
            continue
        response = enter(Client(), email, password)
        answers[kind] = (response.status_code, bare(response.content.decode()))
    assert len(set(answers.values())) == 1
    assert next(iter(answers.values()))[0] == 200
    assert "sign_in" not in actions()


def test_a_forgotten_password_is_answered_alike(
    strangers: dict[str, str], django_assert_num_queries: Callable[..., object]
) -> None:
    answers = set()
    for email in strangers.values():
        with django_assert_num_queries(1):  # the same work for everybody: one row of the outbox
            response = Client().post("/entrar/contrasena/", {"email": email})
        answers.add((response.status_code, response["Location"]))
    assert answers == {(302, "/entrar/contrasena/enviado/")}
    post_mail()
    assert [message.to for message in mail.outbox] == [[strangers["wrong password"]]]


def test_a_refused_attempt_is_audited_without_what_was_typed(world: World, client: Client) -> None:
    enter(client, "nobody@example.org", "secret in the wrong field")
    enter(client, world.alice.email, "wrong")
    unknown, known = AuditEntry.objects.filter(action="sign_in_refused").order_by("id")
    assert (unknown.actor_id, unknown.actor_name, unknown.organisation_id) == (None, "", None)
    assert (known.actor_id, known.organisation_id) == (world.alice.pk, world.here.pk)
    assert known.result == "refused"
    assert "secret" not in str(unknown.__dict__)


def test_unknown_and_known_addresses_take_the_same_work(
    world: World, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, *args, **kw: hashed.append(1) or encode(self, *args, **kw),
    )
    counts = []
    for email in ["nobody@example.org", world.alice.email, UserFactory(state="suspended").email]:
        hashed.clear()
        enter(Client(), email, "wrong password")
        counts.append(len(hashed))
    assert counts == [1, 1, 1]


def test_five_wrong_passwords_lock_that_person_from_that_address(
    world: World, client: Client
) -> None:
    for _ in range(5):
        response = enter(client, world.alice.email, "wrong")
    assert response.status_code == 429
    response = enter(client, world.alice.email)
    assert response.status_code == 429
    assert int(response["Retry-After"]) == 900
    assert (
        enter(Client(), world.alice.email, REMOTE_ADDR="10.0.0.9").status_code == 302
    )  # not elsewhere
    assert enter(Client(), world.bob.email).status_code == 302  # nor a colleague there


def test_the_lock_is_the_same_for_an_account_that_does_not_exist(client: Client, db: None) -> None:
    codes = [enter(client, "nobody@example.org", "wrong").status_code for _ in range(6)]
    assert codes == [200, 200, 200, 200, 429, 429]


def test_one_address_that_tries_many_people_is_stopped(db: None) -> None:
    codes = [enter(Client(), f"somebody{n}@example.org", "wrong").status_code for n in range(31)]
    assert codes[:30] == [200] * 30
    assert codes[30] == 429


def test_one_who_tries_from_a_whole_network_is_counted_as_one(world: World) -> None:
    """An IPv6 customer has 2^64 addresses; of IPv4 written as IPv6 each is its own."""
    codes = [
        enter(Client(), world.alice.email, "wrong", REMOTE_ADDR=f"2001:db8::{n}").status_code
        for n in range(6)
    ]
    assert codes == [200, 200, 200, 200, 429, 429]
    elsewhere = ["2001:db8:0:1::1", "::ffff:192.0.2.1", "::ffff:192.0.2.2", "fe80::1%eth0"]
    for address in elsewhere:
        assert enter(Client(), world.alice.email, REMOTE_ADDR=address).status_code == 302


def test_asking_for_a_new_password_is_limited(world: World) -> None:
    codes = [
        Client().post("/entrar/contrasena/", {"email": world.alice.email}).status_code
        for _ in range(4)
    ]
    assert codes == [302, 302, 302, 429]


def test_the_last_access_and_the_failures_since_are_shown(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    client.post("/salir/")
    enter(client, world.alice.email, "wrong")
    enter(client, world.alice.email, "wrong again")
    enter(client, world.alice.email)
    page = client.get("/perfil/").content.decode()
    world.alice.refresh_from_db()
    assert world.alice.previous_login is not None
    assert world.alice.failed_logins == 0
    assert client.session["last_access"]["failed"] == 2
    assert page.count(": 2.") >= 1
    assert (
        f"{in_words(world.alice.previous_login)}. Failed attempts" in page
    )  # as dates are written


def link_of_reset(email: str) -> str:
    """The path in the last message."""
    post_mail()
    found = re.search(re.escape(PUBLIC_URL) + r"(/entrar/contrasena/\S+)", mail.outbox[-1].body)
    assert mail.outbox[-1].to == [email]
    assert found
    return found[1]


def test_a_new_password_by_link_works_once_and_ends_the_sessions(
    world: World, client: Client
) -> None:
    old = Client()
    enter(old, world.alice.email)
    client.post("/entrar/contrasena/", {"email": world.alice.email}, HTTP_HOST="localhost")
    link = link_of_reset(world.alice.email)
    form = client.get(link)["Location"]
    new = "a different long password"
    response = client.post(form, {"password1": new, "password2": new})
    assert response["Location"] == "/entrar/contrasena/hecho/"
    assert old.get("/perfil/").status_code == 302
    assert "password_changed" in actions(world.alice)
    again = Client().get(link)
    assert again.status_code == 200
    assert "password1" not in again.content.decode()
    assert enter(Client(), world.alice.email, new).status_code == 302
    assert enter(Client(), world.alice.email, PASSWORD).status_code == 200


# --- Second factor --------------------------------------------------------------------------------


def give_app(user: User) -> str:
    """The user has an authenticator app; returns its secret."""
    from allauth.mfa.totp.internal.auth import generate_totp_secret

    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


@pytest.mark.django_db(transaction=True)
def test_without_a_second_factor_it_is_set_up_before_anything_else(
    world: World, client: Client
) -> None:
    demand_second_factor(world.here)
    enter(client, world.alice.email)
    response = client.get("/perfil/?a=b")
    assert response["Location"] == "/entrar/segundo-factor/preparar/?next=/perfil/%3Fa%3Db"
    assert client.get("/entrar/segundo-factor/preparar/").status_code == 200
    page = client.get("/perfil/segundo-factor/app/")
    assert page.status_code == 200  # who has just signed in is not asked for the password again
    secret = page.context["form"].secret
    response = client.post("/perfil/segundo-factor/app/", {"code": code_of(secret)})
    assert response["Location"] == "/perfil/segundo-factor/codigos/"
    page = client.get("/perfil/segundo-factor/codigos/")
    assert page.status_code == 200, page["Location"]
    codes = page.context["unused_codes"]
    assert len(codes) == 10
    assert client.get("/perfil/").status_code == 200
    assert "second_factor_changed" in actions(world.alice)
    stored = Authenticator.objects.get(user=world.alice, type="totp")
    assert secret not in str(stored.data)


def test_recovery_codes_are_shown_once(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    secret = client.get("/perfil/segundo-factor/app/").context["form"].secret
    client.post("/perfil/segundo-factor/app/", {"code": code_of(secret)})
    assert client.get("/perfil/segundo-factor/codigos/").context["can_view_codes"]
    assert not client.get("/perfil/segundo-factor/codigos/").context["can_view_codes"]


def test_the_second_factor_is_asked_for_at_the_door(world: World, client: Client) -> None:
    demand_second_factor(world.here)
    secret = give_app(world.alice)
    response = enter(client, world.alice.email)
    assert response["Location"] == "/entrar/segundo-factor/"
    assert client.get("/perfil/")["Location"].startswith("/entrar/?")
    wrong = client.post("/entrar/segundo-factor/", {"code": "000000"})
    assert wrong.status_code == 200
    assert actions(world.alice) == ["sign_in_refused"]
    assert client.post("/entrar/segundo-factor/", {"code": code_of(secret)}).status_code == 302
    assert client.get("/perfil/").status_code == 200


def test_a_session_without_the_second_factor_cannot_set_another(
    world: World, client: Client
) -> None:
    """Signed in before the app was set up elsewhere: it must show the app, not add its own."""
    enter(client, world.alice.email)
    give_app(world.alice)
    demand_second_factor(world.here)
    for page in [
        "/perfil/",
        "/perfil/segundo-factor/app/",
        "/perfil/segundo-factor/",
        "/perfil/contrasena/",
    ]:
        assert client.get(page)["Location"].startswith("/entrar/segundo-factor/preparar/"), page
    assert client.get("/entrar/segundo-factor/preparar/")["Location"].startswith(
        "/confirmar/codigo/"
    )


def test_a_second_factor_of_one_user_is_not_another_users(world: World, client: Client) -> None:
    demand_second_factor(world.here)
    client.force_login(world.alice)
    session = client.session
    session["second_factor_of"] = world.bob.pk
    session.save()
    assert client.get("/perfil/").status_code == 302


def test_the_back_office_is_shut_without_the_second_factor(world: World, client: Client) -> None:
    demand_second_factor(world.here)
    world.alice.is_staff = True
    world.alice.save()
    client.force_login(world.alice)
    assert client.get("/admin/")["Location"].startswith("/entrar/segundo-factor/preparar/")


# --- The lock of an idle session ------------------------------------------------------------------


def make_idle(client: Client, seconds: float) -> None:
    """Nobody has been at the session for so long."""
    session = client.session
    session["seen"] = time.time() - seconds
    session.save()


def test_an_idle_session_locks_on_the_server_and_goes_on_where_it_was(
    world: World, client: Client
) -> None:
    enter(client, world.alice.email)
    key = client.session.session_key
    make_idle(client, 15 * 60 + 1)
    response = client.get("/perfil/?tab=2")
    assert response["Location"] == "/bloqueo/?next=/perfil/%3Ftab%3D2"
    assert client.get("/perfil/segundo-factor/")["Location"].startswith("/bloqueo/")
    page = client.get(response["Location"])
    assert page.status_code == 200
    wrong = client.post("/bloqueo/", {"password": "wrong", "next": "/perfil/?tab=2"})
    assert wrong.status_code == 422
    assert client.get("/perfil/").status_code == 302
    right = client.post("/bloqueo/", {"password": PASSWORD, "next": "/perfil/?tab=2"})
    assert right["Location"] == "/perfil/?tab=2"
    assert client.get("/perfil/").status_code == 200
    assert client.session.session_key != key
    assert world.alice.sessions.count() == 1


def test_fourteen_minutes_do_not_lock(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    make_idle(client, 14 * 60)
    assert client.get("/perfil/").status_code == 200


def test_looking_at_the_lock_does_not_wake_the_session(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    make_idle(client, 16 * 60)
    seen = client.session["seen"]
    client.get("/bloqueo/")
    client.get("/perfil/")
    assert client.session["seen"] == seen


def test_the_page_can_lock_itself_and_comes_back_to_where_it_was(
    world: World, client: Client
) -> None:
    enter(client, world.alice.email)
    response = client.post("/bloqueo/", HTTP_REFERER="http://testserver/perfil/?a=1")
    assert response["Location"] == "/bloqueo/?next=/perfil/%3Fa%3D1"
    assert client.get("/perfil/").status_code == 302


def test_the_lock_leads_to_no_other_site(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    client.post("/bloqueo/")
    response = client.post("/bloqueo/", {"password": PASSWORD, "next": "//evil.example/"})
    assert response["Location"] == "/"


def test_a_lock_that_nobody_opens_ends_the_session(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    make_idle(client, 15 * 60 + 60 * 60 + 1)
    assert client.get("/perfil/")["Location"] == "/entrar/?next=/perfil/"
    assert actions(world.alice) == ["sign_in", "session_ended"]


def test_no_session_lasts_longer_than_the_organisation_says(world: World, client: Client) -> None:
    enter(client, world.alice.email)
    session = client.session
    session["started"] = time.time() - 12 * 3600 - 1
    session.save()
    assert client.get("/perfil/").status_code == 302
    assert actions(world.alice)[-1] == "session_ended"


def test_the_organisation_sets_the_minutes(world: World, client: Client) -> None:
    world.here.options = {"second_factor": False, "idle_minutes": 2}
    world.here.save()
    enter(client, world.alice.email)
    make_idle(client, 121)
    assert client.get("/perfil/").status_code == 302


def test_pages_are_not_kept_by_a_cache(world: World, client: Client) -> None:
    client.force_login(world.alice)
    for page in ["/entrar/", "/perfil/"]:
        assert "no-store" in client.get(page)["Cache-Control"]


def test_a_suspended_persons_next_request_is_nobodys(world: World, client: Client) -> None:
    admin = employee(world.here, "administrator")
    enter(client, world.alice.email)
    people.suspend(acting(admin), world.alice.uuid, reason="leave")
    assert client.get("/perfil/").status_code == 302
    assert enter(Client(), world.alice.email).status_code == 200
    assert Membership.objects.filter(user=world.alice, ended_at=None).count() == 1
    assert "session_ended" in actions(world.alice)


def test_reverse_names_of_allauth_are_there() -> None:
    for name in ["account_login", "account_logout", "mfa_index", "account_reset_password"]:
        assert reverse(name)

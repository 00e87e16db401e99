"""Keys of connected systems: shown once, hashed, scoped, expiring, revocable, and never in a log."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from crm.accounts.authentication import ApiAuthentication
from crm.accounts.models import ApiClient, User
from crm.accounts.services import api_clients, people
from crm.audit.models import AuditEntry
from crm.kit.actor import EVERYWHERE, Door, Kind, Origin
from crm.kit.errors import DomainError, Invalid, NotFound
from crm.kit.policy import catalogue
from crm.kit.secrets import digest
from tests.conftest import World
from tests.factories.accounts import acting, employee

ORIGIN = Origin(Door.API)


class WhoAmI(APIView):
    """Says who acts."""

    authentication_classes = [ApiAuthentication]

    def get(self, request: object) -> Response:
        """The actor's name, or 401."""
        from rest_framework.exceptions import NotAuthenticated

        if request.user is None:  # type: ignore[attr-defined]
            raise NotAuthenticated
        return Response({"name": request.user.name})  # type: ignore[attr-defined]

    def post(self, request: object) -> Response:
        """The same by POST."""
        return self.get(request)


def call(key: str | None, scheme: str = "Bearer") -> Response:
    """A request with this key."""
    headers = {"HTTP_AUTHORIZATION": f"{scheme} {key}"} if key is not None else {}
    return WhoAmI.as_view()(APIRequestFactory().get("/api/v1/x/", **headers))


@pytest.fixture
def admin(world: World) -> User:
    """An administrator of the whole organisation."""
    return employee(world.here, "administrator")


def make(admin: User, name: str = "Registro", **fields: object) -> tuple[ApiClient, str]:
    """A key for reading cases."""
    values: dict[str, object] = {
        "scopes": ["cases.view_case"],
        "expires_at": timezone.now() + timedelta(days=30),
        **fields,
    }
    return api_clients.create_api_client(acting(admin), name=name, **values)  # type: ignore[arg-type]


def test_a_key_opens_its_organisation_for_its_scopes(world: World, admin: User) -> None:
    client, key = make(admin)
    assert key.startswith(f"vnt_{client.prefix}_")
    actor = api_clients.actor_by_key(key, ORIGIN)
    assert actor is not None
    assert (actor.kind, actor.organisation_code, actor.name) == (
        Kind.API_CLIENT,
        "HERE",
        "Registro",
    )
    assert dict(actor.permissions) == {"cases.view_case": actor.reach("cases.view_case")}
    assert call(key).data == {"name": "Registro"}


def test_a_key_gives_nobody_rights_that_they_may_not_give(world: World) -> None:
    """Whoever makes a key sees it, and could read with it what they may not read themselves."""
    mine = dict.fromkeys(["accounts.manage_api_clients", "cases.view_case"], EVERYWHERE)
    manager = replace(acting(world.alice), permissions=mine)

    def give(*scopes: str) -> ApiClient:
        return api_clients.create_api_client(
            manager, name="Registro", scopes=scopes, expires_at=None
        )[0]

    with pytest.raises(Invalid) as refused:
        give("cases.view_case", "citizens.view_citizen")
    assert str(catalogue["citizens.view_citizen"].sentence) in refused.value.errors["scopes"][0]
    assert str(catalogue["cases.view_case"].sentence) not in refused.value.errors["scopes"][0]
    assert not ApiClient.objects.unscoped("a test").exists()
    assert give("cases.view_case").scopes == ["cases.view_case"]


def test_only_the_digest_is_kept(world: World, admin: User) -> None:
    client, key = make(admin)
    client.refresh_from_db()
    assert client.key_digest == digest(key)
    assert key not in str(client.__dict__) + repr(client)
    entry = AuditEntry.objects.filter(action="accounts.manage_api_clients").latest("id")
    assert key not in str(entry.__dict__)
    assert key.split("_", 2)[2] not in str(entry.__dict__)


def bare(content: bytes) -> str:
    """A problem without the id of its request."""
    problem = json.loads(content)
    return str({key: problem[key] for key in ("type", "title", "status", "detail")})


def test_wrong_expired_and_revoked_keys_are_all_answered_alike(world: World, admin: User) -> None:
    client, key = make(admin)
    expired, old = make(admin, "Old")
    ApiClient.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    revoked, gone = make(admin, "Gone")
    api_clients.revoke_api_client(acting(admin), revoked.uuid)
    wrong = [
        "",
        "x",
        "vnt_",
        "vnt__",
        "vnt_zzzz_y",
        "vnt_\0_y",
        "vnt_ñ_y",
        key + "x",
        key[:-1],
        key.replace("vnt_", "ghp_"),
        old,
        gone,
        "é",
    ]
    calls = [call(one) for one in wrong]
    answers = {(one.status_code, bare(one.content), one["WWW-Authenticate"]) for one in calls}
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401
    assert next(iter(answers))[2] == 'Bearer realm="api"'
    assert call(None).status_code == 401
    assert call(key).status_code == 200
    assert client.prefix in key


def test_the_keys_of_who_is_suspended_or_gone_open_nothing(
    world: World, admin: User, client: Client
) -> None:
    other = employee(world.here, "administrator", full_name="Otra Admin")
    _system, key = make(other)
    assert call(key).status_code == 200
    client.force_login(admin)
    page = client.get(f"/organizacion/personal/{other.uuid}/").content.decode()
    assert "Keys that stop while this person may not act here: Registro." in page
    people.suspend(acting(admin), other.uuid, reason="Prueba")
    assert call(key).status_code == 401
    listed = client.get("/organizacion/sistemas/").content.decode()
    assert "Stopped: Otra Admin may not act here" in listed
    people.reactivate(acting(admin), other.uuid)
    assert call(key).status_code == 200
    people.end_membership(acting(admin), other.uuid)
    assert call(key).status_code == 401
    by_command = ApiClient.objects.get()
    ApiClient.objects.filter(pk=by_command.pk).update(created_by=None)
    assert call(key).status_code == 200


def test_an_inactive_organisations_keys_open_nothing(world: World, admin: User) -> None:
    _client, key = make(admin)
    world.here.is_active = False
    world.here.save()
    assert call(key).status_code == 401


def test_the_last_use_is_written_once_a_minute_and_audited_once_a_day(
    world: World, admin: User
) -> None:
    client, key = make(admin)
    for _ in range(3):
        call(key)
    client.refresh_from_db()
    first = client.last_used_at
    assert first is not None
    assert AuditEntry.objects.filter(action="key_used").count() == 1
    ApiClient.objects.filter(pk=client.pk).update(last_used_at=first - timedelta(minutes=2))
    call(key)
    client.refresh_from_db()
    assert client.last_used_at is not None
    assert client.last_used_at > first
    ApiClient.objects.filter(pk=client.pk).update(last_used_at=first - timedelta(days=1))
    call(key)
    assert AuditEntry.objects.filter(action="key_used").count() == 2


def test_a_refused_key_is_not_logged(
    world: World, admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    _client, key = make(admin)
    Client().get("/api/v1/cases/", headers={"Authorization": f"Bearer {key}x"})
    Client().get("/api/v1/cases/", headers={"Authorization": f"Bearer {key}"})
    assert key not in caplog.text


def test_a_session_needs_the_csrf_token_for_the_api(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.alice)
    request = APIRequestFactory(enforce_csrf_checks=True).post("/api/v1/x/")
    request.actor = acting(world.alice)
    assert WhoAmI.as_view()(request).status_code == 403
    reading = APIRequestFactory(enforce_csrf_checks=True).get("/api/v1/x/")
    reading.actor = acting(world.alice)
    assert WhoAmI.as_view()(reading).status_code == 200


def test_machines_neither_give_rights_nor_audit_beside_other_things(
    world: World, admin: User
) -> None:
    for scopes in (
        ["accounts.grant_role"],
        ["*"],
        [],
        ["cases"],
        ["cases.view_case", "audit.view_entry"],
    ):
        with pytest.raises(Invalid):
            make(admin, scopes=scopes)
    client, _key = make(admin, scopes=["accounts.*"], name="Turnos")
    assert client.scopes == ["accounts.manage_absences"]  # the rota; nothing that gives rights
    client, _key = make(admin, scopes=["audit.view_entry"])
    assert client.scopes == ["audit.view_entry"]


def test_a_star_is_the_whole_room(world: World, admin: User) -> None:
    client, _key = make(admin, scopes=["cases.*", "citizens.view_citizen"])
    rooms = [name for name in catalogue if name.startswith("cases.")]
    assert client.scopes == sorted([*rooms, "citizens.view_citizen"])


def test_keys_do_not_last_for_ever(world: World, admin: User) -> None:
    for days in (-1, 731):
        with pytest.raises(Invalid):
            make(admin, expires_at=timezone.now() + timedelta(days=days))


def test_another_organisations_key_does_not_exist(world: World, admin: User) -> None:
    client, key = make(admin)
    stranger = employee(world.elsewhere, "administrator")
    with pytest.raises(NotFound):
        api_clients.revoke_api_client(acting(stranger), client.uuid)
    assert call(key).status_code == 200


def test_without_the_permission_there_are_no_keys(world: World) -> None:
    with pytest.raises(DomainError) as refused:
        make(world.alice)
    assert refused.value.status == 403


def test_the_page_shows_the_key_once(world: World, admin: User, client: Client) -> None:
    client.force_login(admin)
    until = (timezone.now() + timedelta(days=90)).date().isoformat()
    page = client.post(
        "/organizacion/sistemas/",
        {"name": "ERP", "expires_on": until, "scopes": ["cases.view_case"]},
    )
    key = page.context["key"]
    assert key in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    again = client.get("/organizacion/sistemas/").content.decode()
    assert key not in again
    assert ApiClient.objects.get().prefix in again
    assert (
        client.post("/organizacion/sistemas/", {"name": "", "expires_on": "x"}).status_code == 422
    )
    client.post(f"/organizacion/sistemas/{ApiClient.objects.get().uuid}/anular/")
    assert call(key).status_code == 401


def test_a_key_for_nothing_is_refused_and_one_for_a_year_is_offered(
    admin: User, client: Client
) -> None:
    client.force_login(admin)
    page = client.get("/organizacion/sistemas/")
    until = page.context["form"]["expires_on"].value()
    assert until == timezone.localdate() + timedelta(days=365)
    assert 'href="/api/v1/docs/"' in page.content.decode()
    refused = client.post("/organizacion/sistemas/", {"name": "ERP", "expires_on": str(until)})
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["scopes"]
    assert not ApiClient.objects.exists()


def run(**options: str) -> str:
    """What the command prints."""
    out = StringIO()
    arguments = {"organisation": "HERE", "name": "Load", "scopes": "cases.view_case", **options}
    call_command("create_api_client", stdout=out, **arguments)
    return out.getvalue()


def test_the_command_prints_the_key_on_its_last_line(world: World) -> None:
    key = run(scopes="cases.view_case, citizens.*").splitlines()[-1]
    assert call(key).data == {"name": "Load"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scopes": "cases.fly"}, "Unknown scopes: cases.fly. There are: .*cases.view_case"),
        ({"organisation": "NONE"}, "There is no organisation 'NONE'."),
        ({"scopes": ""}, "Choose at least one action."),
        ({"name": " "}, "Give it a name by which people know it."),
    ],
)
def test_the_command_says_what_is_wrong(world: World, options: dict[str, str], text: str) -> None:
    with pytest.raises(CommandError, match=text):
        run(**options)


def test_the_command_does_not_make_the_same_system_twice(world: World) -> None:
    run()
    with pytest.raises(CommandError, match="Load"):
        run()
    assert ApiClient.objects.count() == 1

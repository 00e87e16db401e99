"""Connected systems: keys that are shown once, kept as digests, and let in by what they were given."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from crm.accounts.actors import actor_for_client
from crm.accounts.models import ApiClient
from crm.accounts.permissions import GRANT_ROLE, INVITE_USER, MANAGE_API_CLIENTS
from crm.audit.permissions import VIEW_ENTRY
from crm.audit.record import record
from crm.kit.actor import Actor, Origin
from crm.kit.errors import Invalid
from crm.kit.policy import catalogue, require
from crm.kit.secrets import digest, new_token
from crm.organisations.models import Organisation

FOR_PEOPLE_ONLY = {INVITE_USER, GRANT_ROLE, MANAGE_API_CLIENTS}  # machines give no rights
USED_EVERY = timedelta(minutes=1)  # the last use is written down no more often
LONGEST = timedelta(days=2 * 365)
NAME_LENGTH = 120


def scopes_on_offer() -> list[str]:
    """The permissions that a connected system may be given."""
    return [one.name for one in catalogue.values() if one.name not in FOR_PEOPLE_ONLY]


def expand(scopes: Collection[str]) -> list[str]:
    """Scopes with `room.*` written out; Invalid names the unknown ones and lists the valid."""
    offered = scopes_on_offer()
    found: list[str] = []
    unknown: list[str] = []
    for scope in scopes:
        room = scope.removesuffix("*")
        matching = [
            name
            for name in offered
            if name == scope or (scope == f"{room}*" and name.startswith(room))
        ]
        found += matching
        unknown += [] if matching and room != "" else [scope]
    if unknown:
        text = _("Unknown scopes: %(unknown)s. There are: %(valid)s.")
        raise Invalid(
            errors={"scopes": [text % {"unknown": ", ".join(unknown), "valid": ", ".join(offered)}]}
        )
    return sorted(set(found))


@transaction.atomic
def create_api_client(
    actor: Actor, *, name: str, scopes: Collection[str], expires_at: datetime | None
) -> tuple[ApiClient, str]:
    """A system may call the API for these actions until then, as long as whoever makes the key may act
    here; the key is returned this once only.

    Whoever sees a key can use it: nobody gains rights by making one who may not give rights anyway.
    """
    require(actor, MANAGE_API_CLIENTS)
    organisation = Organisation.objects.for_actor(actor).select_for_update().get()
    granted = expand(scopes)
    _check(actor, name=name, scopes=granted, expires_at=expires_at)
    prefix = secrets.token_hex(4)
    key = f"vnt_{prefix}_{new_token()}"
    client = ApiClient.objects.create(
        organisation=organisation,
        name=name,
        prefix=prefix,
        key_digest=digest(key),
        scopes=granted,
        expires_at=expires_at,
        created_by_id=actor.user_id,
    )
    record(actor, MANAGE_API_CLIENTS, client, created=True, scopes=granted)
    return client, key


@transaction.atomic
def revoke_api_client(actor: Actor, client_id: UUID) -> ApiClient:
    """The key opens nothing any more, from the next request on."""
    require(actor, MANAGE_API_CLIENTS)
    client = ApiClient.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=client_id)
    if client.revoked_at is None:
        client.revoked_at = timezone.now()
        client.save(update_fields=["revoked_at", "updated_at"])
        record(actor, MANAGE_API_CLIENTS, client, revoked=True)
    return client


_ASKED_OF_A_KEY = (
    *("uuid", "name", "scopes", "key_digest", "last_used_at", "expires_at", "revoked_at"),
    "created_by",
    *("organisation__code", "organisation__name", "organisation__is_active"),
)


def actor_by_key(key: str, origin: Origin) -> Actor | None:
    """The connected system that the key belongs to; None when it is unknown, expired, revoked or
    made by somebody who may not act there any more."""
    parts = key.split("_", 2)
    prefix = parts[1] if len(parts) == 3 and parts[0] == "vnt" and parts[1].isalnum() else ""
    every = ApiClient.objects.unscoped("before there is an actor").select_related("organisation")
    # at every call of the API: no column and no clause more, which cost more than the answer
    client = next(iter(every.filter(prefix=prefix).only(*_ASKED_OF_A_KEY)), None)
    known = client.key_digest if client else ""
    if not constant_time_compare(digest(key), known) or client is None or not in_force(client):
        return None
    actor = actor_for_client(client, origin)
    _note_use(client, actor)
    return actor


def in_force(client: ApiClient) -> bool:
    """Whether its key opens doors now."""
    expired = client.expires_at is not None and client.expires_at <= timezone.now()
    if client.revoked_at is not None or expired or not client.organisation.is_active:
        return False
    mine = ApiClient.objects.unscoped("whether its maker may act").filter(pk=client.pk)
    return client.created_by_id is None or mine.made_by_who_may_act().exists()


def _note_use(client: ApiClient, actor: Actor) -> None:
    """Keep the last use, at most once a minute, and audit the first of a day."""
    now, before = timezone.now(), client.last_used_at
    if before is not None and now - before < USED_EVERY:
        return
    with transaction.atomic():
        mine = ApiClient.objects.unscoped("its own use").filter(pk=client.pk, last_used_at=before)
        if mine.update(last_used_at=now) and (before is None or before.date() != now.date()):
            record(actor, "key_used", client)


def _wrong_scopes(actor: Actor, scopes: Collection[str]) -> str:
    """Why the actor may not give a system these actions together; empty when they may."""
    if not scopes:
        return _("Choose at least one action.")
    if VIEW_ENTRY in scopes and len(scopes) > 1:
        return _("Reading the audit trail combines with nothing else.")
    beyond = [str(catalogue[one].sentence) for one in scopes if not actor.reach(one).everywhere]
    if beyond and not actor.reach(GRANT_ROLE).everywhere:
        text = _(
            "You may not do this yourself in the whole organisation: %(actions)s. "
            "Ask somebody who may give roles to create this key."
        )
        return text % {"actions": "; ".join(beyond)}
    return ""


def _check(
    actor: Actor, *, name: str, scopes: Collection[str], expires_at: datetime | None
) -> None:
    errors: dict[str, list[str]] = {}
    if not name.strip():
        errors["name"] = [_("Give it a name by which people know it.")]
    elif len(name) > NAME_LENGTH:
        errors["name"] = [_("Write at most %(limit)s characters.") % {"limit": NAME_LENGTH}]
    elif ApiClient.objects.for_actor(actor).filter(name=name, revoked_at=None).exists():
        text = _("There is a connected system named “%(name)s” already: revoke it first.")
        errors["name"] = [text % {"name": name}]
    if wrong := _wrong_scopes(actor, scopes):
        errors["scopes"] = [wrong]
    now = timezone.now()
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        errors["expires_at"] = [_("Choose a day within the next two years.")]
    if errors:
        raise Invalid(errors=errors)

"""A locked session goes on by a passkey that opens the door alone, and by no lesser one."""

import json
from hashlib import sha256

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from crm.accounts.models import User
from crm.audit.models import AuditEntry
from tests.conftest import World

ORIGIN = "http://testserver"
TOUCHED, KNEW_THE_PERSON, WITH_KEY = 0x01, 0x04, 0x40


class Device:
    """An authenticator in software, with one key of one user."""

    def __init__(self, user: User, *, alone: bool) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = sha256(f"{user.pk} {alone}".encode()).digest()
        public = ES256.from_cryptography_key(self.key.public_key())
        data = AuthenticatorData.create(
            self._site(),
            TOUCHED | KNEW_THE_PERSON | WITH_KEY,
            0,
            AttestedCredentialData.create(b"\0" * 16, self.id, public),
        )
        made = CollectedClientData.create("webauthn.create", b"\0" * 32, ORIGIN)
        Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={
                "name": "Llave",
                "credential": {
                    **self._named(),
                    "clientExtensionResults": {"credProps": {"rk": alone}},
                    "response": {
                        "clientDataJSON": websafe_encode(made),
                        "attestationObject": websafe_encode(
                            AttestationObject.create("none", data, {})
                        ),
                    },
                },
            },
        )

    def answer(self, challenge: bytes, flags: int = TOUCHED | KNEW_THE_PERSON) -> str:
        """What the browser puts into the form."""
        asked = CollectedClientData.create("webauthn.get", challenge, ORIGIN)
        data = AuthenticatorData.create(self._site(), flags, 1)
        signature = self.key.sign(data + asked.hash, ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": websafe_encode(asked),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
        }
        return json.dumps({**self._named(), "response": response, "clientExtensionResults": {}})

    def _named(self) -> dict[str, str]:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
        }

    def _site(self) -> bytes:
        return sha256(b"testserver").digest()


@pytest.fixture
def locked(world: World, client: Client) -> Client:
    client.force_login(world.alice)
    client.post("/bloqueo/")
    assert client.get("/perfil/").status_code == 302
    return client


def challenge_of(page: object) -> bytes:
    """What the page asks a device to sign."""
    context = page.context  # type: ignore[attr-defined]
    asked = context.get("passkey") or context["js_data"]["request_options"]
    return websafe_decode(asked["publicKey"]["challenge"])


def unlock(client: Client, credential: str) -> int:
    given = {"credential": credential, "next": "/perfil/"}
    return client.post("/bloqueo/", given).status_code


def test_a_passkey_opens_the_lock(world: World, locked: Client) -> None:
    device = Device(world.alice, alone=True)
    page = locked.get("/bloqueo/?next=/perfil/")
    key = locked.session.session_key
    assert "passkey-options" in page.content.decode()
    credential = device.answer(challenge_of(page))
    assert unlock(locked, credential) == 302
    assert locked.get("/perfil/").status_code == 200
    assert locked.session.session_key != key
    locked.post("/bloqueo/")
    assert unlock(locked, credential) == 422, "an answer opens once"


def test_no_lesser_answer_opens_it(world: World, locked: Client) -> None:
    device = Device(world.alice, alone=True)
    page = locked.get("/bloqueo/")
    assert unlock(locked, device.answer(challenge_of(page), TOUCHED)) == 422
    stranger = Device(world.bob, alone=True)
    assert unlock(locked, stranger.answer(challenge_of(locked.get("/bloqueo/")))) == 422
    for nonsense in ("", "{}", "[1]", "null", "x"):
        assert unlock(locked, nonsense) == 422
    assert locked.get("/perfil/").status_code == 302
    refused = AuditEntry.objects.filter(action="sign_in_refused", actor_id=world.alice.pk)
    assert refused.count() == 7
    assert refused.first().data["reason"] == "passkey"  # type: ignore[union-attr]


def test_a_key_that_is_only_a_second_factor_opens_nothing(world: World, locked: Client) -> None:
    """The page that confirms by a second factor is open to a locked session and asks for a touch."""
    device = Device(world.alice, alone=False)
    assert locked.get("/bloqueo/").context["passkey"] is None
    assert unlock(locked, device.answer(challenge_of(locked.get("/confirmar/llave/")))) == 422
    better = Device(world.alice, alone=True)
    asked = challenge_of(locked.get("/confirmar/llave/"))
    assert unlock(locked, better.answer(asked, TOUCHED)) == 422
    page = locked.get("/bloqueo/")
    assert unlock(locked, device.answer(challenge_of(page))) == 422
    assert locked.get("/perfil/").status_code == 302

"""The other side of a webhook, written from the text of Standard Webhooks alone."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tests.integrations.servers import Asked


def verified(asked: Asked, secret: str, *, now: float | None = None) -> dict[str, Any]:
    """The event, if the message is authentic.

    Fails where a receiver would refuse: a wrong signature, or a message older than five minutes.
    """
    event, sent = asked.headers["webhook-id"], asked.headers["webhook-timestamp"]
    assert abs((now or time.time()) - int(sent)) <= 300, "too old or from the future"
    assert "." not in sent
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret[len("whsec_") :], validate=True)
    assert 24 <= len(key) <= 64
    content = event.encode("ascii") + b"." + sent.encode("ascii") + b"." + asked.body
    mac = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    versions = [one.split(",", 1) for one in asked.headers["webhook-signature"].split(" ")]
    right = [hmac.compare_digest(mac, text) for version, text in versions if version == "v1"]
    assert any(right), "not signed with this secret"
    body: dict[str, Any] = json.loads(asked.body)
    return body

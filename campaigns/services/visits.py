"""Visits of short links: where they lead, and what kind of program came."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import AgentKind, Click, ShortLink

SLOTS = 8
_MACHINES = (
    *("bot", "crawl", "spider", "slurp", "preview", "scanner", "proofpoint", "mimecast"),
    *("barracuda", "safelinks", "urldefense", "curl", "wget", "python", "java/", "go-http"),
    *("headless", "facebookexternalhit", "whatsapp", "telegram", "skypeuripreview", "slack"),
)


def link_by_code(code: str) -> ShortLink | None:
    """The short link of a code."""
    rows = ShortLink.objects.unscoped("whoever has the message may follow it")
    return rows.select_related("organisation").filter(code=code).first()


def judged(method: str, headers: Mapping[str, str]) -> tuple[AgentKind, list[str]]:
    """What kind of program came, and by what it was known."""
    reasons = []
    if method == "HEAD":
        reasons.append("head")
    purpose = (
        f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')} {headers.get('X-Moz', '')}"
    )
    if "prefetch" in purpose.lower() or "preview" in purpose.lower():
        reasons.append("purpose")
    if reasons:
        return AgentKind.PREFETCH, reasons
    agent = headers.get("User-Agent", "").lower()
    known = next((word for word in _MACHINES if word in agent), "")
    if known:
        return AgentKind.SCANNER, [f"agent:{known}"]
    if not agent.startswith("mozilla/"):
        return AgentKind.UNKNOWN, ["agent"]
    return AgentKind.HUMAN, []


@transaction.atomic
def record_visit(link: ShortLink, kind: AgentKind, reasons: list[Any]) -> None:
    """The visit counts, of its kind; nothing is kept of who came."""
    Click.objects.create(link=link, agent_kind=kind, reasons=reasons)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_clickcount (link_id, agent_kind, day, slot, count)"
            " VALUES (%s, %s, %s, %s, 1) ON CONFLICT (link_id, agent_kind, day, slot)"
            " DO UPDATE SET count = campaigns_clickcount.count + 1",
            [link.pk, kind, timezone.localdate(), secrets.randbelow(SLOTS)],
        )

"""Files that nothing is about yet, or any more (papers of a form that is not filed, a file taken out of an
answer): kept a day, then swept."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cases.models import DraftPaper
from crm.kit import files
from crm.kit.actor import Actor

KEPT = timedelta(hours=24)  # longer than any form is good for with papers in it


def keep_waiting(actor: Actor, digests: Iterable[str]) -> None:
    """The files of these SHA-256 wait from now on for a row about them; those that did already, anew."""
    now = timezone.now()
    DraftPaper.objects.bulk_create(
        (
            DraftPaper(organisation_id=actor.organisation_id, sha256=digest, waits_since=now)
            for digest in sorted(set(digests))
        ),
        update_conflicts=True,
        unique_fields=["organisation", "sha256"],
        update_fields=["waits_since"],
    )


def forget_papers(at_most: int = 500) -> int:
    """What waited for longer than KEPT is gone; how many files. What any row is about stays."""
    rows = DraftPaper.objects.unscoped("whoever sent them").filter(
        waits_since__lt=timezone.now() - KEPT
    )
    gone = 0
    for paper in rows.order_by("waits_since")[:at_most]:
        with transaction.atomic():
            row = (
                rows.select_for_update(skip_locked=True).filter(pk=paper.pk).first()
            )  # sent anew meanwhile: it waits
            if row is None:
                continue
            row.delete()
            if not files.held(row.sha256):
                gone += files.discard(row.path, unused_for=KEPT.total_seconds())
    return gone

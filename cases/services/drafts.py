"""Papers that citizens have sent with a request form which is not filed yet: kept a day, then swept."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cases.models import DraftPaper
from crm.kit import files
from crm.kit.actor import Actor

KEPT = timedelta(hours=24)  # longer than any form is good for with papers in it


def keep_waiting(visitor: Actor, papers: Sequence[files.Stored]) -> None:
    """These papers wait for their form from now on; those that did already, anew."""
    now = timezone.now()
    DraftPaper.objects.bulk_create(
        (
            DraftPaper(
                organisation_id=visitor.organisation_id, sha256=paper.sha256, waits_since=now
            )
            for paper in sorted(papers, key=lambda paper: paper.sha256)
        ),
        update_conflicts=True,
        unique_fields=["organisation", "sha256"],
        update_fields=["waits_since"],
    )


def forget_papers(at_most: int = 500) -> int:
    """Papers whose form was never sent are gone after KEPT; how many. What any row is about stays."""
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

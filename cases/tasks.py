"""Background work on cases."""

from uuid import UUID

from celery import shared_task

from cases import services
from cases.services import bulk, clocks, drafts, imports
from crm.kit.tasks import enqueue, every


@shared_task(name=bulk.TASK)
def run_bulk(action: str) -> None:
    """Run a bulk action to its end."""
    bulk.run_bulk(UUID(action))


@every(60)
@shared_task(name="cases.resume_bulk")
def resume_bulk() -> None:
    """Take up again the bulk actions whose worker died."""
    for action in bulk.stalled_bulks():
        enqueue(bulk.TASK, str(action))


@every(3600)
@shared_task(name="cases.forget_unstarted_bulk", expires=3600)
def forget_unstarted_bulk() -> None:
    """Bulk actions that were looked through and never started are not kept."""
    bulk.forget_unstarted()


@every(3600)
@shared_task(name="cases.resume_clocks", expires=3600)
def resume_clocks() -> None:
    """Legal terms that stood still for as long as they may run again."""
    clocks.resume_expired()


@every(300)
@shared_task(name="cases.recompute_clocks", expires=300)
def recompute_clocks() -> None:
    """Open cases are due when the calendars of now say."""
    clocks.recompute_all()


@every(300)
@shared_task(name="cases.look_again", expires=300)
def look_again() -> None:
    """Have the virus scanner judge the files that came while it did not answer."""
    services.look_again()


@every(24 * 3600)
@shared_task(name="cases.forget_import_files")
def forget_import_files() -> None:
    """Uploaded files of imports are not kept longer than they serve."""
    imports.forget_files()


@every(3600)
@shared_task(name="cases.forget_draft_papers")
def forget_draft_papers() -> None:
    """Papers of request forms that were never sent are not kept."""
    drafts.forget_papers()

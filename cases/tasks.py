"""Background work on cases."""

from uuid import UUID

from celery import shared_task

from cases import services
from cases.services import bulk, clocks, drafting, drafts, imports, reminding, targets, versions
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


@shared_task(name=versions.TASK)
def migrate_cases(migration: str) -> None:
    """Take the open cases of one version of their type to another."""
    versions.run_migration(UUID(migration))


@every(60)
@shared_task(name="cases.resume_migrations")
def resume_migrations() -> None:
    """Take up again the migrations of cases whose worker died."""
    for migration in versions.stalled_migrations():
        enqueue(versions.TASK, str(migration))


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


@every(60)
@shared_task(name="cases.expire_transfers", expires=60)
def expire_transfers() -> None:
    """Offers that nobody answered in time are over: their origin decides anew."""
    services.expire_transfers()


@every(300)
@shared_task(name="cases.recompute_clocks", expires=300)
def recompute_clocks() -> None:
    """Open cases are due when the calendars of now say."""
    clocks.recompute_all()


@every(15)
@shared_task(name="cases.deal_waiting", expires=60)
def deal_waiting() -> None:
    """What nobody has is given out where the unit's rule says so."""
    services.deal_waiting()


@every(60)
@shared_task(name="cases.hand_over", expires=60)
def hand_over() -> None:
    """What somebody who is away had goes to another; what was theirs comes back with them."""
    services.hand_over()
    services.give_back()


@every(30)
@shared_task(name="cases.sweep_targets", expires=30)
def sweep_targets() -> None:
    """Service targets that are in danger or were missed are told, once each."""
    targets.sweep()


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


@every(3600)
@shared_task(name="cases.sweep_drafts", expires=3600)
def sweep_drafts() -> None:
    """Drafts that nobody will finish are not kept for ever."""
    drafting.sweep_drafts()


@every(900)
@shared_task(name="cases.tell_deadlines", expires=900)
def tell_deadlines() -> None:
    """Whoever has a case or task learns that its date is near."""
    reminding.tell_deadlines()


@every(300)
@shared_task(name="cases.look_at_views", expires=300)
def look_at_views() -> None:
    """Whoever watches a view learns what came into it."""
    reminding.look_at_views()

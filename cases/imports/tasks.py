"""Imports carried out by workers: ids in, safe to run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.imports.load import Overtaken, run
from cases.models import Import
from cases.permissions import IMPORT_CASES
from crm.accounts.actors import actor_for, system_actor
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import DomainError, Refused
from crm.kit.policy import require
from crm.kit.tasks import every

STALLED = timedelta(minutes=2)  # an import that told nothing for so long lost its worker


@shared_task(name="cases.run_import")
def run_import(load_id: int) -> None:
    """Carry an import out as who asked for it, with the rights of now."""
    load = Import.objects.unscoped("the row names its organisation").filter(pk=load_id).first()
    if load is None or load.status not in Import.UNFINISHED:
        return
    try:
        actor = _actor(load)
        require(actor, IMPORT_CASES, load.unit)
        run(actor, load)
    except Overtaken:
        return
    except DomainError as error:
        Import.objects.unscoped("say why it failed").filter(pk=load_id).update(
            status=Import.Status.FAILED, error=str(error)[:2000], finished_at=timezone.now()
        )


@every(60)
@shared_task(name="cases.resume_imports")
def resume_imports() -> None:
    """Take up imports whose worker died."""
    stalled = Import.objects.unscoped("the system resumes for everyone").filter(
        status=Import.Status.LOADING,
        requested_by__isnull=False,  # those of the command line go on when it is run again
        updated_at__lt=timezone.now() - STALLED,
    )
    for load_id in stalled.values_list("pk", flat=True):
        run_import.delay(load_id)


def _actor(load: Import) -> Actor:
    origin = Origin(Door.TASK)
    if load.requested_by is None:
        return system_actor(load.organisation, origin, load.requested_by_name)
    actor = actor_for(load.requested_by, load.organisation, origin)
    if actor is None:
        raise Refused(IMPORT_CASES, _("Whoever asked for it no longer works here."), load)
    return actor

"""Brings an installation up to the code it runs: tables, schedules and, where asked, the demo."""

from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from crm.kit.tasks import schedules

MADE_BY_CODE = "Made by prepare"


class Command(BaseCommand):
    """Cheap when there is nothing to do, so that it may run before every start."""

    help = "Apply pending migrations and create the schedules of beat; --demo adds the demo data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept --demo."""
        parser.add_argument("--demo", action="store_true", help="fill an empty installation")

    def handle(self, *, demo: bool, **_options: Any) -> None:
        """Migrate only when a migration is pending: looking costs a tenth of migrating."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=1)
        sync_schedules()
        if demo:
            call_command("seed_demo")


def sync_schedules() -> None:
    """Every scheduled task has its row in beat's table, and no row outlives its task.

    A row that exists stays as it is: an operator may have changed or disabled it.
    """
    current_app.loader.import_default_modules()
    wanted = schedules()
    made = PeriodicTask.objects.filter(description=MADE_BY_CODE)
    made.exclude(task__in=wanted).delete()
    missing = wanted.keys() - made.values_list("task", flat=True)
    for task in sorted(missing):
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=int(wanted[task]), period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.create(
            name=task, task=task, interval=interval, description=MADE_BY_CODE
        )

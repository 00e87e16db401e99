"""prepare brings an installation up to its code, and leaves alone what an operator decided."""

import pytest
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from crm.kit.tasks import schedules

pytestmark = pytest.mark.django_db


def test_every_scheduled_task_gets_its_row_and_keeps_what_an_operator_changed() -> None:
    call_command("prepare")
    rows = {row.task: row for row in PeriodicTask.objects.select_related("interval")}
    assert rows.keys() == schedules().keys()
    drain = rows["kit.drain_outbox"]
    assert drain.interval.every == schedules()["kit.drain_outbox"]
    assert drain.interval.period == IntervalSchedule.SECONDS

    drain.enabled = False
    drain.save()
    call_command("prepare")
    drain.refresh_from_db()
    assert not drain.enabled
    assert PeriodicTask.objects.count() == len(rows)


def test_a_row_goes_with_its_task_but_an_operators_own_stays() -> None:
    call_command("prepare")
    interval = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
    mine = PeriodicTask.objects.create(name="nightly", task="kit.sweep_outbox", interval=interval)
    gone = PeriodicTask.objects.get(task="kit.sweep_outbox", name="kit.sweep_outbox")
    gone.task = "kit.no_longer_there"
    gone.save()
    call_command("prepare")
    assert not PeriodicTask.objects.filter(pk=gone.pk).exists()
    assert PeriodicTask.objects.filter(pk=mine.pk).exists()
    assert PeriodicTask.objects.filter(name="kit.sweep_outbox").count() == 1

"""What has to be done within a case, in which order, and the papers that it needs."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from cases.models.case import FAR, Case, Confidentiality, Document, ThroughCase
from cases.permissions import VIEW_CASE, VIEW_SPECIAL
from cases.terms import read_term
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class TaskState(models.TextChoices):
    """Where a task is; done and cancelled ones are settled."""

    OPEN = "open", _("To do")
    REVIEW = "review", _("Waiting for approval")
    DONE = "done", _("Done")
    REJECTED = "rejected", _("Not approved")
    CANCELLED = "cancelled", _("Cancelled")


UNSETTLED = (TaskState.OPEN, TaskState.REVIEW, TaskState.REJECTED)
SETTLED = (TaskState.DONE, TaskState.CANCELLED)
_UNSETTLED = Q(state__in=UNSETTLED)


class TaskQuerySet(ScopedQuerySet["Task"]):
    """Tasks of the cases that somebody sees, and those that were given to their unit or to them."""

    def for_actor(self, actor: Actor) -> "TaskQuerySet":
        """Those that exist for the actor. Who was given one sees it, and of its case the name alone;
        of a specially protected case not even that."""
        rows = self.filter(organisation=actor.organisation_id)
        reach = actor.reach(VIEW_CASE)
        if not reach:
            return rows.none()
        units = sorted(reach.units)
        if not reach.everywhere:
            given = Q(unit__in=units)
            if actor.user_id is not None:
                given |= Q(assignee=actor.user_id)
            rows = rows.filter(Q(case__unit__in=units) | given)
        special = actor.reach(VIEW_SPECIAL)
        if special.everywhere and reach.everywhere:
            return rows
        where = Q() if special.everywhere else Q(case__unit__in=sorted(special.units))
        if not reach.everywhere:
            where &= Q(case__unit__in=units)
        return rows.filter(~Q(case__confidentiality=Confidentiality.SPECIAL) | where)


class Task(Owned):
    """Something to be done within a case, by a person, by a unit, or by whoever has the case."""

    State = TaskState

    class Closing(models.TextChoices):
        """What an unsettled one means to a move that ends work."""

        BLOCKS = "blocks", _("It cannot end before")
        WARNS = "warns", _("It warns")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    template = models.CharField(max_length=40, blank=True)  # code in the case type's bundle
    title = models.CharField(_("title"), max_length=200)
    instructions = models.TextField(_("instructions"), max_length=4_000, blank=True)
    # neither: whoever has the case, or while nobody has it, its unit
    unit = models.ForeignKey(
        "organisations.Unit",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    assignee = models.ForeignKey(
        "accounts.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    term = models.CharField(max_length=8, blank=True)
    starts_on = models.DateField(null=True, blank=True)  # null while others must be done before
    due_at = models.DateTimeField(_("due date"), null=True, blank=True)
    needs_approval = models.BooleanField(default=False)
    closing = models.CharField(max_length=6, choices=Closing, blank=True)
    state = models.CharField(max_length=10, choices=TaskState, default=TaskState.OPEN)
    comment = models.CharField(_("comment"), max_length=1_000, blank=True)  # of whoever did it
    done_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    done_by_name = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    reviewed_by_name = models.CharField(max_length=200, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reason = models.CharField(_("reason"), max_length=1_000, blank=True)  # why not, or why no more
    version = models.PositiveIntegerField(default=1)
    due_sort = models.GeneratedField(
        expression=Coalesce("due_at", models.Value(FAR)),
        output_field=models.DateTimeField(),
        db_persist=True,
    )

    objects = TaskQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("task")
        indexes = [
            models.Index(fields=["case", "id"], name="task_of_case"),
            models.Index(
                fields=["assignee", "due_sort", "id"], condition=_UNSETTLED, name="task_mine"
            ),
            models.Index(
                fields=["unit", "due_sort", "id"],
                condition=_UNSETTLED & Q(unit__isnull=False),
                name="task_of_unit",
            ),
            models.Index(
                fields=["organisation", "due_sort", "id"], condition=_UNSETTLED, name="task_due"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="task_has_a_title"),
            models.UniqueConstraint(
                fields=["case", "template"],
                condition=~Q(template=""),
                name="task_of_a_template_once",
            ),
            models.CheckConstraint(
                condition=Q(state="open", done_at=None)
                | Q(state__in=["review", "done", "rejected"], done_at__isnull=False)
                | Q(state="cancelled"),
                name="task_done_iff_dated",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None)
                | Q(done_by__isnull=False) & ~Q(reviewed_by=F("done_by")),
                name="task_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | ~Q(state__in=["review", "done"])
                | Q(state="review", done_by__isnull=False, reviewed_by=None)
                | Q(state="done", done_by__isnull=False, reviewed_by__isnull=False),
                name="task_done_when_approved",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=True) | ~Q(state__in=["review", "rejected"]),
                name="task_approved_only_if_asked",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["rejected", "cancelled"]) | ~Q(reason=""),
                name="task_refused_with_reason",
            ),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.title

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do: done and, where asked for, approved; or cancelled."""
        return self.state in SETTLED

    @property
    def term_words(self) -> str:
        """Within how much time, as people say it."""
        term = read_term(self.term)
        return term.words if term else ""


class TaskOrder(models.Model):
    """That a task comes after another of the same case. In a circle nothing could ever be done."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="orders")
    after = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="followers")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "after"], name="task_order_once")]
        triggers = [
            pgtrigger.Trigger(
                name="in_one_case_and_no_circle",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                declare=[("own", "bigint"), ("other", "bigint")],
                # the case's lock lets two who would close a circle together take turns
                func="""
                    SELECT case_id INTO own FROM cases_task WHERE id = NEW.task_id;
                    SELECT case_id INTO other FROM cases_task WHERE id = NEW.after_id;
                    IF own <> other THEN
                        RAISE EXCEPTION 'the tasks are of two cases'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'task_order_in_one_case';
                    END IF;
                    PERFORM 1 FROM cases_case WHERE id = own FOR NO KEY UPDATE;
                    IF EXISTS (
                        WITH RECURSIVE before(id) AS (
                            SELECT NEW.after_id
                            UNION
                            SELECT o.after_id FROM cases_taskorder o JOIN before b ON o.task_id = b.id
                        )
                        SELECT 1 FROM before WHERE id = NEW.task_id
                    ) THEN
                        RAISE EXCEPTION 'the task would come after itself'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'task_order_no_circle';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} after {self.after_id}"


class Paper(Base):
    """A document that a case needs: missing, there, not needed, or held by the administration."""

    class State(models.TextChoices):
        """Whether it still has to come."""

        MISSING = "missing", _("Missing")
        RECEIVED = "received", _("Received")
        NOT_NEEDED = "not_needed", _("Not needed")
        HELD = "held", _("The administration already has it")

    class Source(models.TextChoices):
        """Who brings it."""

        CITIZEN = "citizen", _("Citizen")
        ADMINISTRATION = "administration", _("Administration")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="papers", db_index=False)
    code = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=160)
    position = models.PositiveSmallIntegerField()
    required = models.BooleanField()
    source = models.CharField(max_length=14, choices=Source)
    needed_by = models.CharField(max_length=40, blank=True)  # state that it must be there for
    state = models.CharField(max_length=10, choices=State, default=State.MISSING)
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="papers"
    )
    reason = models.CharField(_("reason"), max_length=1_000, blank=True)
    ticked_by_name = models.CharField(max_length=200, blank=True)
    ticked_at = models.DateTimeField(null=True)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("paper of the checklist")
        constraints = [
            models.UniqueConstraint(fields=["case", "code"], name="paper_once_per_case"),
            models.CheckConstraint(
                condition=Q(state="received", document__isnull=False)
                | ~Q(state="received") & Q(document=None),
                name="paper_received_as_a_document",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["not_needed", "held"]) | ~Q(reason=""),
                name="paper_spared_with_reason",
            ),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

"""What may be done with cases: permissions in plain words, and the rules on single objects."""

from typing import Protocol

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import Decision, declare, rule

SPECIALLY_PROTECTED = 3  # the highest Confidentiality
ENDED = _("Work on this case has ended: reopen it first.")

VIEW_CASE = declare(
    "cases.view_case",
    _("see the cases of their units"),
    roles="agent office supervisor auditor integration",
)
VIEW_SPECIAL = declare(
    "cases.view_special",
    _("see specially protected cases"),
    roles="supervisor",
)
OPEN_CASE = declare(
    "cases.open_case",
    _("open cases"),
    roles="agent office supervisor integration",
)
CHANGE_CASE = declare(
    "cases.change_case",
    _("edit cases, write notes and messages, and add documents"),
    roles="agent office supervisor integration",
)
MERGE_CASE = declare(
    "cases.merge_case",
    _("merge cases of one matter, split them, and take that back"),
    roles="agent office supervisor",
)
ASSIGN_CASE = declare(
    "cases.assign_case",
    _("assign cases to others in the unit"),
    roles="supervisor",
)
CHANGE_CLOCK = declare(
    "cases.change_clock",
    _("suspend, resume and extend legal deadlines"),
    roles="supervisor",
)
CLOSE_CASE = declare(
    "cases.close_case",
    _("resolve, close and reopen cases"),
    roles="agent office supervisor integration",
)
DISTRIBUTE = declare(
    "cases.distribute",
    _("set how the free cases of their units are given out, and what each person takes on"),
    roles="supervisor administrator",
)
APPROVE_TASK = declare(
    "cases.approve_task",
    _("approve the tasks that others have done"),
    roles="supervisor",
)
TRANSFER_CASE = declare(
    "cases.transfer_case",
    _("move cases to other units, offer transfers and answer those received"),
    roles="supervisor",
)
RUN_BULK = declare(
    "cases.run_bulk",
    _("run bulk actions on many cases"),
    roles="supervisor",
)
SHARE_VIEW = declare(
    "cases.share_view",
    _("keep saved views for their units; for the organisation, whoever may in all of it"),
    roles="supervisor",
)
IMPORT_CASES = declare(
    "cases.import_cases",
    _("import cases"),
    roles="administrator integration",
)
PUBLISH_CASE_TYPE = declare(
    "cases.publish_case_type",
    _("design and publish case types and procedures"),
    roles="administrator",
)
WRITE_ARTICLE = declare(
    "cases.write_article",
    _("write knowledge articles and canned answers and propose changes to them"),
    roles="agent supervisor communications administrator",
)
PUBLISH_ARTICLE = declare(
    "cases.publish_article",
    _("publish and retire knowledge articles and canned answers"),
    roles="supervisor administrator communications",
)


class Workable(Protocol):
    """What the rules need to know of a case."""

    confidentiality: int
    unit_id: int

    @property
    def ended(self) -> bool: ...


@rule(VIEW_CASE)
@rule(CHANGE_CASE)
@rule(CHANGE_CLOCK)
@rule(CLOSE_CASE)
@rule(APPROVE_TASK)
@rule(MERGE_CASE)
@rule(ASSIGN_CASE)
@rule(TRANSFER_CASE)
def special_only_to_who_sees_such(actor: Actor, case: Workable) -> Decision:
    """A specially protected case does not exist for others; whoever gives roles is told why."""
    return Decision(
        case.confidentiality < SPECIALLY_PROTECTED
        or actor.reach(VIEW_SPECIAL).covers(case.unit_id),
        _("The case is specially protected, and none of their roles shows such cases in its unit."),
    )


@rule(ASSIGN_CASE)
@rule(CHANGE_CLOCK)
@rule(TRANSFER_CASE)
def work_goes_on(actor: Actor, case: Workable) -> Decision:
    """Only work that has not ended changes hands."""
    return Decision(not case.ended, ENDED)

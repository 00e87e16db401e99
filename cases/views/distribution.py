"""How work is given out: a unit's rules, its people with what they have, and who would get the next."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import selectors, services
from cases.dealing import in_words
from cases.distribution_forms import ProfileForm, RuleForm
from cases.models import Case, Distribution, Method, StateCategory, WorkProfile
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, DISTRIBUTE
from cases.services import dealing, distribution
from cases.views.acts import act, version_seen
from crm.accounts.models import Membership
from crm.accounts.services.absences import absent_now
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid, NotFound
from crm.kit.policy import require
from crm.organisations.models import Organisation, Unit
from crm.organisations.selectors import unit_tree


@require_GET
@needs(DISTRIBUTE)
def page(request: ActorRequest) -> HttpResponse:
    """A unit's rules, people and the next free case."""
    return _page(request, _unit(request, request.GET.get("unidad", "")))


@require_POST
@needs(DISTRIBUTE)
def set_rule(request: ActorRequest) -> HttpResponse:
    """Another rule for the unit, or for one type of case in it."""
    unit = _unit(request, request.POST.get("unit", ""))
    form = RuleForm(request.POST, actor=request.actor)

    def save() -> None:
        distribution.set_rule(request.actor, unit.uuid, **form.cleaned_data)
        messages.success(request, _("The rule is in force."))

    status = form.saved(save)
    if status == HTTPStatus.OK:
        return _back(unit)
    return _page(request, unit, form, status)


@require_POST
@needs(DISTRIBUTE)
def drop_rule(request: ActorRequest, rule: UUID) -> HttpResponse:
    """One rule less."""
    rows = Distribution.objects.for_actor(request.actor).select_related("unit")
    row = rows.get_or_refuse(uuid=rule)
    distribution.drop_rule(request.actor, rule)
    messages.success(request, _("The rule is no more: that of the place above counts."))
    return _back(row.unit) if row.unit else HttpResponseRedirect(reverse("cases:distribution"))


@require_http_methods(["GET", "POST"])
@needs(DISTRIBUTE)
def profile(request: ActorRequest, person: UUID) -> HttpResponse:
    """What one person can take on."""
    rows = Membership.objects.for_actor(request.actor).in_force().select_related("user", "unit")
    membership = rows.filter(user__uuid=person).first()
    if membership is None:
        raise NotFound
    require(request.actor, DISTRIBUTE, membership)
    kept = WorkProfile.objects.for_actor(request.actor).filter(user=membership.user).first()
    form = ProfileForm(request.POST or None, initial=ProfileForm.of(kept))
    status = 200
    if request.method == "POST":

        def save() -> None:
            distribution.set_profile(request.actor, person, **form.cleaned_data)
            messages.success(request, _("Saved."))

        status = form.saved(save)
        if status == HTTPStatus.OK:
            return _back(membership.unit) if membership.unit else HttpResponseRedirect(request.path)
    context = {"form": form, "membership": membership, "person": membership.user}
    return render(request, "cases/work_profile.html", context, status=status)


@act(ASSIGN_CASE)
def deal(request: ActorRequest, case: UUID) -> str:
    """« Repartir »."""
    row = services.deal_case(request.actor, case, version=version_seen(request))
    return _("%(name)s has the case now.") % {"name": row.assignee}


@require_POST
@needs(CHANGE_CASE)
def take_next(request: ActorRequest) -> HttpResponse:
    """« Asumir el siguiente »."""
    try:
        row = services.take_next(request.actor)
    except Invalid as error:
        messages.error(request, error.in_a_line)
        return HttpResponseRedirect(reverse("cases:home"))
    if row is None:
        messages.info(request, _("There is no free case that you could take now."))
        return HttpResponseRedirect(reverse("cases:home"))
    messages.success(request, _("%(reference)s is yours.") % {"reference": row.reference})
    return HttpResponseRedirect(reverse("cases:detail", args=[row.uuid]))


def _unit(request: ActorRequest, asked: str) -> Unit:
    """The unit asked for, else one's own, else the first of those that one may see to."""
    actor = request.actor
    units = selectors.units_where(actor, DISTRIBUTE)
    try:
        wanted = UUID(asked) if asked else None
    except ValueError:
        raise NotFound from None
    mine = next((node for node in units if node.id == actor.home_unit_id), None)
    chosen = mine or (units[0] if units else None)
    if wanted is not None:
        chosen = next((node for node in units if str(node.uuid) == str(wanted)), None)
        if chosen is None:
            there = Unit.objects.for_actor(actor).filter(closed_on=None)
            place = there.get_or_refuse(uuid=wanted)
            require(
                actor, DISTRIBUTE, Distribution(organisation_id=actor.organisation_id, unit=place)
            )
    if chosen is None:
        raise NotFound
    return Unit.objects.for_actor(actor).select_related("organisation").get(pk=chosen.id)


def _back(unit: Unit) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('cases:distribution')}?unidad={unit.uuid}")


def _page(
    request: ActorRequest, unit: Unit, form: RuleForm | None = None, status: int = 200
) -> HttpResponse:
    actor = request.actor
    rules = dealing.rules_of(actor)
    team = dealing.team_of(actor, unit.pk, rules)
    counts = rules.of(unit.pk, None)
    absences = absent_now(actor.organisation_id)
    here = Distribution.objects.for_actor(actor).filter(unit=unit).select_related("case_type")
    tree = unit_tree(Organisation.objects.for_actor(actor).get())
    place = tree.get(counts.unit_id) if counts.unit_id else None
    context: dict[str, Any] = {
        "unit": unit,
        "units": selectors.units_where(actor, DISTRIBUTE),
        "rule": counts,
        "method": Method(counts.method).label,
        "rule_place": place.name if place and place.id != unit.pk else "",
        "rule_everywhere": counts.pk is not None and counts.unit_id is None,
        "rules": here.order_by("case_type__name"),
        "people": [
            {
                "person": person,
                "user": team.users[person.key],
                "absence": absences.get(person.key),
                "percent": min(100, person.load * 100 // person.capacity)
                if person.capacity
                else 100,
            }
            for person in sorted(team.people.values(), key=lambda one: one.name)
        ],
        "form": form or RuleForm(actor=actor),
        **_next(request, unit, rules, team),
    }
    return render(request, "cases/distribution.html", context, status=status)


def _next(
    request: ActorRequest, unit: Unit, rules: dealing.Rules, team: dealing.Team
) -> dict[str, Any]:
    """The most urgent free case of the unit that the actor sees, and who would get it."""
    free = (
        Case.objects.for_actor(request.actor)
        .filter(unit=unit, assignee=None, category__lt=StateCategory.RESOLVED)
        .order_by("due_sort", "pk")
        .first()
    )
    if free is None:
        return {}
    choice = dealing.chosen(free, rules, team)
    return {
        "free": free,
        "choice": choice,
        "why": in_words(choice.why),
        "nobody": "" if choice.person else dealing.nobody_can(choice),
    }

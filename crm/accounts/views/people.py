"""Employees: the list, one person, and every change to an account."""

import re
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts import selectors
from crm.accounts.access import ActorRequest, needs
from crm.accounts.forms import GiveRoleForm, InviteForm, MoveForm
from crm.accounts.models import Membership, RolePlace
from crm.accounts.permissions import GRANT_ROLE, INVITE_USER, MANAGE_ABSENCES
from crm.accounts.services import people as services
from crm.accounts.services import roles
from crm.accounts.services.people import Grant
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.policy import decide
from crm.organisations.models import Organisation

_PLACE = re.compile(r"(\d{1,18}):(.*)", re.DOTALL)


@needs(INVITE_USER)
@require_GET
def people_list(request: ActorRequest) -> HttpResponse:
    """Who works here, by name."""
    text, state = request.GET.get("q", "").strip()[:100], request.GET.get("state", "")
    found, following = selectors.people(
        request.actor, text=text, state=state, after=_after(request.GET.get("after", ""))
    )
    organisation = Organisation.objects.for_actor(request.actor).get()
    context = {
        "people": found,
        "following": f"{following[1]}:{following[0]}" if following else "",
        "q": text,
        "state": state,
        "states": selectors.STATES,
        "seats": organisation.seat_limit,
        "taken": services.seats_taken(organisation),
    }
    part = "accounts/people.html#rows" if request.htmx else "accounts/people.html"
    return render(request, part, context)


@needs(INVITE_USER)
@require_http_methods(["GET", "POST"])
def invite(request: ActorRequest) -> HttpResponse:
    """Invite somebody."""
    form = InviteForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        grants = [Grant(data["role"], data["unit"])] if data["role"] else []
        try:
            membership = services.invite(
                request.actor,
                email=data["email"],
                full_name=data["full_name"],
                unit=data["unit"],
                grants=grants,
            )
        except (Invalid, Conflict, Refused) as error:
            show_at_fields(form, error)
        else:
            text = _("Invited: %(email)s. The link is valid for 24 hours.")
            messages.success(request, text % {"email": membership.user.email})
            return redirect("accounts:person", membership.user.uuid)
    status = 422 if form.errors else 200
    return render(request, "accounts/invite.html", {"form": form}, status=status)


@needs(INVITE_USER)
@require_GET
def person(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """One employee: account, unit and roles."""
    return _person_page(request, _membership(request, user_id))


@needs(GRANT_ROLE)
@require_POST
def give_role(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """Give the person a role at a place."""
    membership = _membership(request, user_id)
    form = GiveRoleForm(request.POST, actor=request.actor)
    if form.is_valid():
        data = form.cleaned_data
        try:
            roles.give_role(request.actor, membership.user, data["role"], data["unit"])
        except (Invalid, Refused) as error:
            show_at_fields(form, error)
        else:
            messages.success(request, _("Role given. It is valid at once."))
            return redirect("accounts:person", user_id)
    return _person_page(request, membership, give_form=form)


@needs(GRANT_ROLE)
@require_POST
def take_role(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """Take a role at a place away from the person."""
    membership = _membership(request, user_id)
    place = _place(request, membership)
    roles.take_role(request.actor, membership.user, place.role, place.unit)
    messages.success(request, _("Role taken away. It is valid at once."))
    return redirect("accounts:person", user_id)


@needs(INVITE_USER)
@require_POST
def suspend(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """Suspend the person; open pages close."""
    try:
        services.suspend(request.actor, user_id, reason=request.POST.get("reason", ""))
    except Invalid as error:
        messages.error(request, " ".join(str(one) for one in error.errors["reason"]))
    else:
        messages.success(request, _("Suspended. Open sessions have ended."))
    return redirect("accounts:person", user_id)


@needs(INVITE_USER)
@require_POST
def move(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """Have the person work in another unit."""
    membership = _membership(request, user_id)
    form = MoveForm(request.POST, actor=request.actor)
    if not form.is_valid():
        return _person_page(request, membership, move_form=form)
    services.move(request.actor, user_id, form.cleaned_data["unit"])
    messages.success(request, _("Saved."))
    return redirect("accounts:person", user_id)


Verb = Callable[..., object]
VERBS: dict[str, tuple[Verb, str]] = {
    "reactivar": (services.reactivate, "accounts:person"),
    "reenviar": (services.resend_invitation, "accounts:person"),
    "retirar": (services.revoke_invitation, "accounts:people"),
    "terminar": (services.end_membership, "accounts:people"),
    "quitar-segundos-factores": (services.remove_second_factors, "accounts:person"),
}


@needs(INVITE_USER)
@require_POST
def act(request: ActorRequest, user_id: UUID, verb: str) -> HttpResponse:
    """Do to the account what needs no more than a confirmation."""
    if verb not in VERBS:
        raise NotFound
    function, page = VERBS[verb]
    function(request.actor, user_id)
    messages.success(request, _("Done."))
    return redirect(page, user_id) if page == "accounts:person" else redirect(page)


def show_at_fields(form: Form, error: Invalid | Conflict | Refused) -> None:
    """Have a form say what a verb found, at the fields where it has them."""
    problems = error.errors if isinstance(error, Invalid) else {}
    for field, texts in problems.items():
        form.add_error(field if field in form.fields else None, [str(text) for text in texts])
    if not problems:
        form.add_error(None, str(error.message))


def _person_page(
    request: ActorRequest,
    membership: Membership,
    give_form: Form | None = None,
    move_form: Form | None = None,
) -> HttpResponse:
    actor = request.actor
    context = {
        "membership": membership,
        "person": membership.user,
        "state": selectors.state_of(membership),
        "roles": selectors.roles_of(membership.user, actor.organisation_id),
        "give_form": give_form or GiveRoleForm(actor=actor),
        "move_form": move_form or MoveForm(actor=actor, initial={"unit": membership.unit_id}),
        "second_factors": selectors.second_factor_kinds(membership.user),
        "keys": selectors.keys_made_by(actor, membership.user),
        "may_grant": actor.holds(GRANT_ROLE),
        "may_absences": bool(decide(actor, MANAGE_ABSENCES, membership)),
        "myself": membership.user_id == actor.user_id,
    }
    status = 422 if give_form or move_form else 200
    return render(request, "accounts/person.html", context, status=status)


def _membership(request: ActorRequest, user_id: UUID) -> Membership:
    """The person's lasting membership, if the actor manages it; else there is no such person."""
    return (
        selectors.manageable(request.actor)
        .select_related("user", "unit", "organisation")
        .get_or_refuse(user__uuid=user_id)
    )


def _place(request: ActorRequest, membership: Membership) -> RolePlace:
    """The role at a place that the form names, of those that the person has."""
    role, unit = request.POST.get("role", ""), request.POST.get("unit", "")
    for place in selectors.roles_of(membership.user, request.actor.organisation_id):
        if place.role.code == role and (str(place.unit.uuid) if place.unit else "") == unit:
            return place
    raise NotFound


def _after(text: str) -> tuple[str, int] | None:
    """Where a page of the list starts, from its address."""
    place = _PLACE.fullmatch(text)
    return (place[2], int(place[1])) if place else None

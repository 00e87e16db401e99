"""Forms of the door and of the profile; the verbs check again what matters."""

from datetime import date, timedelta
from typing import Any

from allauth.account import forms as allauth
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.accounts import selectors
from crm.accounts.models import Membership, Role, User
from crm.accounts.permissions import GRANT_ROLE, INVITE_USER
from crm.accounts.services import people
from crm.accounts.services.api_clients import scopes_on_offer
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.forms import DateField, ServiceForm
from crm.kit.policy import catalogue
from crm.organisations.models import Unit


def _in_a_year() -> date:
    return timezone.localdate() + timedelta(days=365)


def _password(label: Any, *, new: bool = False) -> forms.CharField:
    autocomplete = "new-password" if new else "current-password"
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, widget=widget, strip=False, max_length=200)


class SignInForm(allauth.LoginForm):
    """Address and password, without what allauth would add to the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = forms.EmailInput(attrs={"autocomplete": "username"})
        self.fields["login"] = forms.EmailField(label=_("Email"), widget=widget, max_length=254)
        self.fields["password"] = _password(_("Password"))


class ForgottenPasswordForm(forms.Form):
    """An address; what happens to it is the same work for any (attacks-and-faults.md B2.16)."""

    email = forms.EmailField(
        label=_("Email"),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        max_length=254,
    )

    def save(self, _request: HttpRequest) -> str:
        """allauth's name for carrying it out."""
        email: str = self.cleaned_data["email"]
        people.ask_for_new_password(email)
        return email


def _plain(form: forms.Form, current: str) -> None:
    """Leave out placeholders that repeat the labels and the way to the forgotten password."""
    form.fields[current].help_text = ""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


class ChangePasswordForm(allauth.ChangePasswordForm):
    """The old password and twice the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, "oldpassword")


class ReauthenticateForm(allauth.ReauthenticateForm):
    """The password again, before something delicate."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, "password")


class PasswordForm(forms.Form):
    """The password again, by which somebody shows to be still there."""

    password = _password(_("Password"))


class InviteForm(forms.Form):
    """Whom to invite, where they work and with which role to begin."""

    email = forms.EmailField(label=_("Email"), max_length=254)
    full_name = forms.CharField(label=_("Full name"), max_length=150)
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), required=False)
    role = forms.ModelChoiceField(
        Role.objects.none(), label=_("Role"), required=False, help_text=_("In that unit")
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "unit", selectors.units_in_reach(actor, INVITE_USER), _("Whole organisation"))
        _offer(self, "role", Role.objects.for_actor(actor).order_by("name"), _("None yet"))


class GiveRoleForm(forms.Form):
    """A role for a person, in a unit or in the whole organisation."""

    role = forms.ModelChoiceField(Role.objects.none(), label=_("Role"))
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Where"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "role", Role.objects.for_actor(actor).order_by("name"), None)
        _offer(self, "unit", selectors.units_in_reach(actor, GRANT_ROLE), _("Whole organisation"))


class MoveForm(forms.Form):
    """Where a person works."""

    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "unit", selectors.units_in_reach(actor, INVITE_USER), _("Whole organisation"))


class NewRoleForm(forms.Form):
    """A new role, empty or after another."""

    name = forms.CharField(label=_("Name"), max_length=80)
    description = forms.CharField(label=_("What it is for"), max_length=240, required=False)
    copy_of = forms.ModelChoiceField(Role.objects.none(), label=_("Begin as"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "copy_of", Role.objects.for_actor(actor).order_by("name"), _("Empty"))


class WhyForm(forms.Form):
    """Who, what and where a right is asked about."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"), to_field_name="uuid")
    permission = forms.ChoiceField(label=_("May they…"))
    unit = forms.ModelChoiceField(
        Unit.objects.none(), label=_("In the unit"), required=False, to_field_name="uuid"
    )
    thing = forms.CharField(
        label=_("Or on one case or person"),
        required=False,
        max_length=300,
        help_text=_("The case number, or the address of the person's page"),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = selectors.manageable(actor).values("user")
        _offer(self, "person", User.objects.filter(pk__in=here).order_by("full_name"), None)
        units = Unit.objects.for_actor(actor).order_by("name")
        _offer(self, "unit", units, _("Whole organisation"))
        permission = self.fields["permission"]
        assert isinstance(permission, forms.ChoiceField)
        permission.choices = [(one.name, capfirst(str(one.sentence))) for one in catalogue.values()]


class ApiClientForm(forms.Form):
    """A system to connect: its name, what it may do and until when."""

    name = forms.CharField(label=_("Name of the system"), max_length=120)
    expires_on = DateField(label=_("The key is valid until"), initial=_in_a_year)
    scopes = forms.MultipleChoiceField(label=_("It may…"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [
            (name, capfirst(str(catalogue[name].sentence))) for name in scopes_on_offer()
        ]


def _offer(form: forms.Form, name: str, rows: QuerySet[Any], empty: Text | None) -> None:
    """Have a field choose among these rows only."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
    field.empty_label = str(empty or "—")


class AcceptForm(forms.Form):
    """The first password of an invited person, twice."""

    password = _password(_("New password"), new=True)
    again = _password(_("New password again"), new=True)

    def clean(self) -> dict[str, Any]:
        """Both are alike."""
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("Both passwords must be the same."))
        return data


class AbsenceForm(ServiceForm):
    """The days on which somebody is away."""

    first = DateField(label=_("First day"))
    last = DateField(label=_("Last day"))
    substitute = forms.ModelChoiceField(
        label=_("Who stands in"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Nobody: the cases go back to the queue"),
    )
    returns = forms.BooleanField(
        label=_("What is still open comes back afterwards"), required=False, initial=True
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colleagues = Membership.objects.unscoped("the colleagues of whoever is away").in_force()
        field = self.fields["substitute"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = (
            User.objects.filter(
                state=User.State.ACTIVE,
                pk__in=colleagues.filter(
                    organisation=membership.organisation_id, unit=membership.unit_id
                ).values("user"),
            )
            .exclude(pk=membership.user_id)
            .order_by("full_name")
        )

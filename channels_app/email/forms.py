"""The form of an e-mail account."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models import CaseType
from channels_app.email.accounts import AccountSaid
from channels_app.email.setup import PLAIN, STARTTLS, TLS, MailSetup, setup_of
from channels_app.models import ChannelAccount
from crm.kit.actor import Actor
from crm.kit.forms import ServiceForm
from crm.organisations.models import Unit

_SECURITY = [
    (TLS, _("TLS from the beginning")),
    (STARTTLS, "STARTTLS"),
    (PLAIN, _("Not encrypted")),
]
_KEPT = _("Leave it empty to keep the one that is stored.")


class AccountForm(ServiceForm):
    """Who the mailbox is, where its messages go, and both its servers."""

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As citizens read it"))
    address = forms.EmailField(label=_("Address"), max_length=254)
    aliases = forms.CharField(
        label=_("Further addresses"),
        required=False,
        max_length=1_000,
        help_text=_("That arrive in the same mailbox, separated by spaces"),
    )
    any_recipient = forms.BooleanField(
        label=_("Take in whatever arrives, whoever it is addressed to"), required=False
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), to_field_name="uuid")
    case_type = forms.ModelChoiceField(
        CaseType.objects.none(),
        label=_("Case type"),
        to_field_name="code",
        required=False,
        help_text=_("What a new message becomes"),
    )
    acknowledge = forms.BooleanField(label=_("Send an automatic receipt"), required=False)
    acknowledge_hours = forms.IntegerField(
        label=_("At most one receipt to a sender in so many hours"), min_value=1, max_value=720
    )
    signature = forms.CharField(
        label=_("Signature"), required=False, max_length=1_000, widget=forms.Textarea({"rows": 3})
    )
    imap_host = forms.CharField(
        label=_("IMAP server"),
        required=False,
        max_length=200,
        help_text=_("Without one nothing is fetched"),
    )
    imap_port = forms.IntegerField(label=_("IMAP port"), min_value=1, max_value=65_535)
    imap_security = forms.ChoiceField(label=_("IMAP encryption"), choices=_SECURITY)
    imap_user = forms.CharField(label=_("IMAP user"), required=False, max_length=200)
    imap_password = forms.CharField(
        label=_("IMAP password"),
        required=False,
        max_length=500,
        strip=False,
        help_text=_KEPT,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    folder = forms.CharField(label=_("Folder"), max_length=200)
    smtp_host = forms.CharField(
        label=_("SMTP server"),
        required=False,
        max_length=200,
        help_text=_("Without one, mail leaves by the installation's server"),
    )
    smtp_port = forms.IntegerField(label=_("SMTP port"), min_value=1, max_value=65_535)
    smtp_security = forms.ChoiceField(label=_("SMTP encryption"), choices=_SECURITY)
    smtp_user = forms.CharField(label=_("SMTP user"), required=False, max_length=200)
    smtp_password = forms.CharField(
        label=_("SMTP password"),
        required=False,
        max_length=500,
        strip=False,
        help_text=_KEPT,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False)

    IDENTITY = ("name", "address", "aliases", "any_recipient", "is_active")
    COURSE = ("unit", "case_type", "acknowledge", "acknowledge_hours", "signature")
    IN = ("imap_host", "imap_port", "imap_security", "imap_user", "imap_password", "folder")
    OUT = ("smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_password")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = self.fields["unit"]
        assert isinstance(units, forms.ModelChoiceField)
        units.empty_label = str(_("Choose a unit"))
        units.queryset = Unit.objects.for_actor(actor).filter(closed_on=None).order_by("name")
        types = self.fields["case_type"]
        assert isinstance(types, forms.ModelChoiceField)
        types.queryset = CaseType.objects.for_actor(actor).filter(is_active=True).order_by("name")
        types.empty_label = str(_("None: no case is opened"))

    def said(self) -> AccountSaid:
        """What the form says, for the verb."""
        data = self.cleaned_data
        return AccountSaid(
            name=data["name"],
            address=data["address"],
            unit=data["unit"].uuid,
            is_active=data["is_active"],
            passwords={name: data[name] for name in ("imap_password", "smtp_password")},
            setup=MailSetup(
                aliases=tuple(data["aliases"].lower().replace(",", " ").split()),
                case_type=data["case_type"].code if data["case_type"] else "",
                **{
                    name: data[name]
                    for name in (
                        *("any_recipient", "acknowledge", "acknowledge_hours", "signature"),
                        *("imap_host", "imap_port", "imap_security", "imap_user", "folder"),
                        *("smtp_host", "smtp_port", "smtp_security", "smtp_user"),
                    )
                },
            ),
        )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields as they stand together on the page."""
        titles = (_("The mailbox"), _("What becomes of a message"), _("Coming in"), _("Going out"))
        parts = (self.IDENTITY, self.COURSE, self.IN, self.OUT)
        return [
            (str(title), [self[name] for name in names])
            for title, names in zip(titles, parts, strict=True)
        ]


def beginning(account: ChannelAccount | None) -> dict[str, Any]:
    """What the form shows before anything is typed."""
    if account is None:
        setup = MailSetup()
        return {**_of_setup(setup), "is_active": True}
    return {
        **_of_setup(setup_of(account)),
        "name": account.name,
        "address": account.address,
        "unit": account.unit.uuid,
        "is_active": account.is_active,
    }


def _of_setup(setup: MailSetup) -> dict[str, Any]:
    names = AccountForm.base_fields
    found = {name: getattr(setup, name) for name in names if hasattr(setup, name)}
    return {**found, "aliases": " ".join(setup.aliases)}

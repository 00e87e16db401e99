"""The form of a saved view."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy

from cases import selectors
from cases.forms import unit_choices
from cases.models import SavedView
from cases.permissions import SHARE_VIEW
from cases.presenting import COLUMNS
from cases.saved import ICONS
from cases.services.views import View
from crm.kit.actor import Actor
from crm.kit.query import LONGEST

ICON_WORDS = {
    "bookmark": gettext_lazy("Bookmark"),
    "star": gettext_lazy("Star"),
    "flag": gettext_lazy("Flag"),
    "alarm": gettext_lazy("Alarm clock"),
    "clock": gettext_lazy("Clock"),
    "calendar": gettext_lazy("Calendar"),
    "inbox": gettext_lazy("Inbox"),
    "folder": gettext_lazy("Folder"),
    "user": gettext_lazy("Person"),
    "users": gettext_lazy("People"),
    "building-community": gettext_lazy("Building"),
    "heart-handshake": gettext_lazy("Handshake"),
    "home": gettext_lazy("House"),
    "phone": gettext_lazy("Telephone"),
    "mail": gettext_lazy("Letter"),
    "file-text": gettext_lazy("Document"),
    "search": gettext_lazy("Magnifying glass"),
}


class ViewForm(forms.Form):
    """A saved view; what is wrong with it the verb says."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    expression = forms.CharField(
        label=gettext_lazy("Query"),
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "As in the box of the list: state:open due<7d. “me” and “unit:mine” are whoever opens it."
        ),
    )
    audience = forms.ChoiceField(label=gettext_lazy("Who has it"), widget=forms.RadioSelect)
    unit = forms.TypedChoiceField(
        label=gettext_lazy("Unit"), coerce=UUID, empty_value=None, required=False
    )
    linked = forms.BooleanField(
        label=gettext_lazy("Colleagues who have its link may open it"), required=False
    )
    icon = forms.ChoiceField(
        label=gettext_lazy("Icon"), choices=[(name, ICON_WORDS[name]) for name in ICONS]
    )
    by = forms.ChoiceField(
        label=gettext_lazy("Order"), choices=SavedView.By.choices, required=False
    )
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"),
        choices=list(COLUMNS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Without any, each reader sees those of their choice."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reach = actor.reach(SHARE_VIEW)
        offered = [SavedView.Audience.OWN]
        offered += [SavedView.Audience.UNIT] if reach else []
        offered += [SavedView.Audience.ORGANISATION] if reach.everywhere else []
        self.fields["audience"].choices = [(one.value, one.label) for one in offered]  # type: ignore[attr-defined]
        if reach:
            units = selectors.units_where(actor, SHARE_VIEW)
            self.fields["unit"].choices = [("", "—"), *unit_choices(units)]  # type: ignore[attr-defined]
        else:
            del self.fields["unit"]

    def view(self) -> View:
        """What the form says."""
        said = self.cleaned_data
        return View(
            name=said["name"],
            expression=said["expression"],
            audience=said["audience"],
            unit=said.get("unit") if said["audience"] == SavedView.Audience.UNIT else None,
            by=said["by"],
            columns=said["columns"],
            icon=said["icon"],
            linked=said["linked"],
        )

"""The form of a service that other systems may report to."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models import CaseType
from crm.integrations.models import PublishedService
from crm.kit.actor import Actor
from crm.kit.forms import Correction
from crm.organisations.models import Unit


class OfferForm(Correction):
    """What is offered, in citizens' words, and which cases it opens where."""

    name = forms.CharField(label=_("Name"), max_length=160)
    code = forms.SlugField(label=_("Code"), max_length=60, help_text=_("By which programs name it"))
    description = forms.CharField(
        label=_("Description"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    group = forms.CharField(label=_("Group"), max_length=120, required=False)
    keywords = forms.CharField(
        label=_("Keywords"), max_length=240, required=False, help_text=_("Separated by commas")
    )
    case_type = forms.ChoiceField(label=_("Case type"))
    unit = forms.TypedChoiceField(label=_("Unit"), coerce=UUID)
    public = forms.BooleanField(
        label=_("Anybody can read what is reported"),
        required=False,
        help_text=_("Description, place and state, never who reported."),
    )
    is_active = forms.BooleanField(label=_("It takes in reports"), required=False, initial=True)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = CaseType.objects.for_actor(actor).filter(is_active=True).order_by("name")
        units = Unit.objects.for_actor(actor).filter(closed_on=None).order_by("name")
        _choices(self, "case_type", [(row.code, row.name) for row in types])
        _choices(self, "unit", [(str(row.uuid), row.name) for row in units])

    def given(self) -> dict[str, Any]:
        """What the verb takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    @staticmethod
    def of(row: PublishedService) -> dict[str, Any]:
        """What the form says of a service."""
        names = ("name", "code", "description", "group", "keywords", "case_type", "public")
        return {
            **{name: getattr(row, name) for name in (*names, "is_active")},
            "unit": row.unit.uuid,
            "seen": row.updated_at.isoformat(),
        }


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices

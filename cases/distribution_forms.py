"""What is typed on the pages of the distribution of work; the rules are the services'."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cases import selectors
from cases.models import Method, WorkProfile
from cases.models.assignment import MOST_POINTS, USUAL_CAPACITY
from cases.services.distribution import read_skills
from crm.kit.actor import Actor
from crm.kit.forms import ServiceForm

_SKILLS_HINT = _("By commas: pensiones, lengua de signos. Small and capital letters are alike.")


class SkillsField(forms.CharField):
    """Skills by commas."""

    def __init__(self, **values: Any) -> None:
        super().__init__(
            label=_("Skills"), required=False, max_length=1_300, help_text=_SKILLS_HINT, **values
        )

    def clean(self, value: Any) -> list[str]:
        """One by one."""
        return read_skills(super().clean(value))


class RuleForm(ServiceForm):
    """How free cases of a place are given out."""

    case_type = forms.ChoiceField(label=_("Case type"), required=False)
    method = forms.ChoiceField(label=_("How"), choices=Method.choices)
    weight = forms.IntegerField(
        label=_("Points of each case"),
        min_value=1,
        max_value=MOST_POINTS,
        initial=1,
        help_text=_("How much of a person's capacity one such case takes up."),
    )
    skills = SkillsField()
    by_language = forms.BooleanField(
        label=_("First to who speaks the citizen's language"), required=False, initial=True
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = [(row.code, row.name) for row in selectors.case_types(actor)]
        field = self.fields["case_type"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", str(_("All"))), *types]


class ProfileForm(ServiceForm):
    """What a person can take on."""

    capacity = forms.IntegerField(
        label=_("Capacity, in points"),
        min_value=0,
        max_value=MOST_POINTS,
        help_text=_("Nobody is given more than this by itself; with 0, nothing."),
    )
    share = forms.IntegerField(
        label=_("Part of a full working day, in %"),
        min_value=1,
        max_value=100,
        help_text=_("Who works half a day counts as busy with half as much."),
    )
    skills = SkillsField()
    languages = forms.MultipleChoiceField(
        label=_("Languages, beside Spanish"),
        required=False,
        choices=[
            (code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE
        ],
        widget=forms.CheckboxSelectMultiple,
    )

    @staticmethod
    def of(profile: WorkProfile | None) -> dict[str, Any]:
        """What the fields hold at first."""
        kept = profile or WorkProfile(capacity=USUAL_CAPACITY)
        return {
            "capacity": kept.capacity,
            "share": kept.share,
            "skills": ", ".join(kept.skills),
            "languages": kept.languages,
        }

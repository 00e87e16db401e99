"""What an auditor may ask for."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core import signing
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.audit import words
from crm.audit.models import AuditEntry, Result
from crm.audit.selectors import Asked
from crm.kit.actor import Kind
from crm.kit.forms import DateField
from crm.kit.policy import catalogue

USUAL_DAYS = 30
_ANY = ("", _("Any"))
_ACTOR = "audit.actor"


def actor_link(entry: AuditEntry) -> str:
    """How a link names the employee of an entry; empty for machines and for whom nobody knows."""
    known = entry.actor_kind == Kind.USER and entry.actor_id is not None
    return signing.dumps(entry.actor_id, salt=_ACTOR) if known else ""


class SearchForm(forms.Form):
    """The filters of the auditor's page; nothing given asks for the last thirty days."""

    who = forms.CharField(label=_("Employee or system"), required=False, max_length=200)
    kind = forms.ChoiceField(label=_("About"), required=False)
    object = forms.CharField(
        label=_("Name, reference or identification number"), required=False, max_length=240
    )
    action = forms.ChoiceField(label=_("Action"), required=False)
    result = forms.ChoiceField(label=_("Result"), required=False, choices=[_ANY, *Result.choices])
    since = DateField(label=_("From"), required=False)
    until = DateField(label=_("To"), required=False)
    purpose = forms.CharField(label=_("Reason for access"), required=False, max_length=240)
    actor = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, given: Any) -> None:
        data = given.copy()
        if not any(data.get(name) for name in ("object", "actor", "since", "until")):
            data["since"] = (timezone.localdate() - timedelta(days=USUAL_DAYS)).isoformat()
        super().__init__(data)
        kinds = sorted((capfirst(words.kind(name)), name) for name in words.object_kinds())
        self.fields["kind"].choices = [_ANY, *((name, text) for text, name in kinds)]  # type: ignore[attr-defined]
        self.fields["action"].choices = [  # type: ignore[attr-defined]
            _ANY,
            (_("Looks, access and system"), [(name, words.action(name)) for name in words.ACTIONS]),
            (_("Changes"), [(name, words.action(name)) for name in catalogue]),
        ]

    def clean_actor(self) -> int | None:
        """The employee whom one of our own links names; their number is nobody's to guess."""
        if not self.cleaned_data["actor"]:
            return None
        try:
            return int(signing.loads(self.cleaned_data["actor"], salt=_ACTOR))
        except signing.BadSignature:
            raise forms.ValidationError(_("This link is not one of ours.")) from None

    def clean(self) -> dict[str, Any]:
        """A period runs forward."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day comes before the first."))
        return cleaned

    def asked(self) -> Asked:
        """What is asked for, once valid."""
        return Asked(**self.cleaned_data)

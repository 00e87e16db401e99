"""What employees fill in about procedures, articles, and who an applicant is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.catalogue import text_of
from cases.forms import unit_choices
from cases.models import Article, ArticleVersion, CaseType, Procedure, ProcedureText
from cases.services.procedures import Description, Words
from crm.citizens.models import Identifier
from crm.kit.api.parsing import parse_json
from crm.kit.errors import DomainError
from crm.kit.forms import DateField, ServiceForm
from crm.kit.templatetags.ui import own_name
from crm.organisations.selectors import Node

_WORDS: tuple[tuple[str, Any, int, int], ...] = (
    ("name", gettext_lazy("Name"), 160, 0),
    ("summary", gettext_lazy("What it is for, in one sentence"), 400, 2),
    ("who", gettext_lazy("Who may apply"), 4_000, 3),
    ("papers", gettext_lazy("Papers, one a line"), 4_000, 4),
    ("term", gettext_lazy("More about the term"), 240, 0),
    ("fee", gettext_lazy("What it costs"), 240, 0),
)
REVIEWED_EVERY = timedelta(days=180)


class ProcedureForm(ServiceForm):
    """A procedure of the catalogue, in the languages of the organisation."""

    places = {"form": "form_schema"}

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        help_text=gettext_lazy("Small letters, digits and dashes. It cannot be changed later."),
    )
    case_type = forms.ChoiceField(
        label=gettext_lazy("Case type"),
        help_text=gettext_lazy("What an application opens. Its term is the procedure's."),
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit that attends it"))
    informs = forms.BooleanField(
        label=gettext_lazy("Send the information letter by itself"),
        required=False,
        help_text=gettext_lazy(
            "When an application is filed, the citizen is told term and effect of silence (art. 21.4)."
        ),
    )
    silence = forms.ChoiceField(
        label=gettext_lazy("If the term passes without an answer"),
        choices=Procedure.Silence.choices,
    )
    appointment = forms.BooleanField(
        label=gettext_lazy("Citizens may also come with an appointment"), required=False
    )
    booking = forms.ChoiceField(
        label=gettext_lazy("What they book for it"),
        required=False,
        help_text=gettext_lazy("The procedure's page leads there."),
    )
    form_schema = forms.CharField(
        label=gettext_lazy("Request form (JSON Schema)"),
        required=False,
        help_text=gettext_lazy("Empty: the fields of its case type."),
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        types: Iterable[CaseType],
        units: Iterable[Node],
        languages: Sequence[str],
        bookable: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        booked: str = self.initial.get("booking", "")
        offered = {"": _("Nothing online"), **bookable}
        if booked and booked not in bookable:  # it stays chosen until somebody decides
            offered[booked] = _("%(code)s (it cannot be booked now)") % {"code": booked}
        self.languages = list(dict.fromkeys(["es", *languages]))
        choices = {
            "case_type": [(kind.code, kind.name) for kind in types],
            "unit": unit_choices(units),
            "booking": list(offered.items()),
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        for language in self.languages:
            for name, label, longest, rows in _WORDS:
                self.fields[f"{language}.{name}"] = forms.CharField(
                    label=label,
                    max_length=longest,
                    required=language == "es" and name in {"name", "summary"},
                    widget=forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(),
                )

    def texts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The words by language, for the template."""
        return [
            (own_name(language), [self[f"{language}.{name}"] for name, *_rest in _WORDS])
            for language in self.languages
        ]

    def clean_form_schema(self) -> Any:
        """The schema as a value; nothing means the case type's."""
        text: str = self.cleaned_data["form_schema"].strip()
        if not text:
            return {}
        try:
            return parse_json(text.encode(errors="replace"))
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from None

    def said(self) -> Description:
        """What is said of the procedure; a language without any words is not spoken."""
        given = self.cleaned_data
        texts = {}
        for language in self.languages:
            words = {name: given[f"{language}.{name}"] for name, *_rest in _WORDS}
            if language == "es" or any(words.values()):
                texts[language] = Words(**words)
        return Description(
            case_type=given["case_type"],
            unit=UUID(given["unit"]),
            texts=texts,
            silence=given["silence"],
            informs=given["informs"],
            appointment=given["appointment"],
            booking=given["booking"],
            form=given["form_schema"],
        )

    @staticmethod
    def initial_of(row: Procedure, texts: Iterable[ProcedureText]) -> dict[str, Any]:
        """What the procedure says now."""
        words = {
            f"{text.language}.{name}": getattr(text, name)
            for text in texts
            for name, *_rest in _WORDS
        }
        form = json.dumps(row.form, indent=2, ensure_ascii=False) if row.form else ""
        return {
            "code": row.code,
            "case_type": row.case_type.code,
            "unit": str(row.unit.uuid),
            "silence": row.silence,
            "informs": row.informs,
            "appointment": row.appointment,
            "booking": row.booking,
            "form_schema": form,
            "seen": row.updated_at.isoformat(),
            **words,
        }

    def seen_at(self) -> Any:
        """How the procedure stood when the form was opened."""
        return parse_datetime(self.cleaned_data.get("seen") or "")


class ArticleForm(ServiceForm):
    """The words of an article, and when they are looked at again."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=80,
        help_text=gettext_lazy("Small letters, digits and dashes. It cannot be changed later."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"))
    unit = forms.ChoiceField(label=gettext_lazy("Unit that answers for it"))
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=200,
        help_text=gettext_lazy("The question as a citizen would ask it."),
    )
    body = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=40_000,
        help_text=gettext_lazy(
            "An empty line ends a paragraph. “## ” begins a heading, “- ” a point, “1. ” a step;"
            " **strong** and [words](https://…) in between."
        ),
        widget=forms.Textarea(attrs={"rows": 18}),
    )
    review_on = DateField(label=gettext_lazy("Review on"))
    procedures = forms.MultipleChoiceField(
        label=gettext_lazy("Procedures that it speaks of"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        units: Iterable[Node],
        procedures: Iterable[Procedure],
        languages: Sequence[str],
        known: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("review_on", timezone.localdate() + REVIEWED_EVERY)
        if known:
            for name in ("code", "language", "unit"):
                del self.fields[name]
        choices = {
            "language": [(code, own_name(code)) for code in dict.fromkeys(["es", *languages])],
            "unit": unit_choices(units),
            "procedures": [(row.code, str(text_of(row, "es") or row.code)) for row in procedures],
        }
        for name, values in choices.items():
            if name in self.fields:
                self.fields[name].choices = values  # type: ignore[attr-defined]

    def said(self) -> dict[str, Any]:
        """What the verbs take."""
        names = ("title", "body", "review_on", "procedures")
        return {name: self.cleaned_data[name] for name in names}

    @staticmethod
    def initial_of(row: Article, newest: ArticleVersion) -> dict[str, Any]:
        """What the article says now, draft or not."""
        return {
            "title": newest.title,
            "body": newest.body,
            "review_on": row.review_on,
            "procedures": list(row.procedures.values_list("code", flat=True)),
            "seen": newest.number,
        }


class ApplicantForm(forms.Form):
    """Who an applicant is: somebody on record, or nobody yet."""

    citizen = forms.UUIDField(required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Their number, as you have seen it on the document"),
        required=False,
        choices=[("", gettext_lazy("I have not seen it")), *Identifier.Kind.choices],
    )

    def clean(self) -> dict[str, Any]:
        """Nothing more than each field says."""
        return dict(self.cleaned_data)


def refused_words(error: DomainError) -> str:
    """Why not, in one sentence."""
    found = [str(text) for texts in getattr(error, "errors", {}).values() for text in texts]
    return " ".join(found) or str(error.message) or _("The value is not valid.")

"""The filters of the board, with the names that they have in its address; and the asking for a file."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.citizens.models import Channel
from crm.kit.forms import DateField, ServiceForm
from reporting.models import Export

USUAL = "30"
OWN = "otro"
BEFORE, YEAR, NONE = "antes", "interanual", "no"
MOST_DAYS = 5 * 366


class BoardForm(forms.Form):
    """What the board is asked. What is not valid is left out, and the page says so."""

    periodo = forms.ChoiceField(
        label=gettext_lazy("Period"),
        required=False,
        choices=[
            ("7", gettext_lazy("Last 7 days")),
            ("30", gettext_lazy("Last 30 days")),
            ("90", gettext_lazy("Last 90 days")),
            ("365", gettext_lazy("Last 365 days")),
            ("mes", gettext_lazy("This month")),
            ("anual", gettext_lazy("This year")),
            (OWN, gettext_lazy("Between two dates")),
        ],
    )
    desde = DateField(label=gettext_lazy("From"), required=False)
    hasta = DateField(label=gettext_lazy("Until"), required=False)
    comparar = forms.ChoiceField(
        label=gettext_lazy("Compare with"),
        required=False,
        choices=[
            (BEFORE, gettext_lazy("The period before")),
            (YEAR, gettext_lazy("A year before")),
            (NONE, gettext_lazy("Nothing")),
        ],
    )
    unidad = forms.MultipleChoiceField(label=gettext_lazy("Units"), required=False)
    tipo = forms.MultipleChoiceField(label=gettext_lazy("Case types"), required=False)
    canal = forms.MultipleChoiceField(
        label=gettext_lazy("Channels"), required=False, choices=Channel.choices
    )

    def __init__(
        self,
        *args: Any,
        units: Iterable[tuple[str, str]],
        types: Iterable[tuple[str, str]],
        today: date,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["unidad"].choices = list(units)  # type: ignore[attr-defined]
        self.fields["tipo"].choices = list(types)  # type: ignore[attr-defined]
        for name in ("desde", "hasta"):  # whoever writes a day means it
            self.fields[name].widget.attrs["data-implies"] = f"periodo={OWN}"

    def as_shown(self) -> "BoardForm":
        """The form with the period chosen that holds where nothing was chosen."""
        usual = OWN if self.data.get("desde") else USUAL
        self.data = {"periodo": usual, **{name: self.data[name] for name in self.data}}
        return self

    def clean(self) -> dict[str, Any]:
        """Two dates in order and not too far apart."""
        given = self.cleaned_data
        start, end = given.get("desde"), given.get("hasta")
        if given.get("periodo") == OWN and not start and "desde" not in self.errors:
            self.add_error("desde", _("Write the first day of the period."))
        elif start and end and start > end:
            self.add_error("hasta", _("The period ends before it begins."))
        elif start and ((end or self.today) - start).days >= MOST_DAYS:
            self.add_error("desde", _("A period of more than five years cannot be shown."))
        elif start and start > self.today:
            self.add_error("desde", _("The period has not begun yet."))
        return given

    def period(self) -> tuple[date, date]:
        """The first and the last day; never one that is still to come."""
        given = {name: value for name, value in self.cleaned_data.items() if name in self._valid}
        chosen = given.get("periodo") or (OWN if given.get("desde") else USUAL)
        if chosen == OWN and given.get("desde"):
            return given["desde"], min(given.get("hasta") or self.today, self.today)
        if chosen == "mes":
            return self.today.replace(day=1), self.today
        if chosen == "anual":
            return self.today.replace(month=1, day=1), self.today
        days = int(chosen) if chosen.isdecimal() else int(USUAL)
        return self.today - timedelta(days=days - 1), self.today

    def compared(self) -> tuple[date, date] | None:
        """The period that it is compared with: as long, just before or a year before; or none."""
        how = self.cleaned_data.get("comparar") or BEFORE
        start, end = self.period()
        if how == NONE:
            return None
        if how == YEAR:
            return start - timedelta(days=364), end - timedelta(days=364)  # the same weekdays
        days = (end - start).days + 1
        return start - timedelta(days=days), start - timedelta(days=1)

    def chosen(self, name: str) -> list[str]:
        """What of a list was chosen."""
        return list(self.cleaned_data.get(name) or [])

    @property
    def _valid(self) -> set[str]:
        return set(self.cleaned_data) - set(self.errors)


class ExportForm(ServiceForm):
    """What is to be in a file, and what for."""

    form = forms.ChoiceField(
        label=gettext_lazy("Form of the file"),
        choices=Export.Form.choices,
        initial=Export.Form.XLSX,
        widget=forms.RadioSelect,
    )
    purpose = forms.CharField(
        label=gettext_lazy("What for"),
        max_length=240,
        help_text=gettext_lazy("It is written in the audit trail."),
    )

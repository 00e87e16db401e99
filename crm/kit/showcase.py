"""Every component with its states on one page, for looking at and for axe; never mounted in production."""

from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path
from django.utils import timezone

from crm.kit.nav import NavItem


class _SampleForm(forms.Form):
    reference = forms.CharField(label="Reference", help_text="For example, INP-2026-0048213")
    birth = forms.DateField(label="Date of birth")
    unit = forms.ChoiceField(label="Unit", choices=[("a", "Valencia"), ("b", "Sagunto")])
    channel = forms.ChoiceField(
        label="Channel",
        choices=[("sms", "SMS"), ("post", "Post")],
        widget=forms.RadioSelect,
    )
    notify = forms.BooleanField(label="Tell the citizen", required=False)
    text = forms.CharField(label="Text", widget=forms.Textarea(attrs={"rows": 2}), required=False)


def _frame() -> SimpleNamespace:
    organisation = {
        "code": "INP",
        "name": "Instituto Nacional de Prestaciones",
        "unit": "Valencia · Atención",
        "mark": "INP",
        "current": True,
    }
    town = {
        **organisation,
        "code": "VAL",
        "name": "Ayuntamiento de Valdelagua",
        "mark": "VAL",
        "current": False,
    }
    nav = [
        NavItem("home", "Home", "sun", "", url="#home", active=True),
        NavItem("cases", "Cases", "folder", "", url="#cases", keys="g c", badge_text="38"),
        NavItem("citizens", "Citizens", "users", "", url="#citizens"),
        NavItem("imports", "Imports", "file-import", "", url="#imports"),
        NavItem(
            "roles", "Organisation", "settings", "", "Settings", group="settings", url="#roles"
        ),
    ]
    new_case = NavItem("new", "New case", "plus", "", group="command", url="#new", keys="c")
    return SimpleNamespace(
        nav=nav,
        commands=[*nav, new_case],
        organisation=organisation,
        organisations=[organisation, town],
        user={"name": "Nuria Sanchís", "email": "nuria@inp.example"},
        theme="auto",
        density="comfortable",
        rail="auto",
        shortcuts=True,
    )


def showcase(request: HttpRequest) -> HttpResponse:
    """Show every component; ?theme= and ?density= choose the look, ?layout=public|auth the frame."""
    frame = _frame()
    frame.theme = request.GET.get("theme", "auto")
    frame.density = request.GET.get("density", "comfortable")
    now = timezone.now()
    layout = request.GET.get("layout", "")
    if layout not in {"public", "auth"}:
        layout = "components"
    context = {
        "frame": frame,
        "organisation": frame.organisation,
        "form": _SampleForm({"reference": "", "birth": "31 2 2026", "unit": "a"}),
        "tiles": static("img/favicon.svg") + "?{z}/{x}/{y}",  # any picture: no map server is asked
        "now": now,
        "hour_ago": now - timedelta(hours=1),
        "tabs": [
            {"id": "history", "label": "History"},
            {"id": "documents", "label": "Documents", "count": 6},
        ],
        "columns": [
            {"key": "case", "label": "Case", "fixed": True},
            {"key": "clock", "label": "Deadline", "shown": True},
        ],
        "channels": [("phone", "Phone"), ("post", "Post")],
        "rows": [f"INP-2026-00{number}" for number in range(48101, 48106)],
    }
    return render(request, f"kit/{layout}.html", context)


urlpatterns = [path("componentes/", showcase, name="showcase")]

"""The page where an administrator says whether a language model phrases the first level's answers."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from channels_app.bots import setup
from channels_app.models import ModelServer
from channels_app.permissions import MANAGE_CHANNELS
from crm.kit.access import ActorRequest, needs
from crm.kit.forms import ServiceForm


class ServerForm(ServiceForm):
    """Whether a model phrases answers, and which."""

    is_on = forms.BooleanField(
        label=gettext_lazy("A language model phrases the answers"),
        required=False,
        help_text=gettext_lazy("Without it, the article's own sentences are shown."),
    )
    url = forms.CharField(
        label=gettext_lazy("Address of the server"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Of its OpenAI-compatible API, as http://models.example:8000/v1"),
        widget=forms.TextInput({"inputmode": "url", "spellcheck": "false"}),
    )
    model = forms.CharField(label=gettext_lazy("Model"), required=False, max_length=120)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=500,
        strip=False,
        help_text=gettext_lazy("Leave it empty to keep the one that is stored."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    seconds = forms.IntegerField(
        label=gettext_lazy("Seconds that an answer may take"),
        min_value=1,
        max_value=20,
        help_text=gettext_lazy("Later, the article's own sentences are shown."),
    )

    def said(self) -> setup.ServerSaid:
        """What the form says, for the verb."""
        return setup.ServerSaid(**self.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE_CHANNELS)
def assistant(request: ActorRequest) -> HttpResponse:
    """Off until somebody turns it on; the key is never shown."""
    row = setup.server_of(request.actor)
    form = ServerForm(request.POST or None, initial=_beginning(row))
    status = 200
    if request.method == "POST":
        status = int(form.saved(lambda: setup.save_server(request.actor, form.said())))
        if status == 200:
            messages.success(request, _("It has been saved."))
            return redirect("channels_app:assistant")
    context = {"form": form, "server": row, "house": bool(settings.LANGUAGE_MODEL_URL)}
    return render(request, "channels_app/assistant.html", context, status=status)


@require_POST
@needs(MANAGE_CHANNELS)
def try_it(request: ActorRequest) -> HttpResponse:
    """« Probar »: the model is asked something of nobody's."""
    tried = setup.try_server(request.actor)
    if tried.problem:
        messages.error(request, tried.problem)
    else:
        messages.success(request, _("It answers: “%(text)s”") % {"text": tried.text})
    return redirect("channels_app:assistant")


def _beginning(row: ModelServer) -> dict[str, Any]:
    return {"is_on": row.is_on, "url": row.url, "model": row.model, "seconds": row.seconds}

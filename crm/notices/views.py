"""The bell and the page of one's own news."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid
from crm.notices import selectors, services
from crm.notices.forms import WAYS, HabitsForm, lines, switched_of, ways_of
from crm.notices.kinds import switches
from crm.notices.selectors import ALL, LISTS, MOST


@require_GET
@needs(None)
def index(request: ActorRequest) -> HttpResponse:
    """All of one's news, or some."""
    which = request.GET.get("ver", ALL)
    which = which if which in LISTS else ALL
    page = selectors.page_of(request.actor, which, request.GET.get("desde", ""))
    context = {
        "groups": selectors.grouped(request.actor, page.rows),
        "after": page.after,
        "which": which,
        "lists": LISTS.items(),
        "further": bool(request.GET.get("desde")),
    }
    part = request.htmx and context["further"]
    return render(request, "notices/list.html#rows" if part else "notices/list.html", context)


@require_GET
@needs(None)
def bell(request: ActorRequest) -> HttpResponse:
    """What the bell shows when it is opened."""
    return _bell(request)


@require_GET
@needs(None)
def count(request: ActorRequest) -> HttpResponse:
    """How many are unread, in a number and in words, and up to where the live stream has told of them."""
    heard = selectors.heard(request.actor)
    found = selectors.unread(request.actor)
    words = ngettext("%(count)s unread update", "%(count)s unread updates", found)
    return JsonResponse(
        {
            "after": heard,
            "count": found,
            "shown": f"{MOST}+" if found > MOST else str(found),
            "words": words % {"count": found} if found else _("No unread updates"),
        }
    )


@require_GET
@needs(None)
def open_news(request: ActorRequest, news: UUID) -> HttpResponse:
    """Lead to what it is about; with that all there is of the same thing is read."""
    row = services.mark_read(request.actor, news, together=True)
    about = (row.thing, str(row.thing_id))
    shown = selectors.shown(request.actor, [about]).get(about)
    if shown is None:
        messages.info(request, _("This is not within your sight any more."))
        return HttpResponseRedirect(reverse("notices:list"))
    return HttpResponseRedirect(shown.url)


@require_http_methods(["GET", "POST"])
@needs(None)
def choices(request: ActorRequest) -> HttpResponse:
    """Of what one hears, how and when; what was typed stays when an hour is missing."""
    habits = selectors.habits_of(request.actor)
    form = HabitsForm(request.POST or None, habits=habits)
    chosen, switched, status = selectors.chosen_by(request.actor), dict(habits.switches), 200
    if request.method == "POST":
        chosen |= ways_of(request.POST)
        switched |= switched_of(request.POST)
        status = 422
        if form.is_valid() and _choose(request, form, chosen, switched):
            messages.success(request, _("From now on you hear of it like this."))
            return HttpResponseRedirect(reverse("notices:choices"))
    context = {
        "form": form,
        "lines": lines(chosen),
        "ways": WAYS,
        "switches": [
            (name, switch.label, switched.get(name, switch.default))
            for name, switch in switches.items()
        ],
    }
    return render(request, "notices/choices.html", context, status=status)


def _choose(
    request: ActorRequest,
    form: HabitsForm,
    ways: dict[str, tuple[bool, str]],
    switched: dict[str, bool],
) -> bool:
    hours = form.cleaned_data
    try:
        with transaction.atomic():
            services.keep_quiet(request.actor, hours["quiet_from"], hours["quiet_to"])
            services.choose(request.actor, ways, daily_at=hours["daily_at"], switched=switched)
    except Invalid as error:
        for name, texts in error.errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, str(text))
        return False
    return True


@require_POST
@needs(None)
def read(request: ActorRequest, news: UUID) -> HttpResponse:
    """One is read, with all of the same thing where they stand together."""
    services.mark_read(request.actor, news, together=bool(request.POST.get("together")))
    return _back(request)


@require_POST
@needs(None)
def read_all(request: ActorRequest) -> HttpResponse:
    """All are read; or all of one thing, whose page somebody has opened."""
    thing, _colon, key = request.POST.get("thing", "").partition(":")
    try:
        thing_id = UUID(key) if key else None
    except ValueError:
        return HttpResponse(status=204)
    services.mark_all_read(request.actor, thing=thing, thing_id=thing_id)
    return HttpResponse(status=204) if thing else _back(request)


def _back(request: ActorRequest) -> HttpResponse:
    if request.htmx:  # from the bell, which stays open
        return _bell(request)
    which = request.POST.get("ver", "")
    return HttpResponseRedirect(
        reverse("notices:list") + (f"?ver={which}" if which in LISTS else "")
    )


def _bell(request: ActorRequest) -> HttpResponse:
    groups = selectors.newest(request.actor)
    return render(request, "notices/_bell.html", {"groups": groups})

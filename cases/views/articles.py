"""Knowledge articles in the console: the list with what is due for review, the editor, publishing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import catalogue, knowledge, selectors
from cases.catalogue_forms import REVIEWED_EVERY, ArticleForm, refused_words
from cases.markup import as_html
from cases.models import Article
from cases.permissions import PUBLISH_ARTICLE, WRITE_ARTICLE
from cases.services import knowledge as verbs
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import decide
from crm.organisations.models import Organisation

SOON = timedelta(days=30)


@require_GET
@needs(WRITE_ARTICLE)
def article_list(request: ActorRequest) -> HttpResponse:
    """The articles by review date, the soonest first; those due alone when asked."""
    due = request.GET.get("revisar") == "1"
    text = request.GET.get("q", "").strip()[:100]
    page = knowledge.page(request.actor, text=text, due=due, after=request.GET.get("after", ""))
    context = {
        "articles": page.rows,
        "after": page.after,
        "due": due,
        "due_count": knowledge.due_for_review(request.actor).count(),
        "q": text,
        "today": timezone.localdate(),
        "soon": timezone.localdate() + SOON,
    }
    part = "cases/articles.html#rows" if request.htmx and page.rows else "cases/articles.html"
    return render(request, part, context)


@require_http_methods(["GET", "POST"])
@needs(WRITE_ARTICLE)
def new_article(request: ActorRequest) -> HttpResponse:
    """A new article, as a draft."""
    form = _form(request, None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = verbs.create_article(
                request.actor,
                code=given["code"],
                language=given["language"],
                unit=UUID(given["unit"]),
                **form.said(),
            )
        except Invalid as error:
            form.refused(error)
        else:
            messages.success(request, _("The draft has been saved. Citizens do not see it yet."))
            return HttpResponseRedirect(reverse("cases:article", args=[made.uuid]))
    return _page(request, form, None)


@require_http_methods(["GET", "POST"])
@needs(WRITE_ARTICLE)
def article(request: ActorRequest, article: UUID) -> HttpResponse:
    """One article with its versions; saving writes a draft."""
    row = knowledge.articles(request.actor).get_or_refuse(uuid=article)
    form = _form(request, row)
    if request.method == "POST" and form.is_valid():
        try:
            verbs.change_article(
                request.actor, article, **form.said(), seen=form.cleaned_data["seen"]
            )
        except (Invalid, Conflict) as error:
            form.refused(error)
        else:
            messages.success(request, _("The article has been saved."))
            return HttpResponseRedirect(reverse("cases:article", args=[article]))
    return _page(request, form, row)


@require_POST
@needs(PUBLISH_ARTICLE)
def publish_article(request: ActorRequest, article: UUID) -> HttpResponse:
    """Citizens read the draft."""
    told = _("Citizens read this version now.")
    return _act(request, article, lambda: verbs.publish_article(request.actor, article), told)


@require_POST
@needs(PUBLISH_ARTICLE)
def retire_article(request: ActorRequest, article: UUID) -> HttpResponse:
    """Citizens no longer read it."""
    told = _("Citizens no longer read it.")
    return _act(request, article, lambda: verbs.retire_article(request.actor, article), told)


@require_POST
@needs(WRITE_ARTICLE)
def review_article(request: ActorRequest, article: UUID) -> HttpResponse:
    """It still holds."""
    until = timezone.localdate() + REVIEWED_EVERY
    told = _("Reviewed. It will come up again on %(date)s.") % {"date": until.strftime("%d/%m/%Y")}
    return _act(
        request, article, lambda: verbs.review_article(request.actor, article, until=until), told
    )


def _act(
    request: ActorRequest, article: UUID, verb: Callable[[], object], told: str
) -> HttpResponse:
    try:
        verb()
    except (Invalid, Conflict) as error:
        messages.error(request, refused_words(error))
    else:
        messages.success(request, told)
    return HttpResponseRedirect(reverse("cases:article", args=[article]))


def _form(request: ActorRequest, row: Article | None) -> ArticleForm:
    organisation = Organisation.objects.for_actor(request.actor).get()
    initial: dict[str, Any] = {}
    if row is not None:
        newest = row.versions.order_by("-number").first()
        initial = ArticleForm.initial_of(row, newest) if newest else {}
    else:
        home = selectors.home_unit(request.actor)
        initial = {"unit": str(home.uuid) if home else "", "language": "es"}
    return ArticleForm(
        request.POST or None,
        initial=initial,
        units=selectors.units_where(request.actor, WRITE_ARTICLE),
        procedures=catalogue.procedures(request.actor),
        languages=organisation.languages,
        known=row is not None,
    )


def _page(request: ActorRequest, form: ArticleForm, row: Article | None) -> HttpResponse:
    body = form["body"].value() or ""
    context = {
        "form": form,
        "article": row,
        "versions": row.versions.order_by("-number") if row else [],
        "preview": as_html(str(body)) if row else "",
        "publish": decide(request.actor, PUBLISH_ARTICLE, row) if row else None,
        "organisation_code": request.actor.organisation_code,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "cases/article.html", context, status=status)

"""Reading knowledge articles: those published, those due for review, and the shelf that answers from them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from cases import retrieval
from cases.finding import Finds, wanted
from cases.markup import as_text
from cases.models import Article, ArticleVersion
from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.kit.keyset import Order, Page, read_page
from crm.kit.scoping import ScopedQuerySet

MOST_FOUND = 20
_ORDER = Order(("review_on", "id"))


def articles(actor: Actor) -> ScopedQuerySet[Article]:
    """All of the organisation's, with the title of the newest version, soonest review first."""
    newest = ArticleVersion.objects.filter(article=OuterRef("pk")).order_by("-number")
    published = newest.filter(status=ArticleVersion.Status.PUBLISHED)
    draft = newest.filter(status=ArticleVersion.Status.DRAFT)
    rows: ScopedQuerySet[Any] = (
        Article.objects.for_actor(actor)
        .select_related("unit")
        .annotate(
            title=Subquery(newest.values("title")[:1]),
            published_number=Subquery(published.values("number")[:1]),
            draft_number=Subquery(draft.values("number")[:1]),
        )
        .order_by("review_on", "pk")
    )
    return rows


def due_for_review(actor: Actor, today: date | None = None) -> ScopedQuerySet[Article]:
    """Those published whose review date has come."""
    day = today or timezone.localdate()
    return articles(actor).filter(
        review_on__lte=day, retired_at=None, pk__in=published(actor).values("article")
    )


def page(actor: Actor, *, text: str = "", due: bool = False, after: str = "") -> Page[Article]:
    """A page of the articles, those retired aside, soonest review first; with some words or due alone."""
    rows = due_for_review(actor) if due else articles(actor).filter(retired_at=None)
    if text:
        query = SearchQuery(text, config="es", search_type="websearch")
        rows = rows.filter(pk__in=ArticleVersion.objects.filter(search=query).values("article"))
    return read_page(rows, _ORDER, after)


def published(actor: Actor, language: str = "") -> QuerySet[ArticleVersion]:
    """The words that citizens see now."""
    rows = ArticleVersion.objects.for_actor(actor).filter(
        status=ArticleVersion.Status.PUBLISHED, article__retired_at=None
    )
    if language:
        rows = rows.filter(article__language=language)
    return rows.select_related("article__unit")


def one(actor: Actor, code: str, language: str) -> ArticleVersion:
    """A published article in the language, else in Spanish, else in any; NotFound when there is none."""
    rows = {row.article.language: row for row in published(actor).filter(article__code=code)}
    for choice in (language, language.split("-")[0], "es", *sorted(rows)):
        if choice in rows:
            return rows[choice]
    raise NotFound


def find(actor: Actor, text: str, language: str = "es") -> Finds[ArticleVersion]:
    """The published articles that have the words, and those that have some of them."""
    asked = wanted(text, language)
    if not asked.words:
        return Finds([], [])
    rows: QuerySet[Any] = published(actor, language).filter(search=asked.some)
    ranked = rows.annotate(rank=asked.rank, has=asked.has).order_by("-has", "-rank", "pk")
    return asked.parted((row, row.has) for row in ranked[:MOST_FOUND])


@dataclass(frozen=True, slots=True)
class Found:
    """A published article that answers a question."""

    uuid: UUID
    code: str
    version: int
    title: str
    excerpt: str
    sureness: float


def answer(actor: Actor, question: str, language: str = "es") -> Found | None:
    """What the organisation's published articles answer, in the language or else in Spanish."""
    for choice in dict.fromkeys((language, language.split("-")[0], "es")):
        found = _shelf(actor, choice).answer(question)
        if found is not None:
            uuid, code, version = found.article.key.split(" ")
            return Found(
                UUID(uuid),
                code,
                int(version),
                found.article.title,
                found.excerpt,
                found.sureness,
            )
    return None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A published article whole, as one that an answer may rest on."""

    uuid: UUID
    code: str
    version: int
    title: str
    text: str
    language: str


def leaves(actor: Actor, question: str, language: str = "es", most: int = 3) -> list[Leaf]:
    """The article that surely answers first, then those nearest to it; none when none surely does."""
    for choice in dict.fromkeys((language, language.split("-")[0], "es")):
        shelf = _shelf(actor, choice)
        if shelf.answer(question) is not None:
            return [_leaf(article) for article in shelf.likeliest(question, most)]
    return []


def _leaf(article: retrieval.Article) -> Leaf:
    uuid, code, version = article.key.split(" ")
    return Leaf(UUID(uuid), code, int(version), article.title, article.body, article.language)


_shelves: dict[tuple[int, str], tuple[object, retrieval.Shelf]] = {}


def _shelf(actor: Actor, language: str) -> retrieval.Shelf:
    """The language's published articles, read once for each state that they are in."""
    rows = published(actor, language)
    state = rows.aggregate(
        count=Count("pk"), newest=Max("updated_at"), changed=Max("article__updated_at")
    )
    key, mark = (actor.organisation_id, language), tuple(state.values())
    known = _shelves.get(key)
    if known is None or known[0] != mark:
        shelf = retrieval.Shelf(
            (
                retrieval.Article(
                    f"{row.article.uuid} {row.article.code} {row.number}",
                    row.title,
                    as_text(row.body),
                    language,
                )
                for row in rows.order_by("pk")
            ),
            language,
        )
        known = _shelves[key] = (mark, shelf)
    return known[1]

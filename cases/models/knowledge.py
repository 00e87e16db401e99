"""Knowledge articles: what is answered to citizens, in versions that do not change once published."""

from typing import Self

import pghistory
import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.procedures import Procedure
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


@pghistory.track()
class Article(Owned):
    """An answer in one language; the same code in another language is its translation."""

    code = models.SlugField(_("code"), max_length=80)
    language = models.CharField(_("language"), max_length=16, default="es")
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="articles"
    )
    unit_id: int
    review_on = models.DateField(_("review date"))
    procedures = models.ManyToManyField(Procedure, related_name="articles", blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "code", "language"], name="article_once_per_language"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "review_on"],
                condition=Q(retired_at=None),
                name="article_review",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.language})"


class ThroughArticle(ScopedQuerySet["ArticleVersion"]):
    """Rows that exist for an actor when their article does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the organisation's articles."""
        return self.filter(article__organisation=actor.organisation_id)


class ArticleVersion(Base):
    """The words of an article: a draft, the published one, or one that was published before."""

    class Status(models.TextChoices):
        """Draft → published → superseded."""

        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        SUPERSEDED = "superseded", _("Superseded")

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField()  # in the markup of cases.markup
    author_name = models.CharField(max_length=200)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by_name = models.CharField(max_length=200, blank=True)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="es")
        + SearchVector("body", weight="B", config="es"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ThroughArticle.as_manager()

    class Meta:
        verbose_name = _("version of an article")
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="article_version_once"),
            models.UniqueConstraint(
                fields=["article"], condition=Q(status="published"), name="article_one_published"
            ),
            models.UniqueConstraint(
                fields=["article"], condition=Q(status="draft"), name="article_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None)
                | ~Q(status="draft") & Q(published_at__isnull=False),
                name="article_version_published_iff_dated",
            ),
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(body=""), name="article_version_says_something"
            ),
        ]
        indexes = [GinIndex(fields=["search"], name="article_version_search")]
        triggers = [
            pgtrigger.Protect(
                name="published_words_stay",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "article_id", "number", "title", "body"
                ),
                condition=pgtrigger.Q(old__status__in=["published", "superseded"]),
            ),
            pgtrigger.Protect(
                name="published_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["published", "superseded"]),
            ),
        ]

    def __str__(self) -> str:
        return self.title

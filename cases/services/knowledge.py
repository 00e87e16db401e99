"""Knowledge articles: drafting, publishing (what is published does not change) and retiring them."""

import re
from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Article, ArticleVersion, Procedure
from cases.permissions import PUBLISH_ARTICLE, WRITE_ARTICLE
from cases.services.places import unit_of
from cases.services.writing import moment
from cases.texts import one_line, paragraphs
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import require

LONGEST = 40_000
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@transaction.atomic
def create_article(
    actor: Actor,
    *,
    code: str,
    language: str,
    title: str,
    body: str,
    review_on: date,
    unit: UUID | None = None,
    procedures: Collection[str] = (),
) -> Article:
    """The article exists as a first draft, which only employees see."""
    owner = unit_of(actor, unit)
    require(actor, WRITE_ARTICLE, owner)
    errors: dict[str, list[Text]] = {}
    if not _CODE.fullmatch(code):
        errors["code"] = [_("A code is made of small letters, digits and dashes, 80 at most.")]
    if language not in dict(settings.LANGUAGES):
        errors["language"] = [_("Choose one of the offered values.")]
    _check_words(title, body, errors)
    try:
        with transaction.atomic():
            article = Article.objects.create(
                organisation_id=actor.organisation_id,
                code=code,
                language=language,
                unit=owner,
                review_on=review_on,
            )
    except IntegrityError:
        text = _("There is already an article with this code in this language.")
        raise Invalid(errors={"code": [text]}) from None
    _link(actor, article, procedures)
    _draft(actor, article, title, body)
    record(actor, WRITE_ARTICLE, article, created=True)
    return article


@transaction.atomic
def change_article(
    actor: Actor,
    article: UUID,
    *,
    title: str,
    body: str,
    review_on: date,
    procedures: Collection[str] = (),
    seen: int | None = None,
) -> ArticleVersion:
    """These words are the article's draft; those that citizens read stay until it is published.

    `seen` is the number of the newest version that the writer knew: Conflict when there is a newer one.
    """
    row = _fetch(actor, article, WRITE_ARTICLE)
    errors: dict[str, list[Text]] = {}
    _check_words(title, body, errors)
    newest = row.versions.order_by("-number").first()
    if seen is not None and newest is not None and newest.number != seen:
        raise Conflict("article_changed", _("Somebody has published another version meanwhile."))
    row.review_on = review_on
    row.save(update_fields=["review_on", "updated_at"])
    _link(actor, row, procedures)
    version = newest
    said = (one_line(title), paragraphs(body))
    if newest is None or newest.status != ArticleVersion.Status.DRAFT:
        if newest is None or (newest.title, newest.body) != said:
            version = _draft(actor, row, title, body)
    else:
        newest.title, newest.body = said
        newest.author_name = actor.name[:200]
        newest.save(update_fields=["title", "body", "author_name", "updated_at"])
    assert version is not None
    record(actor, WRITE_ARTICLE, row, version=version.number)
    return version


@transaction.atomic
def publish_article(actor: Actor, article: UUID) -> ArticleVersion:
    """Citizens read the draft from now on; the words that they read before are kept."""
    row = _fetch(actor, article, PUBLISH_ARTICLE)
    draft = row.versions.filter(status=ArticleVersion.Status.DRAFT).first()
    if draft is None:
        raise Conflict("article_without_draft", _("There is no draft to publish."))
    for before in row.versions.filter(status=ArticleVersion.Status.PUBLISHED):
        before.status = ArticleVersion.Status.SUPERSEDED
        before.save(update_fields=["status", "updated_at"])
    draft.status = ArticleVersion.Status.PUBLISHED
    draft.published_at, draft.published_by_name = moment(), actor.name[:200]
    draft.save(update_fields=["status", "published_at", "published_by_name", "updated_at"])
    if row.retired_at is not None:
        row.retired_at = None
        row.save(update_fields=["retired_at", "updated_at"])
    record(actor, PUBLISH_ARTICLE, row, version=draft.number)
    return draft


@transaction.atomic
def retire_article(actor: Actor, article: UUID) -> Article:
    """Citizens no longer read the article, nor is anything answered from it."""
    row = _fetch(actor, article, PUBLISH_ARTICLE)
    if row.retired_at is None:
        row.retired_at = timezone.now()
        row.save(update_fields=["retired_at", "updated_at"])
        record(actor, PUBLISH_ARTICLE, row, retired=True)
    return row


@transaction.atomic
def review_article(actor: Actor, article: UUID, *, until: date) -> Article:
    """Somebody has read the article and it still holds; it is looked at again on that day."""
    row = _fetch(actor, article, WRITE_ARTICLE)
    if until <= timezone.localdate():
        raise Invalid(errors={"review_on": [_("Choose a day in the future.")]})
    row.review_on = until
    row.save(update_fields=["review_on", "updated_at"])
    record(actor, WRITE_ARTICLE, row, reviewed=True)
    return row


def _fetch(actor: Actor, article: UUID, permission: str) -> Article:
    row = Article.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=article)
    require(actor, permission, row)
    return row


def _draft(actor: Actor, article: Article, title: str, body: str) -> ArticleVersion:
    newest = article.versions.order_by("-number").first()
    return ArticleVersion.objects.create(
        article=article,
        number=newest.number + 1 if newest else 1,
        title=one_line(title),
        body=paragraphs(body),
        author_name=actor.name[:200],
    )


def _check_words(title: str, body: str, errors: dict[str, list[Text]]) -> None:
    for name, text, limit in (("title", one_line(title), 200), ("body", paragraphs(body), LONGEST)):
        if not text:
            errors[name] = [_("This field is required.")]
        elif len(text) > limit:
            errors[name] = [_("Write at most %(limit)s characters.") % {"limit": limit}]
    if errors:
        raise Invalid(errors=errors)


def _link(actor: Actor, article: Article, codes: Collection[str]) -> None:
    rows = list(Procedure.objects.for_actor(actor).filter(code__in=codes))
    if len(rows) != len(set(codes)):
        raise Invalid(errors={"procedures": [_("Choose one of the offered values.")]})
    article.procedures.set(rows)

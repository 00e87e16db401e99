"""Canned answers: what is usually written to citizens, for oneself, a unit or the organisation."""

from typing import Self, TypeVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.case import Document, Message
from crm.kit.actor import Actor
from crm.kit.files import Scan, Stored
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class Audience(models.TextChoices):
    """Who has a canned answer or a macro."""

    OWN = "own", _("Only me")
    UNIT = "unit", _("A unit and those under it")
    ORGANISATION = "organisation", _("The whole organisation")


Shared = TypeVar("Shared", bound=models.Model)
OfAnswer = TypeVar("OfAnswer", bound=models.Model)


class SharedQuerySet(ScopedQuerySet[Shared]):
    """What colleagues share, and one's own."""

    def for_actor(self, actor: Actor) -> Self:
        """The organisation's and its units', which say nothing of anybody; of one's own only the
        owner's."""
        rows = self.filter(organisation=actor.organisation_id)
        mine = ~Q(audience=Audience.OWN)
        if actor.user_id is not None:
            mine |= Q(owner=actor.user_id)
        return rows.filter(mine)


class CannedAnswer(Owned):
    """An answer with a short name; its words are its versions'."""

    class Status(models.TextChoices):
        """Draft → published → retired."""

        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    audience = models.CharField(_("Who has it"), max_length=12, choices=Audience)
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, related_name="+"
    )
    unit_id: int | None
    code = models.SlugField(_("Short name"), max_length=40)
    name = models.CharField(_("Name"), max_length=120)
    case_types = models.JSONField(default=list)  # codes; none: of every type
    states = models.JSONField(default=list)  # categories, or states of those types; none: in all
    channels = models.JSONField(default=list)  # none: by every channel
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    words = models.TextField(blank=True)  # folded, as a search meets them
    uses = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = SharedQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("canned answer")
        verbose_name_plural = _("canned answers")
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="unit", unit__isnull=False)
                | (~Q(audience="unit") & Q(unit=None)),
                name="canned_answer_of_a_unit_names_it",
            ),
            models.CheckConstraint(
                condition=Q(audience="own", owner__isnull=False)
                | (~Q(audience="own") & Q(owner=None)),
                name="canned_answer_of_ones_own_has_an_owner",
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(code=""), name="canned_answer_has_a_name"
            ),
            models.UniqueConstraint(
                fields=["organisation", "owner", "unit", "code"],
                condition=~Q(status="retired"),
                nulls_distinct=False,
                name="canned_answer_code_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ThroughAnswer(ScopedQuerySet[OfAnswer]):
    """Rows that exist for an actor when their answer does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the answers that colleagues share, and of one's own."""
        return self.filter(answer__in=CannedAnswer.objects.for_actor(actor))


class AnswerVersion(Base):
    """The words of an answer by language: a draft, what is offered now, or what was before."""

    class Status(models.TextChoices):
        """Draft → published → superseded."""

        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        SUPERSEDED = "superseded", _("Superseded")

    answer = models.ForeignKey(CannedAnswer, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    texts = models.JSONField()  # {language: text with ((variables))}
    author_name = models.CharField(max_length=200)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by_name = models.CharField(max_length=200, blank=True)

    objects = ThroughAnswer.as_manager()

    class Meta:
        verbose_name = _("version of a canned answer")
        constraints = [
            models.UniqueConstraint(fields=["answer", "number"], name="answer_version_once"),
            models.UniqueConstraint(
                fields=["answer"], condition=Q(status="published"), name="answer_one_published"
            ),
            models.UniqueConstraint(
                fields=["answer"], condition=Q(status="draft"), name="answer_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None)
                | (~Q(status="draft") & Q(published_at__isnull=False)),
                name="answer_version_published_iff_dated",
            ),
            models.CheckConstraint(condition=~Q(texts={}), name="answer_version_says_something"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="published_answer_stays",
                operation=pgtrigger.UpdateOf("answer_id", "number", "texts"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__status__in=["published", "superseded"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer_id}.{self.number}"


class AnswerFile(Base):
    """A file that goes with an answer: kept once, it becomes a document of each case that it goes to."""

    answer = models.ForeignKey(CannedAnswer, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(_("name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    scan = models.CharField(max_length=12, choices=Scan)

    objects = ThroughAnswer.as_manager()

    class Meta:
        verbose_name = _("file of a canned answer")
        constraints = [
            models.UniqueConstraint(fields=["answer", "sha256"], name="answer_file_once"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="answer_file_has_a_digest"
            ),
        ]
        indexes = [models.Index(fields=["sha256"], name="answer_file_digest")]

    def __str__(self) -> str:
        return self.name

    @property
    def stored(self) -> Stored:
        """As the store of files knows it."""
        path = f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"
        return Stored(path, self.sha256, self.size, self.media_type, self.name, Scan(self.scan))


class ThroughMessage(ScopedQuerySet["MessageFile"]):
    """Rows that exist for an actor when their message does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of messages on cases that the actor may see."""
        return self.filter(message__in=Message.objects.for_actor(actor))


class MessageFile(models.Model):
    """A document of the case that went with a message to the citizen."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="files")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")

    objects = ThroughMessage.as_manager()

    class Meta:
        verbose_name = _("file of a message")
        constraints = [
            models.UniqueConstraint(fields=["message", "document"], name="message_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.document_id}"

"""What citizens file by themselves: the application behind a case, and the codes that open it to them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from cases.models.procedures import Procedure
from crm.kit.models import Base, Owned


class Application(Base):
    """A case as it was filed on the public pages: by whom, as they say themselves, and their answers.

    Nobody has checked who they are. The case gets its citizen when an employee has.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="application")
    procedure = models.ForeignKey(
        Procedure, on_delete=models.PROTECT, related_name="applications", db_index=False
    )
    key = models.UUIDField(unique=True)  # the form's own, so that sent twice it files one
    name = models.CharField(_("name"), max_length=150)
    surname1 = models.CharField(_("first surname"), max_length=100)
    surname2 = models.CharField(_("second surname"), max_length=100, blank=True)
    identifier = models.CharField(_("identification number"), max_length=30, blank=True)
    email = models.EmailField(_("email address"))
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    answers = models.JSONField(default=dict)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints = [
            models.CheckConstraint(condition=~Q(email=""), name="application_has_a_mailbox"),
        ]

    def __str__(self) -> str:
        return f"{self.case}"

    @property
    def full_name(self) -> str:
        """As people write it."""
        return " ".join(filter(None, [self.name, self.surname1, self.surname2]))


class DraftPaper(Owned):
    """A file that nothing is about, at least when this was written: a citizen sent it with a request form
    which has not been filed, or an employee took it out of an answer."""

    sha256 = models.CharField(max_length=64)
    waits_since = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("paper of a form that was not sent")
        verbose_name_plural = _("papers of forms that were not sent")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "sha256"], name="draft_paper_waits_once"
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="draft_paper_has_a_digest"
            ),
        ]
        indexes = [models.Index(fields=["waits_since"], name="draft_paper_oldest")]

    def __str__(self) -> str:
        return self.sha256

    @property
    def path(self) -> str:
        """Where it lies in the store of files."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


class AccessCode(Base):
    """A code sent by e-mail that opens one case to whoever reads that mailbox, once and not for long."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="access_codes")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("access code")

    def __str__(self) -> str:
        return f"{self.case}"

"""The language model that may phrase the first level's answers, and the answers that wait for it."""

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels_app.models.conversation import Conversation, ThroughConversation
from crm.kit.models import Base, Owned
from crm.kit.secrets import decrypt, encrypt


@pghistory.track(exclude=["sealed_key"])
class ModelServer(Owned):
    """Which server on own premises phrases an organisation's answers; none does unless it is on."""

    is_on = models.BooleanField(_("in use"), default=False)
    url = models.CharField(_("address"), max_length=300, blank=True)  # none: the installation's
    model = models.CharField(_("model"), max_length=120, blank=True)
    sealed_key = models.TextField(blank=True, editable=False)  # encrypted
    seconds = models.PositiveSmallIntegerField(_("seconds at most"), default=8)

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language models")
        constraints = [
            models.UniqueConstraint(fields=["organisation"], name="model_server_one_each"),
            models.CheckConstraint(
                condition=Q(seconds__gte=1, seconds__lte=20), name="model_server_is_waited_for"
            ),
            models.CheckConstraint(
                condition=~Q(url="") | Q(sealed_key="", model=""),
                name="model_server_key_has_a_lock",
            ),
        ]

    def __str__(self) -> str:
        return self.model or str(self._meta.verbose_name)

    @property
    def key(self) -> str:
        """In clear, for the server alone; none when its encryption key is of the past."""
        try:
            return decrypt(self.sealed_key) if self.sealed_key else ""
        except ValueError:
            return ""

    @key.setter
    def key(self, value: str) -> None:
        self.sealed_key = encrypt(value) if value else ""


class OwedAnswer(Base):
    """A question whose answer is being phrased: due by then in any case, by whoever comes first."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="owed_answer"
    )
    number = models.PositiveIntegerField()  # of the question among the messages
    due_at = models.DateTimeField()

    objects = ThroughConversation.as_manager()

    class Meta:
        verbose_name = _("answer being phrased")
        verbose_name_plural = _("answers being phrased")
        indexes = [models.Index(fields=["due_at"], name="owed_answer_due")]

    def __str__(self) -> str:
        return f"{self.conversation} {self.number}"

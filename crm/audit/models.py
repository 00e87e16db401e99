"""The audit trail: who did and who saw what, append-only, sealed in a chain of digests."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.kit.scoping import ScopedQuerySet


class CurrentTransaction(models.Func):
    """The 64-bit id of the writing transaction."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()
    allowed_default = True


class Result(models.TextChoices):
    """How an audited act ended."""

    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class AuditEntry(models.Model):
    """One act or look. Names are copies, so that they survive what they name; no foreign keys.

    Partitioned by year on `at` (a migration makes the table), so that retention drops a partition
    without ever allowing a DELETE. `tx` is the writing transaction, by which the sealer knows that
    nothing older can still appear.
    """

    id = models.BigAutoField(primary_key=True)
    tx = models.BigIntegerField(editable=False, db_default=CurrentTransaction())
    organisation_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    on_behalf_of = models.CharField(max_length=200, db_default="", default="")
    action = models.CharField(max_length=80)
    object_type = models.CharField(max_length=40, db_default="", default="")
    object_id = models.CharField(max_length=40, db_default="", default="")
    object_name = models.CharField(max_length=240, db_default="", default="")
    purpose = models.CharField(max_length=240, db_default="", default="")
    result = models.CharField(
        max_length=8, choices=Result, db_default=Result.DONE, default=Result.DONE
    )
    door = models.CharField(max_length=10)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, db_default="", default="")
    data = models.JSONField(db_default={}, default=dict, encoder=DjangoJSONEncoder)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["organisation_id", "-at", "-id"], name="audit_by_time"),
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_by_object"),
            models.Index(fields=["organisation_id", "actor_id", "-at"], name="audit_by_actor"),
            models.Index(fields=["tx", "id"], name="audit_by_transaction"),
            # what was refused or failed is a small part, and what an auditor looks for first
            models.Index(
                fields=["organisation_id", "-at", "-id"],
                condition=~models.Q(result=Result.DONE),
                name="audit_not_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action} {self.object_name}"


class Seal(models.Model):
    """One link of the chain: the digests of a batch of entries and the root over all before it.

    Numbers have no gaps. `generation` names the database cluster whose transaction ids `tx_from` and
    `tx_to` are; entries up to `id_floor` were sealed under an earlier one (crm.audit.chain).
    """

    number = models.BigIntegerField(primary_key=True)
    generation = models.UUIDField()
    id_floor = models.BigIntegerField()
    tx_from = models.BigIntegerField()
    tx_to = models.BigIntegerField()
    count = models.IntegerField()
    total = models.BigIntegerField()  # of all seals up to this one
    ids = ArrayField(models.BigIntegerField())
    organisation_ids = ArrayField(models.BigIntegerField(null=True))
    digests = ArrayField(models.BinaryField())  # of the entries, in the order of ids
    previous = models.BinaryField()
    root = models.BinaryField()
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return f"seal {self.number}"

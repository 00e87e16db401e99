"""Citizens: one record per installation, and what each organisation keeps about them."""

from uuid import UUID

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.citizens.aliases import Survivor
from crm.citizens.identifiers import shown_phone
from crm.citizens.mandate_models import (
    Act,
    Assurance,
    AuthorisedProfessional,
    End,
    Mandate,
    MandatePaper,
    Proof,
    Scope,
)
from crm.citizens.merge_models import DuplicatePair, DuplicateScan, Merge, MergeLine
from crm.citizens.relation_models import Relation
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet
from crm.organisations.models import DataClass, SharingAgreement

__all__ = [
    "Act",
    "Assurance",
    "AuthorisedProfessional",
    "Channel",
    "Citizen",
    "CitizenQuerySet",
    "CitizenRecord",
    "Consent",
    "ContactPoint",
    "DuplicatePair",
    "DuplicateScan",
    "End",
    "Identifier",
    "Mandate",
    "MandatePaper",
    "Merge",
    "MergeLine",
    "NameWord",
    "Need",
    "Proof",
    "Relation",
    "Scope",
    "Topic",
    "agreements_in_force",
    "records_reaching",
]


class Channel(models.TextChoices):
    """A way by which citizens and the administration reach each other."""

    PHONE = "phone", _("Phone")
    WEB_CHAT = "web_chat", _("Web chat")
    WHATSAPP = "whatsapp", _("WhatsApp")
    SOCIAL = "social", _("Social media")
    EMAIL = "email", _("Email")
    SMS = "sms", _("SMS")
    VIDEO = "video", _("Video")
    IN_PERSON = "in_person", _("In person")
    POST = "post", _("Post")
    WEB_FORM = "web_form", _("Web form")


class Need(models.TextChoices):
    """What a person needs to be attended well."""

    HEARING = "hearing", _("Hearing")
    SIGHT = "sight", _("Sight")
    EASY_READING = "easy_reading", _("Easy reading")


def agreements_in_force(actor: Actor) -> "models.QuerySet[SharingAgreement]":
    """Those by which the actor's organisation may see today who another's citizens are."""
    return SharingAgreement.objects.for_actor(actor).filter(
        receiver=actor.organisation_id,
        revoked_at=None,
        valid__contains=timezone.localdate(),
        data_classes__contains=[DataClass.IDENTITY],
    )


class CitizenQuerySet(ScopedQuerySet["Citizen"]):
    """A citizen exists for the organisations that keep a record of them, or are let see one."""

    def for_actor(self, actor: Actor) -> "CitizenQuerySet":
        """Those of whom the actor's organisation keeps a record, or may see another's identity."""
        reaching = records_reaching(actor).filter(citizen=models.OuterRef("pk"))
        alone = {one.subject for one in actor.attends if one.alone}
        rows = self.filter(pk__in=alone) if alone else self
        return rows.filter(models.Exists(reaching))

    def known_by(self, uuid: UUID | str) -> "CitizenQuerySet":
        """Whom the UUID means, also when it is that of a record that was merged into theirs."""
        return self.filter(pk=Survivor(uuid))


def records_reaching(actor: Actor) -> "models.QuerySet[CitizenRecord]":
    """The records by which citizens exist for the actor: its organisation's, and those shared with it.

    What another organisation protects it does not share.
    """
    records = CitizenRecord.objects.unscoped("an agreement reaches another's")
    mine = Q(organisation=actor.organisation_id)
    givers = list(agreements_in_force(actor).values_list("giver_id", flat=True))
    return records.filter(mine | Q(organisation__in=givers, protected=False) if givers else mine)


class Folded(models.Func):
    """A name as it is searched: what `identifiers.folded` gives in Python."""

    template = r"btrim(regexp_replace(f_norm(%(expressions)s), '\s+', ' ', 'g'))"
    output_field = models.TextField()


class Words(models.Func):
    """The words of a name as a text-search vector; punctuation between them counts for nothing."""

    template = (
        "to_tsvector('simple'::regconfig, "
        "regexp_replace(f_norm(%(expressions)s), '[^[:alnum:]]+', ' ', 'g'))"
    )
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()


def _key(field: str) -> models.GeneratedField:
    """The column that the database itself fills and keeps: no writer can let it drift, COPY included."""
    return models.GeneratedField(
        expression=Folded(field), output_field=models.TextField(db_collation="C"), db_persist=True
    )


@pghistory.track(exclude=["name_key", "surname1_key", "surname2_key", "words"])
class Citizen(Base):
    """A natural or legal person. Names and identifiers are the installation's, the rest is not."""

    class Kind(models.TextChoices):
        """Companies, associations and bodies are legal persons."""

        NATURAL = "natural_person", _("Natural person")
        LEGAL = "legal_person", _("Legal person")

    kind = models.CharField(max_length=14, choices=Kind, default=Kind.NATURAL)
    name = models.CharField(_("name"), max_length=150)
    surname1 = models.CharField(_("first surname"), max_length=100, blank=True)
    surname2 = models.CharField(_("second surname"), max_length=100, blank=True)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    # folded for search, ordered bytewise so that a prefix is an index range (data-and-speed.md 2.2)
    name_key = _key("name")
    surname1_key = _key("surname1")
    surname2_key = _key("surname2")
    words = models.GeneratedField(
        expression=Words("name", "surname1", "surname2"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )

    objects = CitizenQuerySet.as_manager()

    class Meta:
        verbose_name = _("citizen")
        verbose_name_plural = _("citizens")
        indexes = [
            models.Index(
                fields=["surname1_key", "surname2_key", "name_key", "id"], name="citizen_surnames"
            ),
            models.Index(fields=["name_key", "id"], name="citizen_name"),
            # who was born the same day, when looking for duplicates
            models.Index(fields=["birth_date"], name="citizen_birth_date"),
            GinIndex(fields=["words"], name="citizen_words"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="citizen_has_a_name"),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="citizen_not_into_itself"
            ),
        ]
        triggers = [
            pgtrigger.Protect(  # a name that leads to another, until the merge is taken back
                name="merged_rests",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(
                    old__merged_into__isnull=False, new__merged_into__isnull=False
                ),
            ),
            pgtrigger.Protect(
                name="merged_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__merged_into__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """The name as people write it."""
        return " ".join(part for part in (self.name, self.surname1, self.surname2) if part)


@pghistory.track()
class CitizenRecord(Owned):
    """What one organisation keeps about a citizen; having one is what makes the citizen exist for it."""

    citizen = models.ForeignKey(
        Citizen, on_delete=models.PROTECT, related_name="records", db_index=False
    )
    language = models.CharField(_("language"), max_length=16, default="es")
    preferred_channel = models.CharField(
        _("preferred channel"), max_length=12, choices=Channel, blank=True
    )
    accessibility_needs = ArrayField(
        models.CharField(max_length=14, choices=Need), default=list, blank=True
    )
    protected = models.BooleanField(_("protected record"), default=False)
    protected_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("citizen's record")
        constraints = [
            models.UniqueConstraint(fields=["citizen", "organisation"], name="citizen_record_once"),
            models.CheckConstraint(
                condition=Q(protected=False) | ~Q(protected_reason=""),
                name="citizen_protected_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """The name where the record is not open: of a protected one, its initials."""
        if not self.protected:
            return self.citizen.full_name
        parts = (self.citizen.name, self.citizen.surname1, self.citizen.surname2)
        return " ".join(f"{part[0]}." for part in parts if part)


class IdentifierQuerySet(ScopedQuerySet["Identifier"]):
    """Identification numbers exist for an actor when their citizen does."""

    def for_actor(self, actor: Actor) -> "IdentifierQuerySet":
        """Those of the citizens that the actor's organisation knows."""
        return self.filter(citizen__in=Citizen.objects.for_actor(actor))


@pghistory.track()
class Identifier(Base):
    """An identification number of a citizen. Active ones are unique in the installation."""

    class Kind(models.TextChoices):
        """Kinds of identification numbers."""

        NIF = "nif", _("NIF")
        NIE = "nie", _("NIE")
        CIF = "cif", _("CIF")
        NAF = "naf", _("Social Security number (NAF)")
        PASSPORT = "passport", _("Passport")
        FOREIGN = "foreign", _("Foreign identification number")

    citizen = models.ForeignKey(Citizen, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    value = models.CharField(_("number"), max_length=40)  # normalised
    country = models.CharField(_("country"), max_length=2, default="ES")
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)  # withdrawn: wrong, or replaced

    objects = IdentifierQuerySet.as_manager()

    class Meta:
        verbose_name = _("identification number")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value", "country"],
                condition=Q(ended_at=None),
                name="identifier_of_one_citizen",
            ),
        ]
        indexes = [
            models.Index(fields=["value"], condition=Q(ended_at=None), name="identifier_value")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"  # never the number itself: this ends in logs

    @property
    def expired(self) -> bool:
        """Whether the paper with the number is no longer valid."""
        return self.valid_until is not None and self.valid_until < timezone.localdate()


@pghistory.track()
class ContactPoint(Owned):
    """One telephone, mailbox or address by which an organisation reaches a citizen."""

    class Quality(models.TextChoices):
        """How far it can be trusted to reach the person."""

        GOOD = "good", _("Good")
        UNSURE = "unsure", _("Unsure")
        BAD = "bad", _("Bad")

    citizen = models.ForeignKey(
        Citizen, on_delete=models.PROTECT, related_name="contact_points", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=12, choices=Channel)
    address = models.CharField(_("address"), max_length=300)  # as it is shown
    address_key = models.CharField(max_length=300, editable=False)  # E.164, lower-case mail, folded
    postal_code = models.CharField(_("postal code"), max_length=10, blank=True)
    municipality = models.CharField(_("municipality"), max_length=5, blank=True)  # INE code
    locality = models.CharField(_("town"), max_length=100, blank=True)  # as people write it
    preferred = models.BooleanField(_("preferred"), default=False)
    verified_at = models.DateTimeField(null=True, blank=True)
    quality = models.CharField(max_length=6, choices=Quality, default=Quality.UNSURE)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("contact point")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "channel", "address_key", "citizen"],
                condition=Q(ended_at=None),
                name="contact_point_once",
            ),
            models.UniqueConstraint(
                fields=["organisation", "citizen", "channel"],
                condition=Q(preferred=True, ended_at=None),
                name="contact_point_one_preferred",
            ),
        ]
        indexes = [
            # a family shares a telephone: many citizens may answer to one address
            models.Index(
                fields=["organisation", "channel", "address_key"], name="contact_point_address"
            ),
            models.Index(fields=["citizen"], name="contact_point_citizen"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"

    @property
    def shown(self) -> str:
        """The address as people read it."""
        if self.channel in (Channel.PHONE, Channel.SMS, Channel.WHATSAPP):
            return shown_phone(self.address)
        town = " ".join(filter(None, [self.postal_code, self.locality]))
        return ", ".join(filter(None, [self.address, town]))


class Topic(Owned):
    """Something that an organisation writes to citizens about, each of whom may want it or not."""

    class MessageClass(models.TextChoices):
        """What the law lets be sent: only the informational is asked leave for."""

        INFORMATIONAL = "informational", _("Informational")
        SERVICE = "service", _("About a service in use")
        STATUTORY = "statutory", _("Required by law")

    code = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=120)
    names = models.JSONField(default=dict, blank=True)  # in other languages: code → name
    message_class = models.CharField(
        _("kind of message"), max_length=14, choices=MessageClass, default="informational"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="topic_code_once")
        ]

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str) -> str:
        """Its name in a language, or as the organisation calls it."""
        return str(self.names.get(language) or self.name)

    @property
    def needs_consent(self) -> bool:
        """Whether it is sent only to who said yes (LSSI art. 21)."""
        return self.message_class == self.MessageClass.INFORMATIONAL


class ConsentQuerySet(ScopedQuerySet["Consent"]):
    """What was said of an organisation's topics."""

    organisation_path = "topic__organisation_id"


class Consent(models.Model):
    """What somebody said, at one moment, of being written to about a topic; the last word counts.

    Append-only by trigger: it is the proof of consent (GDPR art. 7.1).
    """

    class State(models.TextChoices):
        """What was said; pending: asked, and not yet confirmed by the mailbox's owner."""

        PENDING = "pending", _("Not yet confirmed")
        GRANTED = "granted", _("Granted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    id = models.BigAutoField(primary_key=True)
    contact_point = models.ForeignKey(
        ContactPoint, on_delete=models.PROTECT, related_name="consents", db_index=False
    )
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="consents")
    state = models.CharField(max_length=10, choices=State)
    source = models.CharField(max_length=40)  # by which door it was said: unsubscribe_link, desk…
    evidence = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        indexes = [
            # the last word of a contact point on a topic
            models.Index(fields=["contact_point", "topic", "-id"], name="consent_last_word")
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.contact_point_id} {self.topic_id} {self.state}"


class NameWord(models.Model):
    """A word that names bear, with how many bear it: what a misspelt word is compared with."""

    word = models.CharField(max_length=100, primary_key=True, db_collation="C")
    bearers = models.IntegerField()
    counted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.word

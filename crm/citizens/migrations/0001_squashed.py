import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import crm.citizens.models
import crm.kit.models


class Migration(migrations.Migration):
    replaces = [
        ("citizens", "0001_initial"),
        ("citizens", "0002_initial"),
        ("citizens", "0003_keys_by_database"),
        ("citizens", "0004_towns_and_birthdays"),
        ("citizens", "0005_names_in_the_plural"),
        ("citizens", "0006_no_index_twice"),
        ("citizens", "0007_consents"),
        ("citizens", "0009_mandates"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("kit", "0002_effects_in_doubt"),
        ("organisations", "0002_names_in_the_plural"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="NameWord",
            fields=[
                (
                    "word",
                    models.CharField(
                        db_collation="C", max_length=100, primary_key=True, serialize=False
                    ),
                ),
                ("bearers", models.IntegerField()),
                (
                    "counted_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Citizen",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("natural_person", "Natural person"),
                            ("legal_person", "Legal person"),
                        ],
                        default="natural_person",
                        max_length=14,
                    ),
                ),
                ("name", models.CharField(max_length=150, verbose_name="name")),
                (
                    "surname1",
                    models.CharField(blank=True, max_length=100, verbose_name="first surname"),
                ),
                (
                    "surname2",
                    models.CharField(blank=True, max_length=100, verbose_name="second surname"),
                ),
                (
                    "birth_date",
                    models.DateField(blank=True, null=True, verbose_name="date of birth"),
                ),
                (
                    "name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=crm.citizens.models.Folded("name"),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "surname1_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=crm.citizens.models.Folded("surname1"),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "surname2_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=crm.citizens.models.Folded("surname2"),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=crm.citizens.models.Words("name", "surname1", "surname2"),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "citizen",
                "verbose_name_plural": "citizens",
                "indexes": [
                    models.Index(
                        fields=["surname1_key", "surname2_key", "name_key", "id"],
                        name="citizen_surnames",
                    ),
                    models.Index(fields=["name_key", "id"], name="citizen_name"),
                    models.Index(fields=["birth_date"], name="citizen_birth_date"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["words"], name="citizen_words"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="citizen_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("merged_into", models.F("id")), _negated=True),
                        name="citizen_not_into_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuthorisedProfessional",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "number",
                    models.CharField(max_length=12, verbose_name="RED authorisation number"),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_reason", models.CharField(blank=True, max_length=240)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "citizen",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorisations",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "authorised professional",
                "verbose_name_plural": "authorised professionals",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("organisation", "number"),
                        name="professional_number_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("citizen", "organisation"),
                        name="professional_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__regex", "^[0-9]{1,12}$")),
                        name="professional_has_a_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuthorisedProfessionalEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uuid", models.UUIDField(default=crm.kit.models.uuid7, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "number",
                    models.CharField(max_length=12, verbose_name="RED authorisation number"),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_reason", models.CharField(blank=True, max_length=240)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        related_query_name="history",
                        to="citizens.authorisedprofessional",
                    ),
                ),
                (
                    "citizen",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CitizenEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uuid", models.UUIDField(default=crm.kit.models.uuid7, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("natural_person", "Natural person"),
                            ("legal_person", "Legal person"),
                        ],
                        default="natural_person",
                        max_length=14,
                    ),
                ),
                ("name", models.CharField(max_length=150, verbose_name="name")),
                (
                    "surname1",
                    models.CharField(blank=True, max_length=100, verbose_name="first surname"),
                ),
                (
                    "surname2",
                    models.CharField(blank=True, max_length=100, verbose_name="second surname"),
                ),
                (
                    "birth_date",
                    models.DateField(blank=True, null=True, verbose_name="date of birth"),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        related_query_name="history",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CitizenRecord",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "language",
                    models.CharField(default="es", max_length=16, verbose_name="language"),
                ),
                (
                    "preferred_channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("phone", "Phone"),
                            ("web_chat", "Web chat"),
                            ("whatsapp", "WhatsApp"),
                            ("social", "Social media"),
                            ("email", "Email"),
                            ("sms", "SMS"),
                            ("video", "Video"),
                            ("in_person", "In person"),
                            ("post", "Post"),
                            ("web_form", "Web form"),
                        ],
                        max_length=12,
                        verbose_name="preferred channel",
                    ),
                ),
                (
                    "accessibility_needs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("hearing", "Hearing"),
                                ("sight", "Sight"),
                                ("easy_reading", "Easy reading"),
                            ],
                            max_length=14,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("protected", models.BooleanField(default=False, verbose_name="protected record")),
                ("protected_reason", models.CharField(blank=True, max_length=240)),
                (
                    "citizen",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "citizen's record",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("citizen", "organisation"), name="citizen_record_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("protected", False),
                            models.Q(("protected_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="citizen_protected_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CitizenRecordEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uuid", models.UUIDField(default=crm.kit.models.uuid7, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "language",
                    models.CharField(default="es", max_length=16, verbose_name="language"),
                ),
                (
                    "preferred_channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("phone", "Phone"),
                            ("web_chat", "Web chat"),
                            ("whatsapp", "WhatsApp"),
                            ("social", "Social media"),
                            ("email", "Email"),
                            ("sms", "SMS"),
                            ("video", "Video"),
                            ("in_person", "In person"),
                            ("post", "Post"),
                            ("web_form", "Web form"),
                        ],
                        max_length=12,
                        verbose_name="preferred channel",
                    ),
                ),
                (
                    "accessibility_needs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("hearing", "Hearing"),
                                ("sight", "Sight"),
                                ("easy_reading", "Easy reading"),
                            ],
                            max_length=14,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("protected", models.BooleanField(default=False, verbose_name="protected record")),
                ("protected_reason", models.CharField(blank=True, max_length=240)),
                (
                    "citizen",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        related_query_name="history",
                        to="citizens.citizenrecord",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("web_chat", "Web chat"),
                            ("whatsapp", "WhatsApp"),
                            ("social", "Social media"),
                            ("email", "Email"),
                            ("sms", "SMS"),
                            ("video", "Video"),
                            ("in_person", "In person"),
                            ("post", "Post"),
                            ("web_form", "Web form"),
                        ],
                        max_length=12,
                        verbose_name="channel",
                    ),
                ),
                ("address", models.CharField(max_length=300, verbose_name="address")),
                ("address_key", models.CharField(editable=False, max_length=300)),
                (
                    "postal_code",
                    models.CharField(blank=True, max_length=10, verbose_name="postal code"),
                ),
                (
                    "municipality",
                    models.CharField(blank=True, max_length=5, verbose_name="municipality"),
                ),
                ("locality", models.CharField(blank=True, max_length=100, verbose_name="town")),
                ("preferred", models.BooleanField(default=False, verbose_name="preferred")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "quality",
                    models.CharField(
                        choices=[("good", "Good"), ("unsure", "Unsure"), ("bad", "Bad")],
                        default="unsure",
                        max_length=6,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "citizen",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_points",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact point",
                "indexes": [
                    models.Index(
                        fields=["organisation", "channel", "address_key"],
                        name="contact_point_address",
                    ),
                    models.Index(fields=["citizen"], name="contact_point_citizen"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("organisation", "channel", "address_key", "citizen"),
                        name="contact_point_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None), ("preferred", True)),
                        fields=("organisation", "citizen", "channel"),
                        name="contact_point_one_preferred",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactPointEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uuid", models.UUIDField(default=crm.kit.models.uuid7, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("web_chat", "Web chat"),
                            ("whatsapp", "WhatsApp"),
                            ("social", "Social media"),
                            ("email", "Email"),
                            ("sms", "SMS"),
                            ("video", "Video"),
                            ("in_person", "In person"),
                            ("post", "Post"),
                            ("web_form", "Web form"),
                        ],
                        max_length=12,
                        verbose_name="channel",
                    ),
                ),
                ("address", models.CharField(max_length=300, verbose_name="address")),
                ("address_key", models.CharField(editable=False, max_length=300)),
                (
                    "postal_code",
                    models.CharField(blank=True, max_length=10, verbose_name="postal code"),
                ),
                (
                    "municipality",
                    models.CharField(blank=True, max_length=5, verbose_name="municipality"),
                ),
                ("locality", models.CharField(blank=True, max_length=100, verbose_name="town")),
                ("preferred", models.BooleanField(default=False, verbose_name="preferred")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "quality",
                    models.CharField(
                        choices=[("good", "Good"), ("unsure", "Unsure"), ("bad", "Bad")],
                        default="unsure",
                        max_length=6,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "citizen",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        related_query_name="history",
                        to="citizens.contactpoint",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DuplicatePair",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("score", models.SmallIntegerField()),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), default=list, size=None
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[("open", "To be looked at"), ("different", "Not the same person")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by_name", models.CharField(blank=True, max_length=200)),
                (
                    "one",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "likely duplicate",
                "verbose_name_plural": "likely duplicates",
                "indexes": [
                    models.Index(
                        condition=models.Q(("verdict", "open")),
                        fields=["organisation", "-score", "-id"],
                        name="duplicate_pair_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("one", "other", "organisation"), name="duplicate_pair_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("one__lt", models.F("other"))),
                        name="duplicate_pair_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("verdict", "open")),
                            models.Q(
                                models.Q(("verdict", "open"), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="duplicate_pair_decided_iff_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateScan",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("last", models.BigIntegerField(default=0)),
                ("looked", models.BigIntegerField(default=0)),
                ("found", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "look for duplicates",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("organisation",),
                        name="duplicate_scan_one_at_a_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Identifier",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("nif", "NIF"),
                            ("nie", "NIE"),
                            ("cif", "CIF"),
                            ("naf", "Social Security number (NAF)"),
                            ("passport", "Passport"),
                            ("foreign", "Foreign identification number"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("value", models.CharField(max_length=40, verbose_name="number")),
                ("country", models.CharField(default="ES", max_length=2, verbose_name="country")),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("verified_by", models.CharField(blank=True, max_length=150)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "citizen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identifiers",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "identification number",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["value"],
                        name="identifier_value",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("kind", "value", "country"),
                        name="identifier_of_one_citizen",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentifierEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uuid", models.UUIDField(default=crm.kit.models.uuid7, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("nif", "NIF"),
                            ("nie", "NIE"),
                            ("cif", "CIF"),
                            ("naf", "Social Security number (NAF)"),
                            ("passport", "Passport"),
                            ("foreign", "Foreign identification number"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("value", models.CharField(max_length=40, verbose_name="number")),
                ("country", models.CharField(default="ES", max_length=2, verbose_name="country")),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("verified_by", models.CharField(blank=True, max_length=150)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "citizen",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        related_query_name="history",
                        to="citizens.identifier",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Mandate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("general", "General"),
                            ("matter", "By matter"),
                            ("procedure", "By procedure"),
                        ],
                        max_length=10,
                        verbose_name="scope",
                    ),
                ),
                (
                    "covers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "acts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("inform", "Be told how things stand"),
                                ("file", "Apply, declare and add papers"),
                                ("notify", "Receive notifications"),
                                ("withdraw", "Withdraw applications and waive rights"),
                            ],
                            max_length=10,
                        ),
                        size=None,
                    ),
                ),
                (
                    "proof",
                    models.CharField(
                        choices=[
                            ("public_deed", "Public deed"),
                            ("apud_acta", "Apud acta, in person"),
                            ("apud_acta_online", "Apud acta, electronic"),
                            ("registered", "Power in the electronic register"),
                            ("red", "RED authorisation"),
                            ("legal", "Legal representation (parents, guardian, administrator)"),
                            ("private", "Private document, confirmed by voice"),
                        ],
                        max_length=18,
                        verbose_name="proof",
                    ),
                ),
                (
                    "proof_number",
                    models.CharField(blank=True, max_length=60, verbose_name="number of the proof"),
                ),
                ("remarks", models.CharField(blank=True, max_length=240, verbose_name="remarks")),
                (
                    "assurance",
                    models.SmallIntegerField(
                        choices=[(1, "Low"), (2, "Substantial"), (3, "High")],
                        verbose_name="assurance",
                    ),
                ),
                ("granted_on", models.DateField(verbose_name="granted on")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                (
                    "valid_until",
                    models.DateField(blank=True, null=True, verbose_name="valid until"),
                ),
                ("recorded_by", models.CharField(max_length=200)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("verified_by", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_how",
                    models.CharField(
                        blank=True,
                        choices=[("revoked", "Revoked"), ("renounced", "Renounced")],
                        max_length=10,
                    ),
                ),
                ("ended_reason", models.CharField(blank=True, max_length=240)),
                ("ended_by", models.CharField(blank=True, max_length=200)),
                ("expiry_told_at", models.DateTimeField(blank=True, null=True)),
                ("terms", models.TextField(default="", editable=False)),
                (
                    "grantor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates_given",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates_held",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "professional",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates",
                        to="citizens.authorisedprofessional",
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="citizens.mandate",
                    ),
                ),
            ],
            options={
                "verbose_name": "mandate",
                "verbose_name_plural": "mandates",
                "indexes": [
                    models.Index(fields=["grantor", "holder"], name="mandate_between"),
                    models.Index(
                        fields=["organisation", "holder", "-id"], name="mandate_of_holder"
                    ),
                    models.Index(
                        condition=models.Q(("professional__isnull", False)),
                        fields=["professional", "-id"],
                        name="mandate_of_professional",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None), ("expiry_told_at", None)),
                        fields=["valid_until"],
                        name="mandate_expiring",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("grantor", models.F("holder")), _negated=True),
                        name="mandate_between_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__gte", models.F("granted_on")),
                            models.Q(
                                ("valid_until", None),
                                ("valid_until__gte", models.F("valid_from")),
                                _connector="OR",
                            ),
                        ),
                        name="mandate_dates_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("covers", []), ("scope", "general")),
                            models.Q(
                                ("scope__in", ["matter", "procedure"]),
                                models.Q(("covers", []), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="mandate_says_what_it_covers",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("acts", []), _negated=True),
                            ("acts__contained_by", ["inform", "file", "notify", "withdraw"]),
                        ),
                        name="mandate_allows_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("proof__in", ["apud_acta", "apud_acta_online", "registered"]),
                                _negated=True,
                            ),
                            models.Q(
                                ("valid_until__isnull", False),
                                (
                                    "valid_until__lte",
                                    models.Func(
                                        models.F("granted_on"),
                                        output_field=models.DateTimeField(),
                                        template="(%(expressions)s + interval '5 years')",
                                    ),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="mandate_registered_five_years",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("professional__isnull", False), ("proof", "red")),
                            models.Q(
                                models.Q(("proof", "red"), _negated=True), ("professional", None)
                            ),
                            _connector="OR",
                        ),
                        name="mandate_red_of_a_professional",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at", None),
                                ("ended_by", ""),
                                ("ended_how", ""),
                                ("ended_reason", ""),
                            ),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_how__in", ["revoked", "renounced"]),
                                models.Q(("ended_reason", ""), _negated=True),
                                models.Q(("ended_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="mandate_ended_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", "")),
                            models.Q(
                                ("verified_at__isnull", False),
                                models.Q(("verified_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="mandate_verified_by_somebody",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("ended_at", None)),
                        expressions=[
                            ("organisation", "="),
                            ("grantor", "="),
                            ("holder", "="),
                            ("terms", "="),
                            (
                                models.Func(
                                    models.F("valid_from"),
                                    models.F("valid_until"),
                                    models.Value("[]"),
                                    function="daterange",
                                ),
                                "&&",
                            ),
                        ],
                        name="mandate_equal_once_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MandateEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uuid", models.UUIDField(default=crm.kit.models.uuid7, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("general", "General"),
                            ("matter", "By matter"),
                            ("procedure", "By procedure"),
                        ],
                        max_length=10,
                        verbose_name="scope",
                    ),
                ),
                (
                    "covers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "acts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("inform", "Be told how things stand"),
                                ("file", "Apply, declare and add papers"),
                                ("notify", "Receive notifications"),
                                ("withdraw", "Withdraw applications and waive rights"),
                            ],
                            max_length=10,
                        ),
                        size=None,
                    ),
                ),
                (
                    "proof",
                    models.CharField(
                        choices=[
                            ("public_deed", "Public deed"),
                            ("apud_acta", "Apud acta, in person"),
                            ("apud_acta_online", "Apud acta, electronic"),
                            ("registered", "Power in the electronic register"),
                            ("red", "RED authorisation"),
                            ("legal", "Legal representation (parents, guardian, administrator)"),
                            ("private", "Private document, confirmed by voice"),
                        ],
                        max_length=18,
                        verbose_name="proof",
                    ),
                ),
                (
                    "proof_number",
                    models.CharField(blank=True, max_length=60, verbose_name="number of the proof"),
                ),
                ("remarks", models.CharField(blank=True, max_length=240, verbose_name="remarks")),
                (
                    "assurance",
                    models.SmallIntegerField(
                        choices=[(1, "Low"), (2, "Substantial"), (3, "High")],
                        verbose_name="assurance",
                    ),
                ),
                ("granted_on", models.DateField(verbose_name="granted on")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                (
                    "valid_until",
                    models.DateField(blank=True, null=True, verbose_name="valid until"),
                ),
                ("recorded_by", models.CharField(max_length=200)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("verified_by", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_how",
                    models.CharField(
                        blank=True,
                        choices=[("revoked", "Revoked"), ("renounced", "Renounced")],
                        max_length=10,
                    ),
                ),
                ("ended_reason", models.CharField(blank=True, max_length=240)),
                ("ended_by", models.CharField(blank=True, max_length=200)),
                ("expiry_told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "grantor",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        related_query_name="history",
                        to="citizens.mandate",
                    ),
                ),
                (
                    "professional",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.authorisedprofessional",
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="citizens.mandate",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="MandatePaper",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("media_type", models.CharField(max_length=100)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "scan",
                    models.CharField(
                        choices=[
                            ("unscanned", "Not scanned: no scanner is set up"),
                            ("clean", "Free of known viruses"),
                            ("unavailable", "Waiting for the virus scanner"),
                            ("infected", "Infected"),
                        ],
                        max_length=12,
                    ),
                ),
                ("added_by", models.CharField(max_length=200)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "mandate",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="citizens.mandate",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "proof of a mandate",
                "verbose_name_plural": "proofs of mandates",
                "indexes": [
                    models.Index(fields=["mandate", "-id"], name="mandate_paper"),
                    models.Index(fields=["sha256"], name="mandate_paper_digest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandate", "sha256"), name="mandate_paper_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                        name="mandate_paper_has_a_digest",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("by_name", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=240, verbose_name="reason")),
                ("taken", models.JSONField(default=list)),
                ("newest", models.JSONField(default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("undone_by_name", models.CharField(blank=True, max_length=200)),
                ("undone_reason", models.CharField(blank=True, max_length=240)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "merged",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges_in",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge of records",
                "verbose_name_plural": "merges of records",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)),
                        fields=("merged",),
                        name="citizen_merged_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("merged", models.F("survivor")), _negated=True),
                        name="citizen_merge_of_two_records",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="citizen_merge_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MergeLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("model", models.CharField(max_length=80)),
                ("row", models.BigIntegerField()),
                ("column", models.CharField(blank=True, max_length=63)),
                ("before", models.TextField(null=True)),
                ("after", models.TextField(null=True)),
                (
                    "merge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="citizens.merge",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a merge of records",
            },
        ),
        migrations.CreateModel(
            name="Topic",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uuid",
                    models.UUIDField(default=crm.kit.models.uuid7, editable=False, unique=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("code", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("names", models.JSONField(blank=True, default=dict)),
                (
                    "message_class",
                    models.CharField(
                        choices=[
                            ("informational", "Informational"),
                            ("service", "About a service in use"),
                            ("statutory", "Required by law"),
                        ],
                        default="informational",
                        max_length=14,
                        verbose_name="kind of message",
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "topic",
                "verbose_name_plural": "topics",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "code"), name="topic_code_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Not yet confirmed"),
                            ("granted", "Granted"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("source", models.CharField(max_length=40)),
                ("evidence", models.JSONField(default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "contact_point",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="citizens.contactpoint",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="citizens.topic",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent",
                "indexes": [
                    models.Index(fields=["contact_point", "topic", "-id"], name="consent_last_word")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="citizen",
            trigger=pgtrigger.compiler.Trigger(
                name="merged_rests",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."merged_into_id" IS NOT NULL AND OLD."merged_into_id" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="cc377459273337d533df3486c40e4e603e9298a0",
                    operation="UPDATE",
                    pgid="pgtrigger_merged_rests_c5d70",
                    table="citizens_citizen",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="citizen",
            trigger=pgtrigger.compiler.Trigger(
                name="merged_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."merged_into_id" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="3cb5dcd892a478366b3d848e38f717eddb25c070",
                    operation="DELETE",
                    pgid="pgtrigger_merged_stays_8a775",
                    table="citizens_citizen",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="citizen",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."birth_date" IS DISTINCT FROM (NEW."birth_date") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."merged_into_id" IS DISTINCT FROM (NEW."merged_into_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."surname1" IS DISTINCT FROM (NEW."surname1") OR OLD."surname2" IS DISTINCT FROM (NEW."surname2") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid"))',
                    func='INSERT INTO "citizens_citizenevent" ("birth_date", "created_at", "id", "kind", "merged_into_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "surname1", "surname2", "updated_at", "uuid") VALUES (OLD."birth_date", OLD."created_at", OLD."id", OLD."kind", OLD."merged_into_id", OLD."name", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."surname1", OLD."surname2", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="07e2257394ee70aa9a16feae8f9ab1eb685f5a08",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_7544f",
                    table="citizens_citizen",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="citizen",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "citizens_citizenevent" ("birth_date", "created_at", "id", "kind", "merged_into_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "surname1", "surname2", "updated_at", "uuid") VALUES (OLD."birth_date", OLD."created_at", OLD."id", OLD."kind", OLD."merged_into_id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."surname1", OLD."surname2", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="d19872ed4ab3eeaa343991686a7e1bab40eb0921",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_9f583",
                    table="citizens_citizen",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="authorisedprofessional",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="175fe370829a69e3fea314c082dc5580cb31b43c",
                    operation="DELETE",
                    pgid="pgtrigger_kept_27c50",
                    table="citizens_authorisedprofessional",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="authorisedprofessional",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "citizens_authorisedprofessionalevent" ("citizen_id", "created_at", "ended_at", "ended_reason", "id", "number", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at", "uuid") VALUES (OLD."citizen_id", OLD."created_at", OLD."ended_at", OLD."ended_reason", OLD."id", OLD."number", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="5623e852814b593d64edbc3e8f85c6803ccc4d09",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_fe54a",
                    table="citizens_authorisedprofessional",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="authorisedprofessional",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "citizens_authorisedprofessionalevent" ("citizen_id", "created_at", "ended_at", "ended_reason", "id", "number", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at", "uuid") VALUES (OLD."citizen_id", OLD."created_at", OLD."ended_at", OLD."ended_reason", OLD."id", OLD."number", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="44ec7dddf3b2b48fae0035eb529d0581c9e43b0f",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_31997",
                    table="citizens_authorisedprofessional",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="citizenrecord",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "citizens_citizenrecordevent" ("accessibility_needs", "citizen_id", "created_at", "id", "language", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_channel", "protected", "protected_reason", "updated_at", "uuid") VALUES (OLD."accessibility_needs", OLD."citizen_id", OLD."created_at", OLD."id", OLD."language", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."preferred_channel", OLD."protected", OLD."protected_reason", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="d80578dd0b7d7d871c0523a53b793937f7769174",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c16d7",
                    table="citizens_citizenrecord",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="citizenrecord",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "citizens_citizenrecordevent" ("accessibility_needs", "citizen_id", "created_at", "id", "language", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_channel", "protected", "protected_reason", "updated_at", "uuid") VALUES (OLD."accessibility_needs", OLD."citizen_id", OLD."created_at", OLD."id", OLD."language", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."preferred_channel", OLD."protected", OLD."protected_reason", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="7e136d6d299eae9086003a72e6400cc6aa81a24a",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_37c7f",
                    table="citizens_citizenrecord",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactpoint",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "citizens_contactpointevent" ("address", "address_key", "channel", "citizen_id", "created_at", "ended_at", "id", "locality", "municipality", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_code", "preferred", "quality", "updated_at", "uuid", "verified_at") VALUES (OLD."address", OLD."address_key", OLD."channel", OLD."citizen_id", OLD."created_at", OLD."ended_at", OLD."id", OLD."locality", OLD."municipality", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."postal_code", OLD."preferred", OLD."quality", OLD."updated_at", OLD."uuid", OLD."verified_at"); RETURN NULL;',
                    hash="9fcef687d8b26af3fba6f9ecd68f54f0688b3712",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_43e58",
                    table="citizens_contactpoint",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactpoint",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "citizens_contactpointevent" ("address", "address_key", "channel", "citizen_id", "created_at", "ended_at", "id", "locality", "municipality", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_code", "preferred", "quality", "updated_at", "uuid", "verified_at") VALUES (OLD."address", OLD."address_key", OLD."channel", OLD."citizen_id", OLD."created_at", OLD."ended_at", OLD."id", OLD."locality", OLD."municipality", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."postal_code", OLD."preferred", OLD."quality", OLD."updated_at", OLD."uuid", OLD."verified_at"); RETURN NULL;',
                    hash="ba4b10bd0a02a98dea23327bff5be8999b00f4cc",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_04bdb",
                    table="citizens_contactpoint",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="identifier",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "citizens_identifierevent" ("citizen_id", "country", "created_at", "ended_at", "id", "kind", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at", "uuid", "valid_from", "valid_until", "value", "verified_at", "verified_by") VALUES (OLD."citizen_id", OLD."country", OLD."created_at", OLD."ended_at", OLD."id", OLD."kind", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."updated_at", OLD."uuid", OLD."valid_from", OLD."valid_until", OLD."value", OLD."verified_at", OLD."verified_by"); RETURN NULL;',
                    hash="8f1a8e67274f77fba44d8b5d94c9b0346f23c30e",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_63206",
                    table="citizens_identifier",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="identifier",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "citizens_identifierevent" ("citizen_id", "country", "created_at", "ended_at", "id", "kind", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at", "uuid", "valid_from", "valid_until", "value", "verified_at", "verified_by") VALUES (OLD."citizen_id", OLD."country", OLD."created_at", OLD."ended_at", OLD."id", OLD."kind", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."updated_at", OLD."uuid", OLD."valid_from", OLD."valid_until", OLD."value", OLD."verified_at", OLD."verified_by"); RETURN NULL;',
                    hash="bcaf7c845fa59a70adb946197fcb8b7d77254415",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_0548e",
                    table="citizens_identifier",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mandate",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="8dab4a81aff6ba98a660ed8405de3848239546ae",
                    operation="DELETE",
                    pgid="pgtrigger_kept_4b0a4",
                    table="citizens_mandate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mandate",
            trigger=pgtrigger.compiler.Trigger(
                name="terms_stand",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."professional_id" IS DISTINCT FROM (NEW."professional_id") OR OLD."scope" IS DISTINCT FROM (NEW."scope") OR OLD."covers" IS DISTINCT FROM (NEW."covers") OR OLD."acts" IS DISTINCT FROM (NEW."acts") OR OLD."proof" IS DISTINCT FROM (NEW."proof") OR OLD."granted_on" IS DISTINCT FROM (NEW."granted_on") OR OLD."valid_from" IS DISTINCT FROM (NEW."valid_from") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="974fd86e9931da2e28c93be56aa5f69cc293ed49",
                    operation="UPDATE",
                    pgid="pgtrigger_terms_stand_caa08",
                    table="citizens_mandate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mandate",
            trigger=pgtrigger.compiler.Trigger(
                name="ended_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="2af58850572af9223fc0bf682b8ac53bdac5a6d0",
                    operation="UPDATE",
                    pgid="pgtrigger_ended_for_good_2194f",
                    table="citizens_mandate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mandate",
            trigger=pgtrigger.compiler.Trigger(
                name="terms_as_text",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.terms := NEW.scope || ':' || array_to_string(ARRAY(SELECT DISTINCT unnest(NEW.covers) ORDER BY 1), ',') || ':' || array_to_string(ARRAY(SELECT DISTINCT unnest(NEW.acts) ORDER BY 1), ','); RETURN NEW;",
                    hash="00eb5803ba9b9e69388f6c836cde3bcf70900213",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_terms_as_text_a452d",
                    table="citizens_mandate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mandate",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."acts" IS DISTINCT FROM (NEW."acts") OR OLD."assurance" IS DISTINCT FROM (NEW."assurance") OR OLD."covers" IS DISTINCT FROM (NEW."covers") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") OR OLD."ended_by" IS DISTINCT FROM (NEW."ended_by") OR OLD."ended_how" IS DISTINCT FROM (NEW."ended_how") OR OLD."ended_reason" IS DISTINCT FROM (NEW."ended_reason") OR OLD."expiry_told_at" IS DISTINCT FROM (NEW."expiry_told_at") OR OLD."granted_on" IS DISTINCT FROM (NEW."granted_on") OR OLD."grantor_id" IS DISTINCT FROM (NEW."grantor_id") OR OLD."holder_id" IS DISTINCT FROM (NEW."holder_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."professional_id" IS DISTINCT FROM (NEW."professional_id") OR OLD."proof" IS DISTINCT FROM (NEW."proof") OR OLD."proof_number" IS DISTINCT FROM (NEW."proof_number") OR OLD."recorded_by" IS DISTINCT FROM (NEW."recorded_by") OR OLD."remarks" IS DISTINCT FROM (NEW."remarks") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR OLD."scope" IS DISTINCT FROM (NEW."scope") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid") OR OLD."valid_from" IS DISTINCT FROM (NEW."valid_from") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."verified_at" IS DISTINCT FROM (NEW."verified_at") OR OLD."verified_by" IS DISTINCT FROM (NEW."verified_by"))',
                    func='INSERT INTO "citizens_mandateevent" ("acts", "assurance", "covers", "created_at", "ended_at", "ended_by", "ended_how", "ended_reason", "expiry_told_at", "granted_on", "grantor_id", "holder_id", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "professional_id", "proof", "proof_number", "recorded_by", "remarks", "replaces_id", "scope", "updated_at", "uuid", "valid_from", "valid_until", "verified_at", "verified_by") VALUES (OLD."acts", OLD."assurance", OLD."covers", OLD."created_at", OLD."ended_at", OLD."ended_by", OLD."ended_how", OLD."ended_reason", OLD."expiry_told_at", OLD."granted_on", OLD."grantor_id", OLD."holder_id", OLD."id", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."professional_id", OLD."proof", OLD."proof_number", OLD."recorded_by", OLD."remarks", OLD."replaces_id", OLD."scope", OLD."updated_at", OLD."uuid", OLD."valid_from", OLD."valid_until", OLD."verified_at", OLD."verified_by"); RETURN NULL;',
                    hash="60fc617fd25b0be7bd37b3b3317c88460089be12",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_90cc5",
                    table="citizens_mandate",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mandate",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "citizens_mandateevent" ("acts", "assurance", "covers", "created_at", "ended_at", "ended_by", "ended_how", "ended_reason", "expiry_told_at", "granted_on", "grantor_id", "holder_id", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "professional_id", "proof", "proof_number", "recorded_by", "remarks", "replaces_id", "scope", "updated_at", "uuid", "valid_from", "valid_until", "verified_at", "verified_by") VALUES (OLD."acts", OLD."assurance", OLD."covers", OLD."created_at", OLD."ended_at", OLD."ended_by", OLD."ended_how", OLD."ended_reason", OLD."expiry_told_at", OLD."granted_on", OLD."grantor_id", OLD."holder_id", OLD."id", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."professional_id", OLD."proof", OLD."proof_number", OLD."recorded_by", OLD."remarks", OLD."replaces_id", OLD."scope", OLD."updated_at", OLD."uuid", OLD."valid_from", OLD."valid_until", OLD."verified_at", OLD."verified_by"); RETURN NULL;',
                    hash="0c85c8cda54337bd5de1634d73bfc3ae5e17e167",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_266a9",
                    table="citizens_mandate",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="d16b77e5fbdc7131ab96dd6d40bc7ffea44214f5",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a73ea",
                    table="citizens_consent",
                    when="BEFORE",
                ),
            ),
        ),
    ]

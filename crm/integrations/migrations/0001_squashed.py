import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import crm.kit.models


class Migration(migrations.Migration):
    replaces = [("integrations", "0001_initial"), ("integrations", "0002_one_question_at_a_time")]

    initial = True

    dependencies = [
        ("kit", "0002_effects_in_doubt"),
        ("organisations", "0002_names_in_the_plural"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="Connection",
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
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("rest", "REST with JSON answers")], default="rest", max_length=10
                    ),
                ),
                ("base_url", models.CharField(max_length=300, verbose_name="address")),
                ("path", models.CharField(max_length=300, verbose_name="path")),
                (
                    "authentication",
                    models.CharField(
                        choices=[
                            ("none", "No key"),
                            ("bearer", "Authorization: Bearer …"),
                            ("header", "A header of its own"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                ("header", models.CharField(blank=True, max_length=60)),
                ("secret", models.TextField(blank=True)),
                (
                    "seconds",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "retries",
                    models.PositiveSmallIntegerField(
                        default=1, validators=[django.core.validators.MaxValueValidator(3)]
                    ),
                ),
                (
                    "cache_seconds",
                    models.PositiveIntegerField(
                        default=300, validators=[django.core.validators.MaxValueValidator(86400)]
                    ),
                ),
                (
                    "keep_hours",
                    models.PositiveSmallIntegerField(
                        default=24, validators=[django.core.validators.MaxValueValidator(168)]
                    ),
                ),
                ("records_at", models.CharField(blank=True, max_length=120)),
                ("fields", models.JSONField(default=list)),
                ("is_active", models.BooleanField(default=True)),
                ("checked_at", models.DateTimeField(null=True)),
                (
                    "checked_outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("found", "Answered"),
                            ("nothing", "Nothing on record"),
                            ("address", "The address may not be called"),
                            ("unreachable", "Nobody answers at the address"),
                            ("tls", "Its certificate could not be checked"),
                            ("timeout", "No answer in time"),
                            ("resting", "Not asked: it has not answered lately"),
                            ("busy", "Not asked: it is slow, and others are asking"),
                            ("refused", "It does not accept our key"),
                            ("status", "It answered with an error"),
                            ("too_large", "The answer is too large"),
                            ("wrong", "The answer is not as expected"),
                            ("protocol", "The answer cannot be understood"),
                        ],
                        max_length=12,
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
                "verbose_name": "connection",
                "verbose_name_plural": "connections",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "name"), name="connection_name_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("retries__lte", 3), ("seconds__range", (1, 10))),
                        name="connection_is_bounded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("path__contains", "{number}")),
                        name="connection_asks_about_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallLog",
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
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("look_up", "Look-up of a person"),
                            ("test", "Test by an administrator"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("found", "Answered"),
                            ("nothing", "Nothing on record"),
                            ("address", "The address may not be called"),
                            ("unreachable", "Nobody answers at the address"),
                            ("tls", "Its certificate could not be checked"),
                            ("timeout", "No answer in time"),
                            ("resting", "Not asked: it has not answered lately"),
                            ("busy", "Not asked: it is slow, and others are asking"),
                            ("refused", "It does not accept our key"),
                            ("status", "It answered with an error"),
                            ("too_large", "The answer is too large"),
                            ("wrong", "The answer is not as expected"),
                            ("protocol", "The answer cannot be understood"),
                        ],
                        max_length=12,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("milliseconds", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField(default=0)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "verbose_name": "call",
                "verbose_name_plural": "calls",
                "indexes": [
                    models.Index(fields=["connection", "-at", "-id"], name="call_of_connection"),
                    models.Index(fields=["at"], name="call_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectionEvent",
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
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("rest", "REST with JSON answers")], default="rest", max_length=10
                    ),
                ),
                ("base_url", models.CharField(max_length=300, verbose_name="address")),
                ("path", models.CharField(max_length=300, verbose_name="path")),
                (
                    "authentication",
                    models.CharField(
                        choices=[
                            ("none", "No key"),
                            ("bearer", "Authorization: Bearer …"),
                            ("header", "A header of its own"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                ("header", models.CharField(blank=True, max_length=60)),
                (
                    "seconds",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "retries",
                    models.PositiveSmallIntegerField(
                        default=1, validators=[django.core.validators.MaxValueValidator(3)]
                    ),
                ),
                (
                    "cache_seconds",
                    models.PositiveIntegerField(
                        default=300, validators=[django.core.validators.MaxValueValidator(86400)]
                    ),
                ),
                (
                    "keep_hours",
                    models.PositiveSmallIntegerField(
                        default=24, validators=[django.core.validators.MaxValueValidator(168)]
                    ),
                ),
                ("records_at", models.CharField(blank=True, max_length=120)),
                ("fields", models.JSONField(default=list)),
                ("is_active", models.BooleanField(default=True)),
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
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="KeptAnswer",
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
                ("subject", models.CharField(max_length=64)),
                ("content", models.TextField()),
                ("fetched_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="integrations.connection",
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
                "verbose_name": "kept answer",
                "verbose_name_plural": "kept answers",
                "indexes": [models.Index(fields=["fetched_at"], name="kept_answer_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "subject"), name="kept_answer_once_per_subject"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PublishedService",
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
                ("code", models.SlugField(max_length=60, verbose_name="code")),
                ("name", models.CharField(max_length=160, verbose_name="name")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("group", models.CharField(blank=True, max_length=120, verbose_name="group")),
                ("keywords", models.CharField(blank=True, max_length=240, verbose_name="keywords")),
                ("case_type", models.CharField(max_length=60)),
                ("public", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "published service",
                "verbose_name_plural": "published services",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code"), name="published_service_code_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)),
                        fields=("organisation", "case_type"),
                        name="published_service_once_per_case_type",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
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
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                (
                    "topics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), size=None
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("identifiers", "Identifiers and links only"),
                            ("content", "Also the content, with personal data"),
                        ],
                        default="identifiers",
                        max_length=12,
                    ),
                ),
                ("secret", models.TextField()),
                ("old_secret", models.TextField(blank=True)),
                ("old_secret_until", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("stopped_at", models.DateTimeField(null=True)),
                ("stopped_reason", models.CharField(blank=True, max_length=240)),
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
                "verbose_name": "subscription",
                "verbose_name_plural": "subscriptions",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "name"), name="subscription_name_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("topics", []), _negated=True),
                        name="subscription_is_to_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("old_secret", ""), ("old_secret_until", None)),
                            models.Q(
                                models.Q(("old_secret", ""), _negated=True),
                                ("old_secret_until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="subscription_old_secret_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                (
                    "topics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), size=None
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("identifiers", "Identifiers and links only"),
                            ("content", "Also the content, with personal data"),
                        ],
                        default="identifiers",
                        max_length=12,
                    ),
                ),
                ("stopped_at", models.DateTimeField(null=True)),
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
                        to="integrations.subscription",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
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
                ("event", models.CharField(max_length=120)),
                ("topic", models.CharField(max_length=80)),
                ("body", models.TextField()),
                (
                    "status",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Waiting"),
                            (1, "Being sent"),
                            (2, "Delivered"),
                            (3, "Given up"),
                        ],
                        default=0,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("lease_until", models.DateTimeField(null=True)),
                ("owner", models.CharField(blank=True, max_length=64)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="integrations.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery of an event",
                "verbose_name_plural": "deliveries of events",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", [0, 1])),
                        fields=["subscription", "due_at", "id"],
                        name="webhook_delivery_due",
                    ),
                    models.Index(fields=["subscription", "-id"], name="webhook_delivery_log"),
                    models.Index(fields=["created_at"], name="webhook_delivery_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subscription", "event"), name="webhook_delivery_once_per_event"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_until__isnull", False), ("status", 1)),
                            models.Q(("lease_until", None), ("status", 1), _negated=True),
                            _connector="OR",
                        ),
                        name="webhook_delivery_leased_until",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
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
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("found", "Answered"),
                            ("nothing", "Nothing on record"),
                            ("address", "The address may not be called"),
                            ("unreachable", "Nobody answers at the address"),
                            ("tls", "Its certificate could not be checked"),
                            ("timeout", "No answer in time"),
                            ("resting", "Not asked: it has not answered lately"),
                            ("busy", "Not asked: it is slow, and others are asking"),
                            ("refused", "It does not accept our key"),
                            ("status", "It answered with an error"),
                            ("too_large", "The answer is too large"),
                            ("wrong", "The answer is not as expected"),
                            ("protocol", "The answer cannot be understood"),
                        ],
                        max_length=12,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("milliseconds", models.PositiveIntegerField()),
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="integrations.webhookdelivery",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt of delivery",
                "verbose_name_plural": "attempts of delivery",
                "indexes": [models.Index(fields=["delivery", "id"], name="attempt_of_delivery")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="connection",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."authentication" IS DISTINCT FROM (NEW."authentication") OR OLD."base_url" IS DISTINCT FROM (NEW."base_url") OR OLD."cache_seconds" IS DISTINCT FROM (NEW."cache_seconds") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."fields" IS DISTINCT FROM (NEW."fields") OR OLD."header" IS DISTINCT FROM (NEW."header") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."keep_hours" IS DISTINCT FROM (NEW."keep_hours") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."path" IS DISTINCT FROM (NEW."path") OR OLD."records_at" IS DISTINCT FROM (NEW."records_at") OR OLD."retries" IS DISTINCT FROM (NEW."retries") OR OLD."seconds" IS DISTINCT FROM (NEW."seconds") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid"))',
                    func='INSERT INTO "integrations_connectionevent" ("authentication", "base_url", "cache_seconds", "created_at", "fields", "header", "id", "is_active", "keep_hours", "kind", "name", "organisation_id", "path", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "records_at", "retries", "seconds", "updated_at", "uuid") VALUES (OLD."authentication", OLD."base_url", OLD."cache_seconds", OLD."created_at", OLD."fields", OLD."header", OLD."id", OLD."is_active", OLD."keep_hours", OLD."kind", OLD."name", OLD."organisation_id", OLD."path", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."records_at", OLD."retries", OLD."seconds", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="3ca8b97a215cccb89d7237a4e7d435d5d13247f7",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_2868f",
                    table="integrations_connection",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="connection",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "integrations_connectionevent" ("authentication", "base_url", "cache_seconds", "created_at", "fields", "header", "id", "is_active", "keep_hours", "kind", "name", "organisation_id", "path", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "records_at", "retries", "seconds", "updated_at", "uuid") VALUES (OLD."authentication", OLD."base_url", OLD."cache_seconds", OLD."created_at", OLD."fields", OLD."header", OLD."id", OLD."is_active", OLD."keep_hours", OLD."kind", OLD."name", OLD."organisation_id", OLD."path", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."records_at", OLD."retries", OLD."seconds", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="10c8d37d0860b7916672a0c395c0a3a93d130893",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f6380",
                    table="integrations_connection",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calllog",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="8a625ef76906932c14592ee855a638085030c0c1",
                    operation="UPDATE",
                    pgid="pgtrigger_append_only_d89f0",
                    table="integrations_calllog",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."scope" IS DISTINCT FROM (NEW."scope") OR OLD."stopped_at" IS DISTINCT FROM (NEW."stopped_at") OR OLD."topics" IS DISTINCT FROM (NEW."topics") OR OLD."url" IS DISTINCT FROM (NEW."url"))',
                    func='INSERT INTO "integrations_subscriptionevent" ("name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scope", "stopped_at", "topics", "url") VALUES (OLD."name", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."scope", OLD."stopped_at", OLD."topics", OLD."url"); RETURN NULL;',
                    hash="578f6e930f8bc7b804756e4c356eeeb313f5906d",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_25591",
                    table="integrations_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "integrations_subscriptionevent" ("name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scope", "stopped_at", "topics", "url") VALUES (OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."scope", OLD."stopped_at", OLD."topics", OLD."url"); RETURN NULL;',
                    hash="f54403643cfc05676c2773325d5e35cc21f9956f",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d84fc",
                    table="integrations_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="attempt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="17a39ed2fac8b6bcf6f499b804017065f960cac6",
                    operation="UPDATE",
                    pgid="pgtrigger_append_only_4ce14",
                    table="integrations_attempt",
                    when="BEFORE",
                ),
            ),
        ),
    ]

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import channels_app.models.account
import crm.kit.models


class Migration(migrations.Migration):
    replaces = [
        ("channels_app", "0001_initial"),
        ("channels_app", "0002_email"),
        ("channels_app", "0003_language_model_and_forgotten_sources"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("cases", "0001_squashed"),
        ("citizens", "0001_squashed"),
        ("kit", "0002_effects_in_doubt"),
        ("organisations", "0002_names_in_the_plural"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelServer",
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
                ("is_on", models.BooleanField(default=False, verbose_name="in use")),
                ("url", models.CharField(blank=True, max_length=300, verbose_name="address")),
                ("model", models.CharField(blank=True, max_length=120, verbose_name="model")),
                ("sealed_key", models.TextField(blank=True, editable=False)),
                (
                    "seconds",
                    models.PositiveSmallIntegerField(default=8, verbose_name="seconds at most"),
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
                "verbose_name": "language model",
                "verbose_name_plural": "language models",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation",), name="model_server_one_each"),
                    models.CheckConstraint(
                        condition=models.Q(("seconds__gte", 1), ("seconds__lte", 20)),
                        name="model_server_is_waited_for",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("url", ""), _negated=True),
                            models.Q(("model", ""), ("sealed_key", "")),
                            _connector="OR",
                        ),
                        name="model_server_key_has_a_lock",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelServerEvent",
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
                ("is_on", models.BooleanField(default=False, verbose_name="in use")),
                ("url", models.CharField(blank=True, max_length=300, verbose_name="address")),
                ("model", models.CharField(blank=True, max_length=120, verbose_name="model")),
                (
                    "seconds",
                    models.PositiveSmallIntegerField(default=8, verbose_name="seconds at most"),
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
                        to="channels_app.modelserver",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PauseReason",
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
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
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
                "verbose_name": "reason for a pause",
                "verbose_name_plural": "reasons for a pause",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code"), name="pause_reason_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PauseReasonEvent",
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
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveSmallIntegerField(default=0)),
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
                        to="channels_app.pausereason",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Queue",
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
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("priority", models.SmallIntegerField(default=50, verbose_name="priority")),
                (
                    "offer_seconds",
                    models.PositiveSmallIntegerField(default=30, verbose_name="seconds to accept"),
                ),
                (
                    "wrap_up_seconds",
                    models.PositiveSmallIntegerField(
                        default=120, verbose_name="seconds to wrap up"
                    ),
                ),
                (
                    "target_seconds",
                    models.PositiveIntegerField(
                        default=180, verbose_name="answer within, in seconds"
                    ),
                ),
                (
                    "max_waiting",
                    models.PositiveIntegerField(default=0, verbose_name="most who may wait"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                (
                    "calendar",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.workingcalendar",
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.casetype",
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
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "queue",
                "verbose_name_plural": "queues",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code"), name="queue_code_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("offer_seconds__gte", 5)),
                        name="queue_offer_can_be_answered",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QueueEvent",
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
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("priority", models.SmallIntegerField(default=50, verbose_name="priority")),
                (
                    "offer_seconds",
                    models.PositiveSmallIntegerField(default=30, verbose_name="seconds to accept"),
                ),
                (
                    "wrap_up_seconds",
                    models.PositiveSmallIntegerField(
                        default=120, verbose_name="seconds to wrap up"
                    ),
                ),
                (
                    "target_seconds",
                    models.PositiveIntegerField(
                        default=180, verbose_name="answer within, in seconds"
                    ),
                ),
                (
                    "max_waiting",
                    models.PositiveIntegerField(default=0, verbose_name="most who may wait"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                (
                    "calendar",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.workingcalendar",
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cases.casetype",
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
                        to="channels_app.queue",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="WrapUpCode",
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
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="wrap_up_codes",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "verbose_name": "wrap-up code",
                "verbose_name_plural": "wrap-up codes",
                "constraints": [
                    models.UniqueConstraint(fields=("queue", "code"), name="wrap_up_code_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="WrapUpCodeEvent",
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
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
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
                        to="channels_app.wrapupcode",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ChannelAccount",
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
                            ("web_chat", "Web chat"),
                            ("email", "Email"),
                            ("whatsapp", "WhatsApp"),
                            ("messenger", "Messenger"),
                            ("instagram", "Instagram"),
                            ("telegram", "Telegram"),
                            ("sms", "SMS"),
                            ("phone", "Phone"),
                            ("video", "Video"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("address", models.CharField(blank=True, max_length=254, verbose_name="address")),
                (
                    "public_key",
                    models.CharField(
                        default=channels_app.models.account.new_public_key,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "allowed_origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="allowed origins",
                    ),
                ),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("sealed_settings", models.TextField(blank=True, editable=False)),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                ("last_inbound_at", models.DateTimeField(editable=False, null=True)),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "verbose_name": "channel account",
                "verbose_name_plural": "channel accounts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code"), name="channel_account_code_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("address", ""), _negated=True),
                        fields=("kind", "address"),
                        name="channel_account_address_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mailbox",
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
                ("uid_validity", models.BigIntegerField(null=True)),
                ("last_uid", models.BigIntegerField(default=0)),
                ("checked_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=240)),
                (
                    "next_try_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailbox",
                        to="channels_app.channelaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failed_at", None), ("failures", 0)),
                            models.Q(("failed_at__isnull", False), ("failures__gt", 0)),
                            _connector="OR",
                        ),
                        name="mailbox_fails_since",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelAccountEvent",
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
                            ("web_chat", "Web chat"),
                            ("email", "Email"),
                            ("whatsapp", "WhatsApp"),
                            ("messenger", "Messenger"),
                            ("instagram", "Instagram"),
                            ("telegram", "Telegram"),
                            ("sms", "SMS"),
                            ("phone", "Phone"),
                            ("video", "Video"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("address", models.CharField(blank=True, max_length=254, verbose_name="address")),
                (
                    "public_key",
                    models.CharField(
                        default=channels_app.models.account.new_public_key,
                        editable=False,
                        max_length=40,
                    ),
                ),
                (
                    "allowed_origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="allowed origins",
                    ),
                ),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
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
                        to="channels_app.channelaccount",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConsentText",
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
                ("version", models.PositiveIntegerField()),
                ("texts", models.JSONField()),
                (
                    "published_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_texts",
                        to="channels_app.channelaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent text",
                "verbose_name_plural": "consent texts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "version"), name="consent_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactReason",
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
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reasons",
                        to="channels_app.channelaccount",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "verbose_name": "reason for contact",
                "verbose_name_plural": "reasons for contact",
                "constraints": [
                    models.UniqueConstraint(fields=("account", "code"), name="contact_reason_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactReasonEvent",
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
                ("code", models.SlugField(db_index=False, max_length=40, verbose_name="code")),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="channels_app.channelaccount",
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
                        to="channels_app.contactreason",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConversationCase",
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
                ("linked_by_name", models.CharField(max_length=200)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversation_links",
                        to="cases.case",
                    ),
                ),
                (
                    "linked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "case of a conversation",
            },
        ),
        migrations.CreateModel(
            name="Conversation",
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
                    "state",
                    models.CharField(
                        choices=[
                            ("machine", "With the assistant"),
                            ("waiting", "Waiting"),
                            ("active", "Being attended"),
                            ("wrap_up", "Wrapping up"),
                            ("closed", "Closed"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("contact_name", models.CharField(blank=True, max_length=150, verbose_name="name")),
                (
                    "contact_address",
                    models.CharField(blank=True, max_length=254, verbose_name="email address"),
                ),
                ("external_contact", models.CharField(blank=True, max_length=200)),
                (
                    "language",
                    models.CharField(default="es", max_length=16, verbose_name="language"),
                ),
                ("subject", models.CharField(blank=True, max_length=240, verbose_name="subject")),
                ("consent_at", models.DateTimeField(blank=True, null=True)),
                ("page", models.CharField(blank=True, max_length=500)),
                ("visitor_digest", models.CharField(max_length=64, null=True, unique=True)),
                ("start_key", models.UUIDField(null=True)),
                ("thread_token", models.CharField(max_length=40, null=True, unique=True)),
                (
                    "opened_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="opened"
                    ),
                ),
                ("accepted_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("last_inbound_at", models.DateTimeField(null=True)),
                ("last_message_at", models.DateTimeField(null=True)),
                ("visitor_seen_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("citizen", "The citizen"),
                            ("employee", "The employee"),
                            ("system", "Nobody answered any more"),
                        ],
                        max_length=8,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                ("transcript_to", models.CharField(blank=True, max_length=254)),
                ("last_number", models.PositiveIntegerField(default=0)),
                ("read_number", models.PositiveIntegerField(default=0)),
                ("visitor_read_number", models.PositiveIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="channels_app.channelaccount",
                    ),
                ),
                (
                    "citizen",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.consenttext",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reason",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.contactreason",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "cases",
                    models.ManyToManyField(
                        related_name="conversations",
                        through="channels_app.ConversationCase",
                        to="cases.case",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="channels_app.queue",
                    ),
                ),
                (
                    "wrap_up_code",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.wrapupcode",
                    ),
                ),
            ],
            options={
                "verbose_name": "conversation",
                "verbose_name_plural": "conversations",
                "indexes": [
                    models.Index(
                        fields=["organisation", "-opened_at", "-id"], name="conversation_new"
                    ),
                    models.Index(
                        fields=["unit", "-opened_at", "-id"], name="conversation_unit_new"
                    ),
                    models.Index(fields=["citizen", "-opened_at"], name="conversation_citizen"),
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["owner", "-last_message_at"],
                        name="conversation_mine",
                    ),
                    models.Index(
                        condition=models.Q(("thread_token__isnull", False)),
                        fields=["account", "-last_message_at", "-id"],
                        name="conversation_mail_latest",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["visitor_seen_at"],
                        name="conversation_silent",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner", None), ("state__in", ["machine", "waiting"])),
                            models.Q(
                                ("owner__isnull", False), ("state__in", ["active", "wrap_up"])
                            ),
                            ("state", "closed"),
                            _connector="OR",
                        ),
                        name="conversation_attended_by_its_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "waiting"), _negated=True),
                            ("queue__isnull", False),
                            _connector="OR",
                        ),
                        name="conversation_waits_in_a_queue",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            models.Q(
                                models.Q(("state", "closed"), _negated=True), ("closed_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="conversation_closed_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False), ("state__in", ["wrap_up", "closed"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["wrap_up", "closed"]), _negated=True),
                                ("ended_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="conversation_ended_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("consent", None), ("consent_at", None)),
                            models.Q(("consent__isnull", False), ("consent_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="conversation_consent_iff_dated",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("external_contact", ""), _negated=True), ("ended_at", None)
                        ),
                        fields=("account", "external_contact"),
                        name="conversation_one_open_per_contact",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("start_key__isnull", False)),
                        fields=("account", "start_key"),
                        name="conversation_started_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationCitizenQueueUnitOwnerStateWrapUpCodeClosedAtVersionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("machine", "With the assistant"),
                            ("waiting", "Waiting"),
                            ("active", "Being attended"),
                            ("wrap_up", "Wrapping up"),
                            ("closed", "Closed"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "citizen",
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
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                        to="channels_app.conversation",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="channels_app.queue",
                    ),
                ),
                (
                    "wrap_up_code",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="channels_app.wrapupcode",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConversationEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("queued", "Put in a queue"),
                            ("accepted", "Accepted"),
                            ("transferred", "Transferred"),
                            ("identified", "Person confirmed"),
                            ("case_linked", "Case linked"),
                            ("ended", "Ended"),
                            ("closed", "Closed"),
                            ("reopened", "Reopened"),
                            ("transcript_asked", "Copy sent by e-mail"),
                        ],
                        max_length=20,
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("after_number", models.PositiveIntegerField(default=0)),
                ("actor_kind", models.CharField(max_length=12)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(max_length=200)),
                ("data", models.JSONField(default=dict)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="channels_app.conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "event of a conversation",
                "indexes": [
                    models.Index(fields=["conversation", "id"], name="conversation_event_order")
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
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
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "direction",
                    models.CharField(
                        choices=[
                            ("in", "From the citizen"),
                            ("out", "To the citizen"),
                            ("internal", "Internal"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "author_kind",
                    models.CharField(
                        choices=[
                            ("citizen", "Citizen"),
                            ("employee", "Employee"),
                            ("machine", "Assistant"),
                            ("system", "System"),
                        ],
                        max_length=8,
                    ),
                ),
                ("author_name", models.CharField(blank=True, max_length=200)),
                ("generated_by", models.CharField(blank=True, max_length=80)),
                ("sources", models.JSONField(blank=True, default=list)),
                ("subject", models.CharField(blank=True, max_length=500)),
                ("body", models.TextField(blank=True)),
                ("html", models.TextField(blank=True)),
                ("headers", models.JSONField(blank=True, default=dict)),
                ("external_id", models.CharField(max_length=500, null=True)),
                ("client_key", models.UUIDField(null=True)),
                (
                    "state",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Waiting"),
                            (1, "Sent"),
                            (2, "Perhaps delivered"),
                            (3, "Delivered"),
                            (4, "Read"),
                            (5, "Not delivered"),
                        ],
                        default=0,
                    ),
                ),
                (
                    "state_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("state_reason", models.CharField(blank=True, max_length=240)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.channelaccount",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="channels_app.conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "message of a conversation",
                "verbose_name_plural": "messages of conversations",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", 0)), fields=["at"], name="chat_message_owed"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversation", "number"), name="chat_message_number_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id__isnull", False)),
                        fields=("account", "external_id"),
                        name="chat_message_taken_in_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("client_key__isnull", False)),
                        fields=("conversation", "client_key"),
                        name="chat_message_sent_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("author_kind", "citizen"), ("direction", "in")),
                            models.Q(
                                models.Q(("direction", "in"), _negated=True),
                                models.Q(("author_kind", "citizen"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="chat_message_from_the_citizen_iff_inbound",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("author_kind", "machine"),
                                models.Q(("generated_by", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("author_kind", "machine"), _negated=True),
                                ("generated_by", ""),
                            ),
                            _connector="OR",
                        ),
                        name="chat_message_machine_says_which",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundMail",
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
                ("digest", models.CharField(max_length=64)),
                ("raw", models.BinaryField(null=True)),
                ("size", models.PositiveIntegerField()),
                ("mail_id", models.CharField(blank=True, max_length=400)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("message", "Message"),
                            ("auto_reply", "Automatic reply"),
                            ("bounce", "Delivery report"),
                            ("complaint", "Spam complaint"),
                            ("loop", "Loop"),
                            ("own", "Our own"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("taken", "In a conversation"),
                            ("quarantine", "In quarantine"),
                            ("aside", "Set aside"),
                            ("duplicate", "Came twice"),
                            ("spam", "Spam"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unknown_recipient", "It is not addressed to this mailbox."),
                            ("stranger", "Somebody else writes in a citizen's conversation."),
                            ("no_sender", "It does not say who writes."),
                            ("unreadable", "It cannot be read."),
                            ("blocked", "Mail of this sender was marked as spam."),
                            ("flood", "Too many messages of this sender in one hour."),
                            ("machine", "No person wrote it."),
                        ],
                        max_length=20,
                    ),
                ),
                ("sender", models.CharField(blank=True, max_length=254, verbose_name="sender")),
                ("sender_name", models.CharField(blank=True, max_length=150)),
                (
                    "recipients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=254), default=list, size=None
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=240, verbose_name="subject")),
                ("extract", models.CharField(blank=True, max_length=300)),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("uid", models.BigIntegerField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbound",
                        to="channels_app.channelaccount",
                    ),
                ),
                (
                    "handled_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                    "about",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="channels_app.message",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbound",
                        to="channels_app.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "incoming message",
                "verbose_name_plural": "incoming messages",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["quarantine", "aside", "spam"])),
                        fields=["organisation", "-received_at", "-id"],
                        name="inbound_mail_apart",
                    ),
                    models.Index(
                        fields=["account", "sender", "-received_at"], name="inbound_mail_sender"
                    ),
                    models.Index(
                        condition=models.Q(("raw__isnull", False)),
                        fields=["received_at"],
                        name="inbound_mail_with_source",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "digest"), name="inbound_mail_once"),
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("mail_id", ""), _negated=True),
                            models.Q(("status", "duplicate"), _negated=True),
                        ),
                        fields=("account", "mail_id"),
                        name="inbound_mail_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("message__isnull", False), ("status", "taken")),
                            ("status", "spam"),
                            models.Q(
                                ("message", None),
                                ("status__in", ["quarantine", "aside", "duplicate"]),
                            ),
                            _connector="OR",
                        ),
                        name="inbound_mail_taken_iff_said",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundMailStatusReasonHandledByEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("taken", "In a conversation"),
                            ("quarantine", "In quarantine"),
                            ("aside", "Set aside"),
                            ("duplicate", "Came twice"),
                            ("spam", "Spam"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unknown_recipient", "It is not addressed to this mailbox."),
                            ("stranger", "Somebody else writes in a citizen's conversation."),
                            ("no_sender", "It does not say who writes."),
                            ("unreadable", "It cannot be read."),
                            ("blocked", "Mail of this sender was marked as spam."),
                            ("flood", "Too many messages of this sender in one hour."),
                            ("machine", "No person wrote it."),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "handled_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                        to="channels_app.inboundmail",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OwedAnswer",
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
                ("number", models.PositiveIntegerField()),
                ("due_at", models.DateTimeField()),
                (
                    "conversation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="owed_answer",
                        to="channels_app.conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer being phrased",
                "verbose_name_plural": "answers being phrased",
                "indexes": [models.Index(fields=["due_at"], name="owed_answer_due")],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
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
                    "direction",
                    models.CharField(
                        choices=[
                            ("in", "From the citizen"),
                            ("out", "To the citizen"),
                            ("internal", "Internal"),
                        ],
                        max_length=8,
                    ),
                ),
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
                ("content_id", models.CharField(blank=True, max_length=250)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="channels_app.conversation",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="channels_app.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "indexes": [
                    models.Index(fields=["conversation", "id"], name="attachment_of_conversation"),
                    models.Index(fields=["sha256"], name="attachment_digest"),
                    models.Index(
                        condition=models.Q(("scan", "unavailable")),
                        fields=["sha256"],
                        name="attachment_unscanned",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                        name="attachment_has_a_digest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PresenceChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("available", "Available"),
                            ("busy", "Busy"),
                            ("paused", "Paused"),
                            ("offline", "Offline"),
                        ],
                        max_length=10,
                    ),
                ),
                ("by_system", models.BooleanField(default=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "pause_reason",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.pausereason",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of presence",
            },
        ),
        migrations.CreateModel(
            name="QueueMember",
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
                    "queue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "verbose_name": "member of a queue",
            },
        ),
        migrations.CreateModel(
            name="AgentSlot",
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
                    "state",
                    models.CharField(
                        choices=[
                            ("available", "Available"),
                            ("busy", "Busy"),
                            ("paused", "Paused"),
                            ("offline", "Offline"),
                        ],
                        default="offline",
                        max_length=10,
                    ),
                ),
                ("by_system", models.BooleanField(default=False)),
                (
                    "since",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("heard_at", models.DateTimeField(null=True)),
                (
                    "idle_since",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("used_units", models.PositiveSmallIntegerField(default=0)),
                ("max_units", models.PositiveSmallIntegerField(default=3, verbose_name="capacity")),
                (
                    "skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agent_slots",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pause_reason",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="channels_app.pausereason",
                    ),
                ),
                (
                    "queues",
                    models.ManyToManyField(
                        related_name="agents",
                        through="channels_app.QueueMember",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "verbose_name": "agent",
                "verbose_name_plural": "agents",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "available")),
                        fields=["organisation", "idle_since"],
                        name="agent_longest_idle",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "user"), name="agent_slot_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used_units__lte", models.F("max_units"))),
                        name="agent_never_over_capacity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pause_reason__isnull", False), ("state", "paused")),
                            models.Q(("by_system", True), ("state", "paused")),
                            models.Q(
                                models.Q(("state", "paused"), _negated=True), ("pause_reason", None)
                            ),
                            _connector="OR",
                        ),
                        name="agent_pauses_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkItem",
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
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("offered", "Offered"),
                            ("active", "Being attended"),
                            ("wrap", "Wrapping up"),
                            ("done", "Done"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=50)),
                (
                    "enqueued_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("weight", models.PositiveSmallIntegerField(default=1)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("wrap_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("abandoned", models.BooleanField(default=False)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "agent",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_items",
                        to="channels_app.agentslot",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_items",
                        to="channels_app.conversation",
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
                    "queue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_items",
                        to="channels_app.queue",
                    ),
                ),
            ],
            options={
                "verbose_name": "piece of work",
                "verbose_name_plural": "pieces of work",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["organisation", "priority", "enqueued_at", "id"],
                        name="work_item_next",
                    ),
                    models.Index(
                        condition=models.Q(("status", "done"), _negated=True),
                        fields=["queue", "enqueued_at"],
                        name="work_item_of_queue",
                    ),
                    models.Index(
                        condition=models.Q(("status", "done"), _negated=True),
                        fields=["agent"],
                        name="work_item_of_agent",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "done"), _negated=True),
                        fields=("conversation",),
                        name="work_item_one_per_conversation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agent", None), ("status", "queued")),
                            models.Q(
                                ("agent__isnull", False),
                                ("status__in", ["offered", "active", "wrap"]),
                            ),
                            ("status", "done"),
                            _connector="OR",
                        ),
                        name="work_item_held_by_an_agent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", False), ("status", "done")),
                            models.Q(
                                models.Q(("status", "done"), _negated=True), ("done_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="work_item_done_iff_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
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
                    "offered_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("expired", "Not answered"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                        null=True,
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("why", models.JSONField(default=dict)),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="channels_app.agentslot",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="channels_app.workitem",
                    ),
                ),
            ],
            options={
                "verbose_name": "offer",
                "verbose_name_plural": "offers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", None)),
                        fields=["expires_at"],
                        name="offer_running_out",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", None)),
                        fields=("item",),
                        name="offer_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("outcome", None)),
                            models.Q(("ended_at__isnull", False), ("outcome__isnull", False)),
                            _connector="OR",
                        ),
                        name="offer_ended_iff_dated",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="conversationcase",
            name="conversation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="case_links",
                to="channels_app.conversation",
            ),
        ),
        migrations.AddField(
            model_name="presencechange",
            name="agent",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="channels_app.agentslot",
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="agent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="channels_app.agentslot",
            ),
        ),
        migrations.AddConstraint(
            model_name="conversationcase",
            constraint=models.UniqueConstraint(
                fields=("conversation", "case"), name="conversation_in_a_case_once"
            ),
        ),
        migrations.AddIndex(
            model_name="presencechange",
            index=models.Index(fields=["agent", "-at"], name="presence_of_agent"),
        ),
        migrations.AddConstraint(
            model_name="queuemember",
            constraint=models.UniqueConstraint(fields=("queue", "agent"), name="queue_member_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consenttext",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4e293ae794c22d959bcbbefc2158f79d56952c7c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_93bd2",
                    table="channels_app_consenttext",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conversationevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ecd94b1e0485bb50490dd716ba093db8cfc91db8",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_aa7a2",
                    table="channels_app_conversationevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="only_forward",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."state" < (OLD."state") OR (NEW."state" = 5 AND OLD."state" IN (3, 4)))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="e56051c08b96a99a400fef8c889bcb04465d6978",
                    operation="UPDATE",
                    pgid="pgtrigger_only_forward_1d74f",
                    table="channels_app_message",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="said_is_said",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."conversation_id" IS DISTINCT FROM (NEW."conversation_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."direction" IS DISTINCT FROM (NEW."direction") OR OLD."author_kind" IS DISTINCT FROM (NEW."author_kind") OR OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."at" IS DISTINCT FROM (NEW."at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="df7e7478695146de9c661923031fae9e52e14545",
                    operation="UPDATE",
                    pgid="pgtrigger_said_is_said_0b5fc",
                    table="channels_app_message",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inboundmail",
            trigger=pgtrigger.compiler.Trigger(
                name="came_as_it_came",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."sender" IS DISTINCT FROM (NEW."sender") OR OLD."received_at" IS DISTINCT FROM (NEW."received_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="ac0e62b57a9b3e0750bbe705a4977366c2dc1be7",
                    operation="UPDATE",
                    pgid="pgtrigger_came_as_it_came_0d68a",
                    table="channels_app_inboundmail",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inboundmail",
            trigger=pgtrigger.compiler.Trigger(
                name="source_as_it_came",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."raw" IS DISTINCT FROM (NEW."raw") AND NEW."raw" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="905f8cb360470760844ecf3dca229125448af018",
                    operation="UPDATE",
                    pgid="pgtrigger_source_as_it_came_56261",
                    table="channels_app_inboundmail",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inboundmail",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."handled_by_id" IS DISTINCT FROM (NEW."handled_by_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."status" IS DISTINCT FROM (NEW."status"))',
                    func='INSERT INTO "channels_app_inboundmailstatusreasonhandledbyevent" ("handled_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "status") VALUES (OLD."handled_by_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."reason", OLD."status"); RETURN NULL;',
                    hash="27bbdfe83e09d45aac3615cda1698a7fcbbaffd1",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_14ebc",
                    table="channels_app_inboundmail",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inboundmail",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_inboundmailstatusreasonhandledbyevent" ("handled_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "status") VALUES (OLD."handled_by_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reason", OLD."status"); RETURN NULL;',
                    hash="2b599933fa95ff6203b744e0fbad710171cdfd14",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_2020e",
                    table="channels_app_inboundmail",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="modelserver",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_on" IS DISTINCT FROM (NEW."is_on") OR OLD."model" IS DISTINCT FROM (NEW."model") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."seconds" IS DISTINCT FROM (NEW."seconds") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."url" IS DISTINCT FROM (NEW."url") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid"))',
                    func='INSERT INTO "channels_app_modelserverevent" ("created_at", "id", "is_on", "model", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "seconds", "updated_at", "url", "uuid") VALUES (OLD."created_at", OLD."id", OLD."is_on", OLD."model", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."seconds", OLD."updated_at", OLD."url", OLD."uuid"); RETURN NULL;',
                    hash="1458a237cb23a27d1d4c360e68c4de269433ebf1",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_4d97c",
                    table="channels_app_modelserver",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="modelserver",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_modelserverevent" ("created_at", "id", "is_on", "model", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "seconds", "updated_at", "url", "uuid") VALUES (OLD."created_at", OLD."id", OLD."is_on", OLD."model", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."seconds", OLD."updated_at", OLD."url", OLD."uuid"); RETURN NULL;',
                    hash="9025565fa51d4119045d6f6ac7bf876679285d6d",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_3eff9",
                    table="channels_app_modelserver",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pausereason",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "channels_app_pausereasonevent" ("code", "created_at", "id", "is_active", "names", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "updated_at", "uuid") VALUES (OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."names", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."position", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="ef8ea37a547e7ee9d1e91d761064eddd616caaf4",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ca585",
                    table="channels_app_pausereason",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pausereason",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_pausereasonevent" ("code", "created_at", "id", "is_active", "names", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "updated_at", "uuid") VALUES (OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."names", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="082ac6f8ddf27599ff7ef66769719e8398e20442",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_52be5",
                    table="channels_app_pausereason",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="presencechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="80bf94bb7b62e8476f477d6ba5b992c38c6ecff6",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_4db71",
                    table="channels_app_presencechange",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="queue",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "channels_app_queueevent" ("calendar_id", "case_type_id", "code", "created_at", "id", "is_active", "max_waiting", "names", "offer_seconds", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "target_seconds", "unit_id", "updated_at", "uuid", "wrap_up_seconds") VALUES (OLD."calendar_id", OLD."case_type_id", OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."max_waiting", OLD."names", OLD."offer_seconds", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."priority", OLD."target_seconds", OLD."unit_id", OLD."updated_at", OLD."uuid", OLD."wrap_up_seconds"); RETURN NULL;',
                    hash="2381758752c7914c724e24946d21072afe38f10b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_009c7",
                    table="channels_app_queue",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="queue",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_queueevent" ("calendar_id", "case_type_id", "code", "created_at", "id", "is_active", "max_waiting", "names", "offer_seconds", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "target_seconds", "unit_id", "updated_at", "uuid", "wrap_up_seconds") VALUES (OLD."calendar_id", OLD."case_type_id", OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."max_waiting", OLD."names", OLD."offer_seconds", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."priority", OLD."target_seconds", OLD."unit_id", OLD."updated_at", OLD."uuid", OLD."wrap_up_seconds"); RETURN NULL;',
                    hash="b1d6e8a7fa0e30f8ef4b0998232afc1507f8a5e8",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_c0116",
                    table="channels_app_queue",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactreason",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "channels_app_contactreasonevent" ("account_id", "code", "created_at", "id", "is_active", "names", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "queue_id", "updated_at", "uuid") VALUES (OLD."account_id", OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."names", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."position", OLD."queue_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="9f34bfefce8a1e96c29aad5fa14fbc681421a3f1",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_7796f",
                    table="channels_app_contactreason",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactreason",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_contactreasonevent" ("account_id", "code", "created_at", "id", "is_active", "names", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "queue_id", "updated_at", "uuid") VALUES (OLD."account_id", OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."names", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."queue_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="8245eb3017ee7436a022911ab2a8a7956cce4381",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_5a728",
                    table="channels_app_contactreason",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channelaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."address" IS DISTINCT FROM (NEW."address") OR OLD."allowed_origins" IS DISTINCT FROM (NEW."allowed_origins") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."public_key" IS DISTINCT FROM (NEW."public_key") OR OLD."queue_id" IS DISTINCT FROM (NEW."queue_id") OR OLD."settings" IS DISTINCT FROM (NEW."settings") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid"))',
                    func='INSERT INTO "channels_app_channelaccountevent" ("address", "allowed_origins", "code", "created_at", "id", "is_active", "kind", "name", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "public_key", "queue_id", "settings", "unit_id", "updated_at", "uuid") VALUES (OLD."address", OLD."allowed_origins", OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."kind", OLD."name", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."public_key", OLD."queue_id", OLD."settings", OLD."unit_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="dd755fba4cec01be0584286b57e3f64df9c5e4e7",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e88f0",
                    table="channels_app_channelaccount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="channelaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_channelaccountevent" ("address", "allowed_origins", "code", "created_at", "id", "is_active", "kind", "name", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "public_key", "queue_id", "settings", "unit_id", "updated_at", "uuid") VALUES (OLD."address", OLD."allowed_origins", OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."kind", OLD."name", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."public_key", OLD."queue_id", OLD."settings", OLD."unit_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="0bc4a287f0166d5c4e6efdbd44462c4e86e50bcc",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_107cf",
                    table="channels_app_channelaccount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wrapupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "channels_app_wrapupcodeevent" ("code", "created_at", "id", "is_active", "names", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "queue_id", "updated_at", "uuid") VALUES (OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."names", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."position", OLD."queue_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="691bacb69ca27501143727f8e5363662394145f4",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_d0a65",
                    table="channels_app_wrapupcode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wrapupcode",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_wrapupcodeevent" ("code", "created_at", "id", "is_active", "names", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "queue_id", "updated_at", "uuid") VALUES (OLD."code", OLD."created_at", OLD."id", OLD."is_active", OLD."names", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."queue_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="a5ab00f6ff905e9291ca119ce45e0d4a983276b6",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_8dd5c",
                    table="channels_app_wrapupcode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conversation",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."citizen_id" IS DISTINCT FROM (NEW."citizen_id") OR OLD."closed_at" IS DISTINCT FROM (NEW."closed_at") OR OLD."owner_id" IS DISTINCT FROM (NEW."owner_id") OR OLD."queue_id" IS DISTINCT FROM (NEW."queue_id") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."wrap_up_code_id" IS DISTINCT FROM (NEW."wrap_up_code_id"))',
                    func='INSERT INTO "channels_app_conversationcitizenqueueunitownerstatewrapupco5c29" ("citizen_id", "closed_at", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "queue_id", "state", "unit_id", "version", "wrap_up_code_id") VALUES (OLD."citizen_id", OLD."closed_at", OLD."owner_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."queue_id", OLD."state", OLD."unit_id", OLD."version", OLD."wrap_up_code_id"); RETURN NULL;',
                    hash="dc970cc995d2280aace0dbf658bd8696959436af",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_2ef83",
                    table="channels_app_conversation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conversation",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "channels_app_conversationcitizenqueueunitownerstatewrapupco5c29" ("citizen_id", "closed_at", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "queue_id", "state", "unit_id", "version", "wrap_up_code_id") VALUES (OLD."citizen_id", OLD."closed_at", OLD."owner_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."queue_id", OLD."state", OLD."unit_id", OLD."version", OLD."wrap_up_code_id"); RETURN NULL;',
                    hash="0412a23f0b5411cf1243cd0d3c86d6b257d21674",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d81fd",
                    table="channels_app_conversation",
                    when="AFTER",
                ),
            ),
        ),
    ]

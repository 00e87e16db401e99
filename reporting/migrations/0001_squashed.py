import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import crm.kit.models


class Migration(migrations.Migration):
    replaces = [
        ("reporting", "0001_initial"),
        ("reporting", "0002_histories_as_work"),
        ("reporting", "0003_names_in_the_plural"),
        ("reporting", "0004_figures"),
        ("reporting", "0005_histories_of_people"),
        ("reporting", "0006_monthly_tallies"),
        ("reporting", "0007_subtrees"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("cases", "0001_squashed"),
        ("citizens", "0001_squashed"),
        ("kit", "0002_effects_in_doubt"),
        ("organisations", "0002_names_in_the_plural"),
    ]

    operations = [
        migrations.CreateModel(
            name="FactState",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="organisations.organisation",
                    ),
                ),
                ("tx", models.BigIntegerField(default=0)),
                ("units_version", models.IntegerField(default=-1)),
                ("counted_at", models.DateTimeField(null=True)),
                ("rebuilt_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="District",
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
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
                ("municipality", models.CharField(blank=True, max_length=5)),
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
                "verbose_name": "district",
                "verbose_name_plural": "districts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "name"), name="district_name_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("latitude__range", (-90, 90)), ("longitude__range", (-180, 180))
                        ),
                        name="district_is_on_earth",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseFact",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
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
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("opened_on", models.DateField()),
                ("opened_hour", models.SmallIntegerField()),
                ("answered_on", models.DateField(null=True)),
                ("answer_minutes", models.IntegerField(null=True)),
                ("answer_natural", models.BooleanField(default=False)),
                ("ended_on", models.DateField(null=True)),
                ("ended_late", models.BooleanField(null=True)),
                ("solved_minutes", models.IntegerField(null=True)),
                ("solved_natural", models.BooleanField(default=False)),
                (
                    "ended_before",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(), default=list, size=None
                    ),
                ),
                (
                    "reopened_on",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(), default=list, size=None
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.casetype",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="reporting.district",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["unit", "opened_on"],
                        include=("organisation", "case_type", "channel", "opened_hour", "district"),
                        name="fact_unit_all_opene",
                    ),
                    models.Index(
                        fields=["unit", "answered_on"],
                        include=(
                            "organisation",
                            "case_type",
                            "channel",
                            "answer_minutes",
                            "answer_natural",
                        ),
                        name="fact_unit_all_answe",
                    ),
                    models.Index(
                        fields=["unit", "ended_on"],
                        include=(
                            "organisation",
                            "case_type",
                            "channel",
                            "ended_late",
                            "solved_minutes",
                            "solved_natural",
                        ),
                        name="fact_unit_all_ended",
                    ),
                    models.Index(
                        fields=["organisation", "case_type", "channel", "opened_on"],
                        include=("unit", "opened_hour", "district"),
                        name="fact_kind_opene",
                    ),
                    models.Index(
                        fields=["organisation", "case_type", "channel", "answered_on"],
                        include=("unit", "answer_minutes", "answer_natural"),
                        name="fact_kind_answe",
                    ),
                    models.Index(
                        fields=["organisation", "case_type", "channel", "ended_on"],
                        include=("unit", "ended_late", "solved_minutes", "solved_natural"),
                        name="fact_kind_ended",
                    ),
                    models.Index(
                        condition=models.Q(("ended_on", None)),
                        fields=["organisation", "opened_at"],
                        include=("unit", "case_type", "channel", "due_at", "opened_on"),
                        name="fact_open_now",
                    ),
                    models.Index(
                        condition=models.Q(("reopened_on", []), _negated=True),
                        fields=["organisation"],
                        name="fact_reopened",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer_minutes", None), ("answered_on", None)),
                            models.Q(("answer_minutes__gte", 0), ("answered_on__isnull", False)),
                            _connector="OR",
                        ),
                        name="fact_answer_is_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_late", None), ("ended_on", None), ("solved_minutes", None)
                            ),
                            models.Q(("ended_on__isnull", False), ("solved_minutes__gte", 0)),
                            _connector="OR",
                        ),
                        name="fact_end_is_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
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
                            ("running", "Being made"),
                            ("done", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("error", models.CharField(blank=True, max_length=40)),
                ("requested_by_name", models.CharField(max_length=200)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "form",
                    models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX")], max_length=4),
                ),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("figures", "The figures of the board"),
                            ("cases", "The cases behind a figure"),
                        ],
                        max_length=8,
                    ),
                ),
                ("query", models.JSONField(default=dict)),
                ("language", models.CharField(default="es", max_length=16)),
                ("purpose", models.CharField(max_length=240, verbose_name="reason")),
                ("done", models.IntegerField(default=0)),
                ("total", models.IntegerField(default=0)),
                ("path", models.CharField(blank=True, max_length=300)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("size", models.BigIntegerField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
                "indexes": [
                    models.Index(
                        fields=["organisation", "requested_by", "-id"], name="export_mine"
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["queued", "running"])),
                        fields=["lease_until", "id"],
                        name="export_to_make",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose", ""), _negated=True),
                        name="export_says_what_for",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IssuedHistory",
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
                            ("running", "Being made"),
                            ("done", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("error", models.CharField(blank=True, max_length=40)),
                ("requested_by_name", models.CharField(max_length=200)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "variant",
                    models.CharField(
                        choices=[
                            ("full", "Full"),
                            ("citizen", "For the citizen"),
                            ("redacted", "With hidden data"),
                        ],
                        max_length=10,
                    ),
                ),
                ("language", models.CharField(default="es", max_length=16)),
                ("code", models.CharField(max_length=40, unique=True)),
                ("fingerprint", models.CharField(max_length=64)),
                ("content", models.JSONField(null=True)),
                ("special", models.BooleanField(default=False)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("size", models.BigIntegerField(default=0)),
                ("pages", models.IntegerField(default=0)),
                ("seal_level", models.CharField(blank=True, max_length=10)),
                ("timestamp_missing", models.BooleanField(default=False)),
                ("signer", models.CharField(blank=True, max_length=200)),
                ("issued_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_reason", models.CharField(blank=True, max_length=240)),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="histories",
                        to="cases.case",
                    ),
                ),
                (
                    "citizen",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="histories",
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
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "case history",
                "verbose_name_plural": "case histories",
                "indexes": [
                    models.Index(fields=["case", "-created_at"], name="history_of_case"),
                    models.Index(fields=["organisation", "-id"], name="history_new"),
                    models.Index(
                        condition=models.Q(("status__in", ["queued", "running"])),
                        fields=["lease_until", "id"],
                        name="history_to_make",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("case", "fingerprint"),
                        name="history_once_while_unchanged",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("case", None), ("revoked_at", None)),
                        fields=("citizen", "requested_by", "fingerprint"),
                        name="history_of_person_once_while_unchanged",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("case__isnull", False), ("citizen", None)),
                            models.Q(("case", None), ("citizen__isnull", False)),
                            _connector="OR",
                        ),
                        name="history_of_a_case_or_a_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("content", None),
                                ("sha256__regex", "^[0-9a-f]{64}$"),
                                ("status", "done"),
                            ),
                            models.Q(
                                models.Q(("status", "done"), _negated=True),
                                ("content__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="history_done_has_bytes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None),
                            models.Q(("revoked_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="history_revoked_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoryBatch",
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
                            ("running", "Being made"),
                            ("done", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("error", models.CharField(blank=True, max_length=40)),
                ("requested_by_name", models.CharField(max_length=200)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "variant",
                    models.CharField(
                        choices=[
                            ("full", "Full"),
                            ("citizen", "For the citizen"),
                            ("redacted", "With hidden data"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "cases",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None
                    ),
                ),
                ("done", models.IntegerField(default=0)),
                ("left_out", models.JSONField(default=dict)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "histories",
                    models.ManyToManyField(related_name="batches", to="reporting.issuedhistory"),
                ),
            ],
            options={
                "verbose_name": "batch of case histories",
                "verbose_name_plural": "batches of case histories",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["queued", "running"])),
                        fields=["lease_until", "id"],
                        name="history_batch_to_make",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Subtree",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("top_id", models.BigIntegerField()),
                ("unit_id", models.BigIntegerField()),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["unit_id"], include=("top_id",), name="subtree_of_unit")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "top_id", "unit_id"), name="subtree_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "cut",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Whole"),
                            (1, "Kind"),
                            (2, "Unit"),
                            (3, "Kind Month"),
                            (4, "All Month"),
                            (5, "Whole Month"),
                            (6, "Unit Month"),
                            (7, "Subtree"),
                            (8, "Subtree Month"),
                        ]
                    ),
                ),
                ("measure", models.CharField(max_length=16)),
                ("day", models.DateField()),
                ("unit_id", models.BigIntegerField(default=0)),
                ("case_type_id", models.BigIntegerField(default=0)),
                ("channel", models.CharField(blank=True, max_length=12)),
                ("value", models.BigIntegerField(default=0)),
                ("count", models.IntegerField()),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("count", 0)),
                        fields=["organisation"],
                        name="tally_to_forget",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "organisation",
                            "cut",
                            "measure",
                            "day",
                            "unit_id",
                            "case_type_id",
                            "channel",
                            "value",
                        ),
                        include=("count",),
                        name="tally_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("count__gte", 0)), name="tally_is_a_count"
                    ),
                ],
            },
        ),
    ]

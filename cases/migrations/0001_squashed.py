import datetime

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import crm.audit.models
import crm.kit.models


class Migration(migrations.Migration):
    replaces = [
        ("cases", "0001_initial"),
        ("cases", "0002_initial"),
        ("cases", "0003_event_kinds_and_lengths"),
        ("cases", "0004_import_problems"),
        ("cases", "0005_event_feed_misses_nothing"),
        ("cases", "0006_import_total"),
        ("cases", "0007_fewer_indexes"),
        ("cases", "0008_names_in_the_plural"),
        ("cases", "0009_effects_in_doubt"),
        ("cases", "0010_no_index_twice"),
        ("cases", "0011_events_ask_once"),
        ("cases", "0012_public_window"),
        ("cases", "0013_booking_and_draft_papers"),
        ("cases", "0014_clocks"),
        ("cases", "0015_studio"),
        ("cases", "0016_service_targets"),
        ("cases", "0017_views_and_bulk"),
        ("cases", "0018_tasks"),
        ("cases", "0019_assignment"),
        ("cases", "0020_transfers"),
        ("cases", "0022_on_behalf"),
        ("cases", "0029_event_kinds"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0001_squashed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("citizens", "0001_squashed"),
        ("kit", "0002_effects_in_doubt"),
        ("organisations", "0002_names_in_the_plural"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseType",
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
                (
                    "nature",
                    models.CharField(
                        choices=[
                            ("application", "Application"),
                            ("enquiry", "Enquiry"),
                            ("incident", "Incident"),
                            ("complaint", "Complaint"),
                            ("suggestion", "Suggestion"),
                            ("appeal", "Appeal"),
                            ("infringement_report", "Infringement report"),
                        ],
                        default="application",
                        max_length=20,
                    ),
                ),
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
                "verbose_name": "case type",
                "verbose_name_plural": "case types",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code"), name="case_type_code_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseTypeVersion",
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
                ("number", models.PositiveSmallIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("bundle", models.JSONField()),
                ("changed_by_name", models.CharField(blank=True, max_length=200)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "case_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="cases.casetype",
                    ),
                ),
                (
                    "changed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_from",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.casetypeversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "case type version",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case_type", "number"), name="case_type_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "published")),
                        fields=("case_type",),
                        name="case_type_one_published",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "draft")),
                        fields=("case_type",),
                        name="case_type_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number", 0), ("published_at", None), ("status", "draft")),
                            models.Q(
                                ("number__gte", 1),
                                ("published_at__isnull", False),
                                ("status__in", ["published", "retired"]),
                            ),
                            _connector="OR",
                        ),
                        name="case_type_version_numbered_when_published",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("retired_at__isnull", False), ("status", "retired")),
                            models.Q(("retired_at", None), ("status__in", ["draft", "published"])),
                            _connector="OR",
                        ),
                        name="case_type_version_retired_iff_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Case",
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
                ("reference", models.CharField(max_length=32, verbose_name="case number")),
                ("state", models.CharField(max_length=40)),
                (
                    "category",
                    models.SmallIntegerField(
                        choices=[
                            (0, "New"),
                            (1, "In progress"),
                            (2, "Waiting for citizen"),
                            (3, "Waiting for third party"),
                            (4, "Resolved"),
                            (5, "Closed"),
                        ],
                        default=0,
                    ),
                ),
                ("subject", models.CharField(max_length=240, verbose_name="subject")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                (
                    "priority",
                    models.SmallIntegerField(
                        choices=[(0, "Low"), (1, "Normal"), (2, "High"), (3, "Urgent")], default=1
                    ),
                ),
                (
                    "confidentiality",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Public"),
                            (1, "Internal"),
                            (2, "Confidential"),
                            (3, "Specially protected"),
                        ],
                        default=1,
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
                        verbose_name="channel",
                    ),
                ),
                ("language", models.CharField(default="es", max_length=16)),
                ("address", models.CharField(blank=True, max_length=300, verbose_name="address")),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("outcome", models.CharField(blank=True, max_length=240, verbose_name="outcome")),
                ("source", models.CharField(blank=True, max_length=60)),
                ("external_id", models.CharField(blank=True, max_length=120, null=True)),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due date")),
                ("suspended_on", models.DateField(blank=True, editable=False, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("last_event", models.PositiveIntegerField(default=0)),
                (
                    "due_sort",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce(
                            "due_at",
                            models.Value(
                                datetime.datetime(9999, 12, 30, 0, 0, tzinfo=datetime.UTC)
                            ),
                        ),
                        output_field=models.DateTimeField(),
                    ),
                ),
                (
                    "search",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.contrib.postgres.search.SearchVector(
                            "subject", "description", "address", config="es"
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "citizen",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="citizens.citizen",
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
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="organisations.unit",
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="cases.casetype",
                    ),
                ),
                (
                    "type_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="cases.casetypeversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "case",
                "verbose_name_plural": "cases",
                "indexes": [
                    models.Index(fields=["organisation", "-opened_at", "-id"], name="case_new"),
                    models.Index(
                        fields=["organisation", "case_type", "-opened_at", "-id"],
                        name="case_type_new",
                    ),
                    models.Index(fields=["unit", "-opened_at", "-id"], name="case_unit_new"),
                    models.Index(fields=["citizen", "-opened_at"], name="case_citizen"),
                    models.Index(
                        condition=models.Q(("category__lt", 4)),
                        fields=["organisation", "due_sort", "id"],
                        name="case_due",
                    ),
                    models.Index(
                        condition=models.Q(("category__lt", 4)),
                        fields=["unit", "due_sort", "id"],
                        name="case_unit_due",
                    ),
                    models.Index(
                        condition=models.Q(("assignee", None), ("category__lt", 4)),
                        fields=["unit", "due_sort", "id"],
                        name="case_unit_free",
                    ),
                    models.Index(
                        condition=models.Q(("category__lt", 4)),
                        fields=["assignee", "due_sort", "id"],
                        name="case_mine",
                    ),
                    models.Index(
                        condition=models.Q(("category__gte", 4)),
                        fields=["unit", "-closed_at", "-id"],
                        name="case_unit_closed",
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["search"], name="case_search"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "reference"),
                        name="case_reference_once_per_organisation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id__isnull", False)),
                        fields=("organisation", "source", "external_id"),
                        name="case_from_elsewhere_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("category__gte", 4), ("closed_at__isnull", False)),
                            models.Q(("category__lt", 4), ("closed_at", None)),
                            _connector="OR",
                        ),
                        name="case_ended_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("subject", ""), _negated=True),
                        name="case_has_a_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude", None), ("longitude", None)),
                            models.Q(
                                ("latitude__range", (-90, 90)), ("longitude__range", (-180, 180))
                            ),
                            _connector="OR",
                        ),
                        name="case_place_is_on_earth",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessCode",
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
                ("expires_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="access_codes",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "access code",
            },
        ),
        migrations.CreateModel(
            name="CaseEvent",
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
                ("reference", models.CharField(max_length=32, verbose_name="case number")),
                ("state", models.CharField(max_length=40)),
                (
                    "category",
                    models.SmallIntegerField(
                        choices=[
                            (0, "New"),
                            (1, "In progress"),
                            (2, "Waiting for citizen"),
                            (3, "Waiting for third party"),
                            (4, "Resolved"),
                            (5, "Closed"),
                        ],
                        default=0,
                    ),
                ),
                ("subject", models.CharField(max_length=240, verbose_name="subject")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                (
                    "priority",
                    models.SmallIntegerField(
                        choices=[(0, "Low"), (1, "Normal"), (2, "High"), (3, "Urgent")], default=1
                    ),
                ),
                (
                    "confidentiality",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Public"),
                            (1, "Internal"),
                            (2, "Confidential"),
                            (3, "Specially protected"),
                        ],
                        default=1,
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
                        verbose_name="channel",
                    ),
                ),
                ("language", models.CharField(default="es", max_length=16)),
                ("address", models.CharField(blank=True, max_length=300, verbose_name="address")),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("outcome", models.CharField(blank=True, max_length=240, verbose_name="outcome")),
                ("source", models.CharField(blank=True, max_length=60)),
                ("external_id", models.CharField(blank=True, max_length=120, null=True)),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due date")),
                ("suspended_on", models.DateField(blank=True, editable=False, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "assignee",
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
                        to="cases.case",
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
                    "case_type",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cases.casetype",
                    ),
                ),
                (
                    "type_version",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cases.casetypeversion",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CaseMerge",
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
                        choices=[("merge", "Merged"), ("split", "Split off")],
                        default="merge",
                        max_length=5,
                    ),
                ),
                ("by_name", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=240, verbose_name="reason")),
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
                        to="cases.case",
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
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge of cases",
                "verbose_name_plural": "merges of cases",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "merge"), ("undone_at", None)),
                        fields=("merged",),
                        name="case_merged_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("merged", models.F("survivor")), _negated=True),
                        name="case_merge_of_two_cases",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="case_merge_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseMergeLine",
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
                        to="cases.casemerge",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a merge of cases",
            },
        ),
        migrations.CreateModel(
            name="CaseResult",
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
                ("name", models.CharField(max_length=80)),
                (
                    "nomination",
                    models.CharField(
                        choices=[("destroy", "Destroy it"), ("keep", "Keep it for ever")],
                        max_length=8,
                    ),
                ),
                ("term", models.CharField(max_length=8)),
                ("ended_on", models.DateField()),
                ("keep_until", models.DateField()),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="result",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "way of ending",
                "indexes": [
                    models.Index(
                        condition=models.Q(("nomination", "destroy")),
                        fields=["keep_until"],
                        name="result_to_destroy",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("keep_until__gt", models.F("ended_on"))),
                        name="result_kept_after_the_end",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseTransfer",
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
                ("text", models.TextField()),
                ("packet", models.JSONField(default=dict)),
                ("due_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("sent_by_name", models.CharField(max_length=200)),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by_name", models.CharField(blank=True, max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("offered", "Offered"),
                            ("accepted", "Accepted"),
                            ("returned", "Returned"),
                            ("refused", "Refused"),
                            ("expired", "Expired"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="offered",
                        max_length=10,
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=1000)),
                (
                    "basis",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("agreement", "A data-sharing agreement in force"),
                            ("consent", "The citizen's consent"),
                            ("rule", "A rule that says so"),
                        ],
                        max_length=10,
                    ),
                ),
                ("basis_text", models.CharField(blank=True, max_length=500)),
                ("consent_on", models.DateField(null=True)),
                (
                    "agreement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.sharingagreement",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="cases.case",
                    ),
                ),
                (
                    "origin_organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "origin_unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "received_case",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="came_by",
                        to="cases.case",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "target_organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "target_unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "transfer",
                "verbose_name_plural": "transfers",
                "indexes": [
                    models.Index(fields=["target_organisation", "-id"], name="transfer_received"),
                    models.Index(fields=["origin_organisation", "-id"], name="transfer_sent"),
                    models.Index(
                        condition=models.Q(("state", "offered")),
                        fields=["due_at"],
                        name="transfer_to_expire",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "offered")),
                        fields=("case",),
                        name="transfer_one_open_per_case",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("received_case__isnull", False)),
                        fields=("case",),
                        name="transfer_leaves_an_organisation_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("state", "offered")),
                            models.Q(
                                models.Q(("state", "offered"), _negated=True),
                                ("answered_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_answered_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("origin_unit", models.F("target_unit")), _negated=True),
                        name="transfer_to_another_unit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("basis", ""),
                                ("origin_organisation", models.F("target_organisation")),
                            ),
                            models.Q(
                                models.Q(
                                    ("origin_organisation", models.F("target_organisation")),
                                    _negated=True,
                                ),
                                models.Q(("basis", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_abroad_states_its_basis",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", "agreement"), _negated=True),
                            ("agreement__isnull", False),
                            _connector="OR",
                        ),
                        name="transfer_names_its_agreement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", "consent"), _negated=True),
                            models.Q(
                                ("consent_on__isnull", False),
                                models.Q(("basis_text", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_says_who_consented_and_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("origin_organisation", models.F("target_organisation")),
                                ("received_case", None),
                            ),
                            models.Q(
                                ("received_case", None),
                                models.Q(("state", "accepted"), _negated=True),
                            ),
                            models.Q(
                                ("received_case__isnull", False),
                                ("state", "accepted"),
                                models.Q(
                                    ("origin_organisation", models.F("target_organisation")),
                                    _negated=True,
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_accepted_abroad_has_its_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["returned", "refused"]), _negated=True),
                            models.Q(("answer", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="transfer_back_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="transfer_says_why"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClockInterval",
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
                        choices=[("suspended", "Suspension"), ("extended", "Extension")],
                        max_length=10,
                    ),
                ),
                ("ground", models.CharField(max_length=8)),
                ("reason", models.CharField(max_length=1000, verbose_name="reason")),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("limit_on", models.DateField(blank=True, null=True)),
                ("term", models.CharField(blank=True, max_length=8)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clock_intervals",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "suspension or extension",
                "ordering": ("starts_on", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("ends_on", None), ("kind", "suspended"), ("limit_on__isnull", False)
                        ),
                        fields=["limit_on"],
                        name="clock_to_resume",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="clock_says_why"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on", None),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="clock_runs_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("limit_on", None),
                            models.Q(
                                ("limit_on__gte", models.F("starts_on")),
                                models.Q(
                                    ("ends_on", None),
                                    ("ends_on__lte", models.F("limit_on")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="clock_keeps_its_limit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "suspended"), ("term", "")),
                            models.Q(
                                ("ends_on", models.F("starts_on")),
                                ("kind", "extended"),
                                ("limit_on", None),
                                models.Q(("term", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="clock_extends_by_a_term",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("kind", "suspended")),
                        expressions=[
                            ("case", "="),
                            (
                                models.Func(
                                    models.F("starts_on"),
                                    django.db.models.functions.comparison.Coalesce(
                                        models.F("ends_on"),
                                        models.Value("9999-12-31", output_field=models.DateField()),
                                    ),
                                    models.Value("[)"),
                                    function="daterange",
                                ),
                                "&&",
                            ),
                        ],
                        name="clock_suspended_once_at_a_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "extended")),
                        fields=("case", "ground"),
                        name="clock_extended_once_by_article",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClockState",
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
                ("units_version", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Consultation",
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
                ("text", models.TextField()),
                ("packet", models.JSONField(default=dict)),
                ("due_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("sent_by_name", models.CharField(max_length=200)),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by_name", models.CharField(blank=True, max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("asked_back", "Asked back"),
                            ("answered", "Answered"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.sharingagreement",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="cases.case",
                    ),
                ),
                (
                    "origin_organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "origin_unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "target_organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "target_unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "question to another area",
                "verbose_name_plural": "questions to other areas",
                "indexes": [
                    models.Index(
                        fields=["target_organisation", "-id"], name="consultation_received"
                    ),
                    models.Index(fields=["origin_organisation", "-id"], name="consultation_sent"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("state__in", ["asked", "asked_back"])),
                            models.Q(
                                models.Q(("state__in", ["asked", "asked_back"]), _negated=True),
                                ("answered_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="consultation_answered_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("origin_unit", models.F("target_unit")), _negated=True),
                        name="consultation_to_another_unit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("origin_organisation", models.F("target_organisation")),
                            ("agreement__isnull", False),
                            _connector="OR",
                        ),
                        name="consultation_abroad_by_an_agreement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="consultation_asks_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsultationWord",
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
                            ("asked_back", "Asked back"),
                            ("clarified", "Clarified"),
                            ("answered", "Answered"),
                            ("declined", "Declined"),
                            ("extended", "More time given"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("author_name", models.CharField(max_length=200)),
                ("text", models.TextField()),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="words",
                        to="cases.consultation",
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
            ],
            options={
                "verbose_name": "word of a consultation",
                "verbose_name_plural": "words of consultations",
                "ordering": ("created_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="Custody",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="custody",
                        to="cases.case",
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
                "verbose_name": "responsibility for a case",
                "verbose_name_plural": "responsibilities for cases",
                "ordering": ("since", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until", None), ("until__gte", models.F("since")), _connector="OR"
                        ),
                        name="custody_runs_forward",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("until", None)),
                        fields=("case",),
                        name="custody_of_one_unit_now",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("case", "="),
                            (
                                models.Func(
                                    models.F("since"),
                                    models.F("until"),
                                    models.Value("[)"),
                                    function="tstzrange",
                                ),
                                "&&",
                            ),
                        ],
                        name="custody_of_one_unit_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Distribution",
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
                    "method",
                    models.CharField(
                        choices=[
                            ("manual", "Somebody assigns them"),
                            ("take_next", "Each takes the next one"),
                            ("round_robin", "In turn"),
                            ("least_busy", "To whoever has least"),
                        ],
                        default="manual",
                        max_length=12,
                    ),
                ),
                (
                    "weight",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
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
                ("by_language", models.BooleanField(default=True)),
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule of distribution",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "unit", "case_type"),
                        name="distribution_once_per_place",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weight__range", (1, 1000))), name="distribution_weighs"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Document",
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
                (
                    "origin",
                    models.CharField(
                        choices=[("citizen", "Citizen"), ("administration", "Administration")],
                        max_length=14,
                    ),
                ),
                (
                    "confidentiality",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Public"),
                            (1, "Internal"),
                            (2, "Confidential"),
                            (3, "Specially protected"),
                        ],
                        default=1,
                    ),
                ),
                ("added_by_name", models.CharField(max_length=200)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_reason", models.CharField(blank=True, max_length=240)),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="cases.case",
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
                "verbose_name": "document",
                "indexes": [
                    models.Index(fields=["sha256"], name="document_digest"),
                    models.Index(fields=["case", "-created_at"], name="document_of_case"),
                    models.Index(
                        condition=models.Q(("scan", "unavailable")),
                        fields=["sha256"],
                        name="document_unscanned",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                        name="document_has_a_digest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DraftPaper",
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
                ("sha256", models.CharField(max_length=64)),
                (
                    "waits_since",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
                "verbose_name": "paper of a form that was not sent",
                "verbose_name_plural": "papers of forms that were not sent",
                "indexes": [models.Index(fields=["waits_since"], name="draft_paper_oldest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "sha256"), name="draft_paper_waits_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                        name="draft_paper_has_a_digest",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "tx",
                    models.BigIntegerField(
                        db_default=crm.audit.models.CurrentTransaction(), editable=False
                    ),
                ),
                ("seq", models.IntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("imported", "Imported"),
                            ("edited", "Edited"),
                            ("assigned", "Assigned"),
                            ("released", "Returned to the queue"),
                            ("moved", "Moved"),
                            ("unit_changed", "Unit changed"),
                            ("confidentiality_changed", "Confidentiality changed"),
                            ("noted", "Internal note"),
                            ("messaged", "Message"),
                            ("attached", "Document added"),
                            ("withdrawn", "Document withdrawn"),
                            ("linked", "Case linked"),
                            ("unlinked", "Case unlinked"),
                            ("participant_added", "Participant added"),
                            ("participant_ended", "Participant withdrawn"),
                            ("clock_suspended", "Legal deadline suspended"),
                            ("clock_resumed", "Legal deadline resumed"),
                            ("clock_extended", "Legal deadline extended"),
                            ("clock_recomputed", "Legal deadline recomputed"),
                            ("target_warned", "Service target in danger"),
                            ("target_breached", "Service target missed"),
                            ("target_recomputed", "Service target recomputed"),
                            ("informed", "Information letter sent"),
                            ("papers_requested", "Papers requested"),
                            ("papers_ended", "Request for papers ended"),
                            ("task_added", "Task added"),
                            ("task_changed", "Task changed"),
                            ("task_done", "Task done"),
                            ("task_approved", "Task approved"),
                            ("task_rejected", "Task not approved"),
                            ("task_cancelled", "Task cancelled"),
                            ("task_reopened", "Task taken up again"),
                            ("paper_ticked", "Paper of the checklist"),
                            ("migrated", "Taken to another version of its type"),
                            ("transfer_offered", "Transfer offered"),
                            ("transfer_returned", "Transfer returned"),
                            ("transfer_refused", "Transfer refused"),
                            ("transfer_expired", "Transfer expired"),
                            ("transfer_withdrawn", "Transfer withdrawn"),
                            ("transferred", "Transferred to another organisation"),
                            ("received", "Received from another organisation"),
                            ("consulted", "Question to another area"),
                            ("consultation_said", "Words on a question"),
                            ("consultation_answered", "Question answered"),
                            ("consultation_declined", "Question declined"),
                            ("consultation_extended", "More time to answer"),
                            ("consultation_withdrawn", "Question withdrawn"),
                            ("merged", "Merged into another case"),
                            ("merged_in", "Another case merged into it"),
                            ("unmerged", "Merge taken back"),
                            ("split", "Split"),
                            ("split_from", "Split off from another case"),
                        ],
                        max_length=40,
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor_kind", models.CharField(max_length=12)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(max_length=200)),
                ("on_behalf_of", models.CharField(db_default="", default="", max_length=200)),
                ("data", models.JSONField(default=dict)),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="cases.case",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "tx", "id"], name="event_feed"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "seq"), name="event_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Handover",
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
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "absence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.absence",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="handovers",
                        to="cases.case",
                    ),
                ),
                (
                    "given_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "handover",
                "indexes": [
                    models.Index(
                        condition=models.Q(("settled_at", None)),
                        fields=["absence"],
                        name="handover_not_settled",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at", None)),
                        fields=("case", "absence"),
                        name="handover_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("settled_at", None),
                            ("settled_at__gte", models.F("created_at")),
                            _connector="OR",
                        ),
                        name="handover_settled_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Import",
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
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("mapping", models.JSONField(default=dict)),
                ("file_name", models.CharField(max_length=200)),
                ("file_path", models.CharField(max_length=300)),
                ("file_sha256", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Being prepared"),
                            ("loading", "Loading"),
                            ("done", "Finished"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("dry_run", models.BooleanField(default=False)),
                ("total", models.IntegerField(default=0)),
                ("rows", models.IntegerField(default=0)),
                ("next_row", models.IntegerField(default=1)),
                ("inserted", models.IntegerField(default=0)),
                ("skipped", models.IntegerField(default=0)),
                ("bad", models.IntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("requested_by_name", models.CharField(max_length=200)),
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
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "indexes": [models.Index(fields=["organisation", "-id"], name="import_newest")],
            },
        ),
        migrations.CreateModel(
            name="ImportProblem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row", models.IntegerField()),
                ("external_id", models.CharField(blank=True, max_length=120)),
                ("reason", models.CharField(max_length=400)),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="problems",
                        to="cases.import",
                    ),
                ),
            ],
            options={
                "verbose_name": "row not imported",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("load", "row"), name="import_problem_once_per_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Link",
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
                            ("related", "Related"),
                            ("duplicate", "Duplicate of"),
                            ("parent", "Part of"),
                        ],
                        default="related",
                        max_length=10,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="cases.case",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links_back",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "link",
                "constraints": [
                    models.UniqueConstraint(fields=("case", "other"), name="link_once"),
                    models.CheckConstraint(
                        condition=models.Q(("case", models.F("other")), _negated=True),
                        name="link_to_another",
                    ),
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
                (
                    "direction",
                    models.CharField(
                        choices=[("in", "From the citizen"), ("out", "To the citizen")],
                        max_length=3,
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
                ("address", models.CharField(blank=True, max_length=300)),
                ("author_name", models.CharField(max_length=200)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("sent", "Sent"),
                            ("failed", "Not delivered"),
                            ("unknown", "Perhaps delivered"),
                            ("recorded", "Recorded"),
                        ],
                        max_length=10,
                    ),
                ),
                ("state_reason", models.CharField(blank=True, max_length=240)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "indexes": [models.Index(fields=["case", "-created_at"], name="message_of_case")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("body", ""), _negated=True),
                        name="message_says_something",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InformationLetter",
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
                ("automatic", models.BooleanField()),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_letter",
                        to="cases.case",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_letter",
                        to="cases.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "information letter",
            },
        ),
        migrations.CreateModel(
            name="Note",
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
                ("author_name", models.CharField(max_length=200)),
                ("body", models.TextField()),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "internal note",
                "indexes": [models.Index(fields=["case", "-created_at"], name="note_of_case")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("body", ""), _negated=True), name="note_says_something"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Paper",
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
                ("name", models.CharField(max_length=160, verbose_name="name")),
                ("position", models.PositiveSmallIntegerField()),
                ("required", models.BooleanField()),
                (
                    "source",
                    models.CharField(
                        choices=[("citizen", "Citizen"), ("administration", "Administration")],
                        max_length=14,
                    ),
                ),
                ("needed_by", models.CharField(blank=True, max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("missing", "Missing"),
                            ("received", "Received"),
                            ("not_needed", "Not needed"),
                            ("held", "The administration already has it"),
                        ],
                        default="missing",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=1000, verbose_name="reason")),
                ("ticked_by_name", models.CharField(blank=True, max_length=200)),
                ("ticked_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="cases.case",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="cases.document",
                    ),
                ),
            ],
            options={
                "verbose_name": "paper of the checklist",
                "constraints": [
                    models.UniqueConstraint(fields=("case", "code"), name="paper_once_per_case"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("document__isnull", False), ("state", "received")),
                            models.Q(
                                models.Q(("state", "received"), _negated=True), ("document", None)
                            ),
                            _connector="OR",
                        ),
                        name="paper_received_as_a_document",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["not_needed", "held"]), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="paper_spared_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PapersRequest",
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
                ("papers", models.TextField()),
                ("term", models.CharField(max_length=8)),
                ("notified_on", models.DateField()),
                ("due_on", models.DateField()),
                ("ended_on", models.DateField(null=True)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("brought", "Brought"),
                            ("not_brought", "Not brought"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers_requests",
                        to="cases.case",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers_request",
                        to="cases.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "request for papers",
                "verbose_name_plural": "requests for papers",
                "ordering": ("notified_on", "id"),
                "indexes": [
                    models.Index(fields=["case", "notified_on"], name="papers_request_of_case")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("papers", ""), _negated=True),
                        name="papers_request_says_what",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("due_on__gt", models.F("notified_on"))),
                        name="papers_request_gives_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end", ""), ("ended_on", None)),
                            models.Q(
                                ("ended_on__isnull", False), models.Q(("end", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="papers_request_ends_somehow",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_on", None)),
                        fields=("case",),
                        name="papers_requested_once_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Participant",
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
                    "role",
                    models.CharField(
                        choices=[
                            ("interested_party", "Interested party"),
                            ("applicant", "Applicant"),
                            ("representative", "Representative"),
                            ("witness", "Witness"),
                            ("other", "Other"),
                        ],
                        default="interested_party",
                        max_length=20,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participants",
                        to="cases.case",
                    ),
                ),
                (
                    "citizen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participations",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "participant",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("case", "citizen", "role"),
                        name="participant_once_per_role",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Procedure",
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
                ("form", models.JSONField(blank=True, default=dict)),
                (
                    "silence",
                    models.CharField(
                        choices=[
                            ("granted", "Granted by silence"),
                            ("denied", "Denied by silence"),
                            ("none", "No effect"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("informs", models.BooleanField(db_default=False, default=False)),
                ("appointment", models.BooleanField(default=False)),
                ("booking", models.CharField(blank=True, max_length=60)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="procedures",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="procedures",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "procedure",
                "verbose_name_plural": "procedures",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code"), name="procedure_code_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("booking", ""), ("appointment", True), _connector="OR"),
                        name="procedure_booking_is_an_appointment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Application",
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
                ("key", models.UUIDField(unique=True)),
                ("name", models.CharField(max_length=150, verbose_name="name")),
                ("surname1", models.CharField(max_length=100, verbose_name="first surname")),
                (
                    "surname2",
                    models.CharField(blank=True, max_length=100, verbose_name="second surname"),
                ),
                (
                    "identifier",
                    models.CharField(
                        blank=True, max_length=30, verbose_name="identification number"
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="email address")),
                ("phone", models.CharField(blank=True, max_length=30, verbose_name="phone")),
                ("answers", models.JSONField(default=dict)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="application",
                        to="cases.case",
                    ),
                ),
                (
                    "procedure",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="cases.procedure",
                    ),
                ),
            ],
            options={
                "verbose_name": "application",
                "verbose_name_plural": "applications",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", ""), _negated=True),
                        name="application_has_a_mailbox",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcedureEvent",
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
                ("code", models.SlugField(db_index=False, max_length=60, verbose_name="code")),
                ("form", models.JSONField(blank=True, default=dict)),
                (
                    "silence",
                    models.CharField(
                        choices=[
                            ("granted", "Granted by silence"),
                            ("denied", "Denied by silence"),
                            ("none", "No effect"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("informs", models.BooleanField(db_default=False, default=False)),
                ("appointment", models.BooleanField(default=False)),
                ("booking", models.CharField(blank=True, max_length=60)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        db_constraint=False,
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
                        to="cases.procedure",
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
            name="ProcedureText",
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
                ("language", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=160, verbose_name="name")),
                ("summary", models.CharField(max_length=400)),
                ("who", models.TextField(blank=True)),
                ("papers", models.TextField(blank=True)),
                ("term", models.CharField(blank=True, max_length=240)),
                ("fee", models.CharField(blank=True, max_length=240)),
                (
                    "search",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.contrib.postgres.search.CombinedSearchVector(
                            django.contrib.postgres.search.CombinedSearchVector(
                                django.contrib.postgres.search.SearchVector(
                                    "name", config="es", weight="A"
                                ),
                                "||",
                                django.contrib.postgres.search.SearchVector(
                                    "summary", config="es", weight="B"
                                ),
                                django.contrib.postgres.search.SearchConfig("es"),
                            ),
                            "||",
                            django.contrib.postgres.search.SearchVector(
                                "who", "papers", config="es", weight="C"
                            ),
                            django.contrib.postgres.search.SearchConfig("es"),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "procedure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="texts",
                        to="cases.procedure",
                    ),
                ),
            ],
            options={
                "verbose_name": "words of a procedure",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search"], name="procedure_text_search"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("procedure", "language"), name="procedure_text_once_per_language"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="procedure_text_has_a_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcedureTextEvent",
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
                ("language", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=160, verbose_name="name")),
                ("summary", models.CharField(max_length=400)),
                ("who", models.TextField(blank=True)),
                ("papers", models.TextField(blank=True)),
                ("term", models.CharField(blank=True, max_length=240)),
                ("fee", models.CharField(blank=True, max_length=240)),
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
                        to="cases.proceduretext",
                    ),
                ),
                (
                    "procedure",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cases.procedure",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReferenceCounter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.SmallIntegerField()),
                ("next", models.IntegerField(default=1)),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "year"), name="reference_counter_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Representation",
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
                    "act",
                    models.CharField(
                        choices=[
                            ("inform", "Be told how things stand"),
                            ("file", "Apply, declare and add papers"),
                            ("notify", "Receive notifications"),
                            ("withdraw", "Withdraw applications and waive rights"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="representations",
                        to="cases.case",
                    ),
                ),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="representation",
                        to="cases.event",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="citizens.citizen",
                    ),
                ),
                (
                    "mandate",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="representations",
                        to="citizens.mandate",
                    ),
                ),
            ],
            options={
                "verbose_name": "act through a representative",
                "verbose_name_plural": "acts through representatives",
                "indexes": [
                    models.Index(fields=["case", "-id"], name="representation_of_case"),
                    models.Index(fields=["holder", "case"], name="representation_by_holder"),
                    models.Index(fields=["mandate", "-id"], name="representation_by_mandate"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RepresentativeAccess",
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
                    "code",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="through",
                        to="cases.accesscode",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="citizens.citizen",
                    ),
                ),
            ],
            options={
                "verbose_name": "access of a representative",
                "verbose_name_plural": "accesses of representatives",
                "indexes": [models.Index(fields=["holder"], name="representative_access")],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
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
                    "audience",
                    models.CharField(
                        choices=[
                            ("own", "Only me"),
                            ("unit", "My unit"),
                            ("organisation", "The whole organisation"),
                        ],
                        max_length=12,
                        verbose_name="Who has it",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="Name")),
                ("expression", models.CharField(max_length=1000, verbose_name="Query")),
                (
                    "by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "As usual: by due date, or the newest first"),
                            ("due", "By due date"),
                            ("newest", "The newest first"),
                        ],
                        default="",
                        max_length=6,
                        verbose_name="Order",
                    ),
                ),
                ("columns", models.JSONField(default=list)),
                ("icon", models.CharField(default="bookmark", max_length=30, verbose_name="Icon")),
                ("linked", models.BooleanField(default=False)),
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
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "unit"), ("unit__isnull", False)),
                            models.Q(models.Q(("audience", "unit"), _negated=True), ("unit", None)),
                            _connector="OR",
                        ),
                        name="saved_view_of_a_unit_names_it",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "own"), _negated=True),
                            ("owner__isnull", False),
                            _connector="OR",
                        ),
                        name="saved_view_of_ones_own_has_an_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="saved_view_has_a_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("audience", "own")),
                        fields=("organisation", "owner", "name"),
                        name="saved_view_own_name_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("audience", "unit")),
                        fields=("unit", "name"),
                        name="saved_view_unit_name_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("audience", "organisation")),
                        fields=("organisation", "name"),
                        name="saved_view_organisation_name_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceTarget",
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
                    "measure",
                    models.CharField(
                        choices=[
                            ("first_answer", "First answer"),
                            ("next_answer", "Next answer"),
                            ("resolution", "Resolution"),
                        ],
                        max_length=14,
                    ),
                ),
                ("rule", models.JSONField()),
                ("minutes", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("warn_at", models.DateTimeField(null=True)),
                ("paused_at", models.DateTimeField(null=True)),
                ("warned_at", models.DateTimeField(null=True)),
                ("breached_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[("met", "Met"), ("missed", "Missed"), ("dropped", "Fell away")],
                        max_length=8,
                    ),
                ),
                ("margin", models.IntegerField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="service_targets",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "service target",
                "verbose_name_plural": "service targets",
                "ordering": ("started_at", "id"),
                "indexes": [
                    models.Index(fields=["case", "started_at"], name="service_target_of_case"),
                    models.Index(
                        condition=models.Q(
                            ("breached_at", None),
                            ("ended_at", None),
                            ("warn_at__isnull", False),
                            ("warned_at", None),
                        ),
                        fields=["warn_at"],
                        name="service_target_to_warn",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("breached_at", None), ("due_at__isnull", False), ("ended_at", None)
                        ),
                        fields=["due_at"],
                        name="service_target_to_breach",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("case", "measure"),
                        name="service_target_runs_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end", ""), ("ended_at", None)),
                            models.Q(
                                ("ended_at__isnull", False), models.Q(("end", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="service_target_ends_somehow",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("started_at")),
                            _connector="OR",
                        ),
                        name="service_target_runs_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("breached_at", None), ("due_at__isnull", False), _connector="OR"
                        ),
                        name="service_target_breached_by_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServicePause",
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
                ("category", models.SmallIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
                (
                    "target",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="cases.servicetarget",
                    ),
                ),
            ],
            options={
                "verbose_name": "pause of a service target",
                "ordering": ("starts_at", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at", None),
                            ("ends_at__gte", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="service_pause_runs_forward",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("target", "="),
                            (
                                models.Func(
                                    models.F("starts_at"),
                                    models.F("ends_at"),
                                    models.Value("[)"),
                                    function="tstzrange",
                                ),
                                "&&",
                            ),
                        ],
                        name="service_paused_once_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
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
                ("template", models.CharField(blank=True, max_length=40)),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                (
                    "instructions",
                    models.TextField(blank=True, max_length=4000, verbose_name="instructions"),
                ),
                ("term", models.CharField(blank=True, max_length=8)),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due date")),
                ("needs_approval", models.BooleanField(default=False)),
                (
                    "closing",
                    models.CharField(
                        blank=True,
                        choices=[("blocks", "It cannot end before"), ("warns", "It warns")],
                        max_length=6,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To do"),
                            ("review", "Waiting for approval"),
                            ("done", "Done"),
                            ("rejected", "Not approved"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("comment", models.CharField(blank=True, max_length=1000, verbose_name="comment")),
                ("done_by_name", models.CharField(blank=True, max_length=200)),
                ("done_at", models.DateTimeField(null=True)),
                ("reviewed_by_name", models.CharField(blank=True, max_length=200)),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=1000, verbose_name="reason")),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "due_sort",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce(
                            "due_at",
                            models.Value(
                                datetime.datetime(9999, 12, 30, 0, 0, tzinfo=datetime.UTC)
                            ),
                        ),
                        output_field=models.DateTimeField(),
                    ),
                ),
                (
                    "assignee",
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
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="cases.case",
                    ),
                ),
                (
                    "done_by",
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
                    "reviewed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "task",
                "indexes": [
                    models.Index(fields=["case", "id"], name="task_of_case"),
                    models.Index(
                        condition=models.Q(("state__in", ("open", "review", "rejected"))),
                        fields=["assignee", "due_sort", "id"],
                        name="task_mine",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("state__in", ("open", "review", "rejected")), ("unit__isnull", False)
                        ),
                        fields=["unit", "due_sort", "id"],
                        name="task_of_unit",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ("open", "review", "rejected"))),
                        fields=["organisation", "due_sort", "id"],
                        name="task_due",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True), name="task_has_a_title"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("template", ""), _negated=True),
                        fields=("case", "template"),
                        name="task_of_a_template_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at", None), ("state", "open")),
                            models.Q(
                                ("done_at__isnull", False),
                                ("state__in", ["review", "done", "rejected"]),
                            ),
                            ("state", "cancelled"),
                            _connector="OR",
                        ),
                        name="task_done_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewed_by", None),
                            models.Q(
                                ("done_by__isnull", False),
                                models.Q(("reviewed_by", models.F("done_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="task_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("needs_approval", False),
                            models.Q(("state__in", ["review", "done"]), _negated=True),
                            models.Q(
                                ("done_by__isnull", False),
                                ("reviewed_by", None),
                                ("state", "review"),
                            ),
                            models.Q(
                                ("done_by__isnull", False),
                                ("reviewed_by__isnull", False),
                                ("state", "done"),
                            ),
                            _connector="OR",
                        ),
                        name="task_done_when_approved",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("needs_approval", True),
                            models.Q(("state__in", ["review", "rejected"]), _negated=True),
                            _connector="OR",
                        ),
                        name="task_approved_only_if_asked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["rejected", "cancelled"]), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="task_refused_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "after",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="cases.task",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="cases.task",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("task", "after"), name="task_order_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionMigration",
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
                ("states", models.JSONField(default=dict)),
                ("fields", models.JSONField(default=dict)),
                ("fill", models.JSONField(default=dict)),
                ("total", models.IntegerField()),
                ("after", models.BigIntegerField(default=0)),
                ("done", models.IntegerField(default=0)),
                ("refused", models.IntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Finished"),
                            ("failed", "Failed"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                (
                    "case_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="migrations",
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
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.casetypeversion",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.casetypeversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "migration of cases to a version",
                "verbose_name_plural": "migrations of cases to a version",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "running")),
                        fields=("source",),
                        name="version_migration_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True),
                        name="version_migration_to_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionMigrationRefusal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=400)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
                (
                    "migration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="cases.versionmigration",
                    ),
                ),
            ],
            options={
                "verbose_name": "case not migrated",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("migration", "case"), name="version_migration_refusal_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ViewPlace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("pinned", models.BooleanField(default=False)),
                ("hidden", models.BooleanField(default=False)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "view",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to="cases.savedview",
                    ),
                ),
            ],
            options={
                "verbose_name": "place of a saved view",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "view"), name="view_place_once_per_person"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkProfile",
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
                ("capacity", models.PositiveSmallIntegerField(default=40)),
                ("share", models.PositiveSmallIntegerField(default=100)),
                (
                    "skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("last_given_at", models.DateTimeField(blank=True, null=True)),
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
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "work profile",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "user"), name="work_profile_once_per_person"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("share__range", (1, 100))),
                        name="work_profile_share_is_a_percentage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity__lte", 1000)),
                        name="work_profile_capacity_has_an_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Article",
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
                ("code", models.SlugField(max_length=80, verbose_name="code")),
                (
                    "language",
                    models.CharField(default="es", max_length=16, verbose_name="language"),
                ),
                ("review_on", models.DateField(verbose_name="review date")),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                        related_name="articles",
                        to="organisations.unit",
                    ),
                ),
                (
                    "procedures",
                    models.ManyToManyField(
                        blank=True, related_name="articles", to="cases.procedure"
                    ),
                ),
            ],
            options={
                "verbose_name": "article",
                "verbose_name_plural": "articles",
                "indexes": [
                    models.Index(
                        condition=models.Q(("retired_at", None)),
                        fields=["organisation", "review_on"],
                        name="article_review",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "code", "language"),
                        name="article_once_per_language",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ArticleEvent",
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
                ("code", models.SlugField(db_index=False, max_length=80, verbose_name="code")),
                (
                    "language",
                    models.CharField(default="es", max_length=16, verbose_name="language"),
                ),
                ("review_on", models.DateField(verbose_name="review date")),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                        to="cases.article",
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
            name="ArticleVersion",
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
                ("number", models.PositiveSmallIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("superseded", "Superseded"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("body", models.TextField()),
                ("author_name", models.CharField(max_length=200)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("published_by_name", models.CharField(blank=True, max_length=200)),
                (
                    "search",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.contrib.postgres.search.CombinedSearchVector(
                            django.contrib.postgres.search.SearchVector(
                                "title", config="es", weight="A"
                            ),
                            "||",
                            django.contrib.postgres.search.SearchVector(
                                "body", config="es", weight="B"
                            ),
                            django.contrib.postgres.search.SearchConfig("es"),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "article",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="cases.article",
                    ),
                ),
            ],
            options={
                "verbose_name": "version of an article",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search"], name="article_version_search"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("article", "number"), name="article_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "published")),
                        fields=("article",),
                        name="article_one_published",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "draft")),
                        fields=("article",),
                        name="article_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("published_at", None), ("status", "draft")),
                            models.Q(
                                models.Q(("status", "draft"), _negated=True),
                                ("published_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="article_version_published_iff_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("title", ""), _negated=True),
                            models.Q(("body", ""), _negated=True),
                        ),
                        name="article_version_says_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkAction",
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
                ("action", models.CharField(max_length=20)),
                ("arguments", models.JSONField(default=dict)),
                ("asked", models.CharField(blank=True, max_length=2000)),
                ("total", models.IntegerField(default=0)),
                ("looked", models.IntegerField(default=0)),
                ("done", models.IntegerField(default=0)),
                ("refused", models.IntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("checking", "Being looked through"),
                            ("ready", "Ready to start"),
                            ("running", "Running"),
                            ("done", "Finished"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        default="checking",
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apiclient",
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
                (
                    "undoes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undoings",
                        to="cases.bulkaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "bulk action",
                "verbose_name_plural": "bulk actions",
                "indexes": [
                    models.Index(
                        fields=["organisation", "requested_by", "-id"], name="bulk_newest"
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["checking", "running"])),
                        fields=["updated_at"],
                        name="bulk_working",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["checking", "ready", "running"])),
                        fields=("undoes",),
                        name="bulk_undone_by_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("client", None), ("requested_by__isnull", False)),
                            models.Q(("client__isnull", False), ("requested_by", None)),
                            _connector="OR",
                        ),
                        name="bulk_asked_for_by_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                (
                    "status",
                    models.SmallIntegerField(
                        choices=[(0, "Not tried"), (1, "Done"), (2, "Refused"), (3, "Undone")],
                        default=0,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("event", models.IntegerField(null=True)),
                ("before", models.JSONField(null=True)),
                (
                    "action",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="cases.bulkaction",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "case of a bulk action",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", 0)),
                        fields=["action", "number"],
                        name="bulk_row_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("action", "number"), name="bulk_row_number_once"
                    ),
                    models.UniqueConstraint(fields=("case", "action"), name="bulk_row_case_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceClock",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="service_clock",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                (
                    "measure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("first_answer", "First answer"),
                            ("next_answer", "Next answer"),
                            ("resolution", "Resolution"),
                        ],
                        max_length=14,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("danger_at", models.DateTimeField(null=True)),
                ("paused_at", models.DateTimeField(null=True)),
                ("breached", models.BooleanField(default=False)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "nearest service target",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["organisation", "due_at", "case"],
                        name="service_clock_due",
                    ),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["unit", "due_at", "case"],
                        name="service_clock_unit_due",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="articleversion",
            trigger=pgtrigger.compiler.Trigger(
                name="published_words_stay",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"status\" IN ('published', 'superseded'))",
                    func='RAISE EXCEPTION \'pgtrigger: Cannot update of "article_id", "number", "title", "body" rows from % table\', TG_TABLE_NAME;',
                    hash="5ce9c4c7b3c2f1f7d49ee1e773bf9e5e6f818170",
                    operation='UPDATE OF "article_id", "number", "title", "body"',
                    pgid="pgtrigger_published_words_stay_e78d7",
                    table="cases_articleversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="articleversion",
            trigger=pgtrigger.compiler.Trigger(
                name="published_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"status\" IN ('published', 'superseded'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="e604bf46b49c927702edfba1fbd43d9e5e73c24b",
                    operation="DELETE",
                    pgid="pgtrigger_published_stays_6ed17",
                    table="cases_articleversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="casetransfer",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="d8cd00b7ef123782d4da2769c00d53a89440b9b2",
                    operation="DELETE",
                    pgid="pgtrigger_kept_90755",
                    table="cases_casetransfer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="casetransfer",
            trigger=pgtrigger.compiler.Trigger(
                name="given_is_gone",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.received_case_id IS NOT NULL)",
                    constraint="CONSTRAINT",
                    func="IF (SELECT state FROM cases_case WHERE id = NEW.case_id) <> '-transferred' THEN RAISE EXCEPTION 'case % was given away and kept', NEW.case_id USING ERRCODE = 'check_violation'; END IF; RETURN NULL;",
                    hash="406897f02c737703f5d8e7a77e5590d79fc8a5e1",
                    operation='INSERT OR UPDATE OF "state", "received_case_id"',
                    pgid="pgtrigger_given_is_gone_2a822",
                    table="cases_casetransfer",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="casetypeversion",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"status\" IN ('published', 'retired'))",
                    func="IF TG_OP = 'UPDATE' AND NEW.bundle = OLD.bundle AND NEW.number = OLD.number AND NEW.case_type_id = OLD.case_type_id AND NEW.published_at = OLD.published_at AND (NEW.status = OLD.status OR OLD.status = 'published' AND NEW.status = 'retired') THEN RETURN NEW; END IF; RAISE EXCEPTION 'A published version of a case type is kept as it is';",
                    hash="9790279996737fe3a3784f3c926ebccf736ee13d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_kept_2ceb4",
                    table="cases_casetypeversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="service_clock_unit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."unit_id" IS DISTINCT FROM (NEW."unit_id"))',
                    func="UPDATE cases_serviceclock SET unit_id = NEW.unit_id WHERE case_id = NEW.id; RETURN NULL;",
                    hash="a10cae7f7db5deb514efb1dfaa3b05e91f37d09f",
                    operation='UPDATE OF "unit_id"',
                    pgid="pgtrigger_service_clock_unit_e8998",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."address" IS DISTINCT FROM (NEW."address") OR OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."case_type_id" IS DISTINCT FROM (NEW."case_type_id") OR OLD."category" IS DISTINCT FROM (NEW."category") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."citizen_id" IS DISTINCT FROM (NEW."citizen_id") OR OLD."closed_at" IS DISTINCT FROM (NEW."closed_at") OR OLD."confidentiality" IS DISTINCT FROM (NEW."confidentiality") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."data" IS DISTINCT FROM (NEW."data") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."due_at" IS DISTINCT FROM (NEW."due_at") OR OLD."external_id" IS DISTINCT FROM (NEW."external_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."language" IS DISTINCT FROM (NEW."language") OR OLD."latitude" IS DISTINCT FROM (NEW."latitude") OR OLD."longitude" IS DISTINCT FROM (NEW."longitude") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."outcome" IS DISTINCT FROM (NEW."outcome") OR OLD."priority" IS DISTINCT FROM (NEW."priority") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."suspended_on" IS DISTINCT FROM (NEW."suspended_on") OR OLD."type_version_id" IS DISTINCT FROM (NEW."type_version_id") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid") OR OLD."version" IS DISTINCT FROM (NEW."version"))',
                    func='INSERT INTO "cases_caseevent" ("address", "assignee_id", "case_type_id", "category", "channel", "citizen_id", "closed_at", "confidentiality", "created_at", "data", "description", "due_at", "external_id", "id", "language", "latitude", "longitude", "opened_at", "organisation_id", "outcome", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "reference", "source", "state", "subject", "suspended_on", "type_version_id", "unit_id", "updated_at", "uuid", "version") VALUES (OLD."address", OLD."assignee_id", OLD."case_type_id", OLD."category", OLD."channel", OLD."citizen_id", OLD."closed_at", OLD."confidentiality", OLD."created_at", OLD."data", OLD."description", OLD."due_at", OLD."external_id", OLD."id", OLD."language", OLD."latitude", OLD."longitude", OLD."opened_at", OLD."organisation_id", OLD."outcome", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."priority", OLD."reference", OLD."source", OLD."state", OLD."subject", OLD."suspended_on", OLD."type_version_id", OLD."unit_id", OLD."updated_at", OLD."uuid", OLD."version"); RETURN NULL;',
                    hash="448b61934796ebabe97b9d3a777d27875c1265cc",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f5146",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "cases_caseevent" ("address", "assignee_id", "case_type_id", "category", "channel", "citizen_id", "closed_at", "confidentiality", "created_at", "data", "description", "due_at", "external_id", "id", "language", "latitude", "longitude", "opened_at", "organisation_id", "outcome", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "priority", "reference", "source", "state", "subject", "suspended_on", "type_version_id", "unit_id", "updated_at", "uuid", "version") VALUES (OLD."address", OLD."assignee_id", OLD."case_type_id", OLD."category", OLD."channel", OLD."citizen_id", OLD."closed_at", OLD."confidentiality", OLD."created_at", OLD."data", OLD."description", OLD."due_at", OLD."external_id", OLD."id", OLD."language", OLD."latitude", OLD."longitude", OLD."opened_at", OLD."organisation_id", OLD."outcome", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."priority", OLD."reference", OLD."source", OLD."state", OLD."subject", OLD."suspended_on", OLD."type_version_id", OLD."unit_id", OLD."updated_at", OLD."uuid", OLD."version"); RETURN NULL;',
                    hash="1d6fc6bae86bc7ab1274fa9827751803e1154a7b",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_8d49e",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="custody_follows_unit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.unit_id IS DISTINCT FROM NEW.unit_id)",
                    declare="DECLARE moment timestamptz; began timestamptz;",
                    func="moment = COALESCE(NULLIF(current_setting('ventanilla.moment', true), '')::timestamptz, clock_timestamp()); IF NEW.state <> '-transferred' THEN UPDATE cases_custody SET until = GREATEST(moment, since) WHERE case_id = NEW.id AND until IS NULL RETURNING until INTO began; IF began IS NULL THEN began = GREATEST(moment, OLD.opened_at); INSERT INTO cases_custody (case_id, unit_id, since, until) VALUES (NEW.id, OLD.unit_id, OLD.opened_at, began); END IF; INSERT INTO cases_custody (case_id, unit_id, since) VALUES (NEW.id, NEW.unit_id, began); END IF; RETURN NULL;",
                    hash="083a0ce87338eb3a38a41b6022bbe8a66f3cda6e",
                    operation='UPDATE OF "unit_id"',
                    pgid="pgtrigger_custody_follows_unit_0a5e6",
                    table="cases_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="gone_is_given",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.state = '-transferred' OR OLD.state = '-transferred')",
                    constraint="CONSTRAINT",
                    func="IF (SELECT state FROM cases_case WHERE id = NEW.id) = '-transferred' AND NOT EXISTS (SELECT 1 FROM cases_casetransfer WHERE case_id = NEW.id AND received_case_id IS NOT NULL) OR OLD.state = '-transferred' AND NEW.state <> '-transferred' THEN RAISE EXCEPTION 'case % would have no responsible unit, or two', NEW.id USING ERRCODE = 'check_violation'; END IF; RETURN NULL;",
                    hash="feee6cc3a759bb107375f53f83f18f0f5fd41fc0",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_gone_is_given_ebe3b",
                    table="cases_case",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clockinterval",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="e6897129674f2f5bf5386ac0b82be2f9c102c36c",
                    operation="DELETE",
                    pgid="pgtrigger_kept_db941",
                    table="cases_clockinterval",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clockinterval",
            trigger=pgtrigger.compiler.Trigger(
                name="case_knows",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="UPDATE cases_case SET suspended_on = (SELECT starts_on FROM cases_clockinterval WHERE case_id = NEW.case_id AND kind = 'suspended' AND ends_on IS NULL) WHERE id = NEW.case_id; RETURN NULL;",
                    hash="ff83f62fc844f8ed2767e55c49d39186f1140945",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_case_knows_a865f",
                    table="cases_clockinterval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consultation",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="4778e744b32298af6675170d6cf1b67083375c75",
                    operation="DELETE",
                    pgid="pgtrigger_kept_db2e8",
                    table="cases_consultation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consultationword",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="bcd46089666870b21510866056dbfe5c4e7e649b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_fa4c0",
                    table="cases_consultationword",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custody",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="44155676b93acadd4699d5e98b7b83327df56c61",
                    operation="DELETE",
                    pgid="pgtrigger_kept_81738",
                    table="cases_custody",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="custody",
            trigger=pgtrigger.compiler.Trigger(
                name="told_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.until IS NOT NULL)",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="b252b78c5049cab2353c029b698486a1da0127a2",
                    operation="UPDATE",
                    pgid="pgtrigger_told_once_238da",
                    table="cases_custody",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="event",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="6da6c696218a049a2212a5a887b4b07a92d15638",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_6207c",
                    table="cases_event",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="informationletter",
            trigger=pgtrigger.compiler.Trigger(
                name="once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ea15b0fc89b31553b9a46a40cc8802385a11aeb1",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_once_a1ca2",
                    table="cases_informationletter",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paper",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="9ef30a3982062b8c30843920cd8ed763266ff9e8",
                    operation="DELETE",
                    pgid="pgtrigger_kept_c09cb",
                    table="cases_paper",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="papersrequest",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="d379a9b6464385e3428f5efd1575d06556bb203b",
                    operation="DELETE",
                    pgid="pgtrigger_kept_6a0a0",
                    table="cases_papersrequest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="procedure",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "cases_procedureevent" ("appointment", "booking", "case_type_id", "code", "created_at", "form", "id", "informs", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "silence", "status", "unit_id", "updated_at", "uuid") VALUES (OLD."appointment", OLD."booking", OLD."case_type_id", OLD."code", OLD."created_at", OLD."form", OLD."id", OLD."informs", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."silence", OLD."status", OLD."unit_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="46200de752102d8d9ea946708b1decbb11cb0a95",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_87d8f",
                    table="cases_procedure",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="procedure",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "cases_procedureevent" ("appointment", "booking", "case_type_id", "code", "created_at", "form", "id", "informs", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "silence", "status", "unit_id", "updated_at", "uuid") VALUES (OLD."appointment", OLD."booking", OLD."case_type_id", OLD."code", OLD."created_at", OLD."form", OLD."id", OLD."informs", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."silence", OLD."status", OLD."unit_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="872ed0b40895aff34bf331d18f36ae893eb196af",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_3e64c",
                    table="cases_procedure",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="article",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "cases_articleevent" ("code", "created_at", "id", "language", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired_at", "review_on", "unit_id", "updated_at", "uuid") VALUES (OLD."code", OLD."created_at", OLD."id", OLD."language", OLD."organisation_id", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."retired_at", OLD."review_on", OLD."unit_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="99415d14572718cd48f6ed17dc26e3b67465b4bd",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_63579",
                    table="cases_article",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="article",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "cases_articleevent" ("code", "created_at", "id", "language", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired_at", "review_on", "unit_id", "updated_at", "uuid") VALUES (OLD."code", OLD."created_at", OLD."id", OLD."language", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."retired_at", OLD."review_on", OLD."unit_id", OLD."updated_at", OLD."uuid"); RETURN NULL;',
                    hash="e05d5cd91ff8266a6554439880b0c089f40e5f34",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_6806a",
                    table="cases_article",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proceduretext",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."fee" IS DISTINCT FROM (NEW."fee") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."language" IS DISTINCT FROM (NEW."language") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."papers" IS DISTINCT FROM (NEW."papers") OR OLD."procedure_id" IS DISTINCT FROM (NEW."procedure_id") OR OLD."summary" IS DISTINCT FROM (NEW."summary") OR OLD."term" IS DISTINCT FROM (NEW."term") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."uuid" IS DISTINCT FROM (NEW."uuid") OR OLD."who" IS DISTINCT FROM (NEW."who"))',
                    func='INSERT INTO "cases_proceduretextevent" ("created_at", "fee", "id", "language", "name", "papers", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "procedure_id", "summary", "term", "updated_at", "uuid", "who") VALUES (OLD."created_at", OLD."fee", OLD."id", OLD."language", OLD."name", OLD."papers", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."procedure_id", OLD."summary", OLD."term", OLD."updated_at", OLD."uuid", OLD."who"); RETURN NULL;',
                    hash="0ef66feab377780155034f5bf934d5ef460b3164",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_5b34f",
                    table="cases_proceduretext",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proceduretext",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "cases_proceduretextevent" ("created_at", "fee", "id", "language", "name", "papers", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "procedure_id", "summary", "term", "updated_at", "uuid", "who") VALUES (OLD."created_at", OLD."fee", OLD."id", OLD."language", OLD."name", OLD."papers", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."procedure_id", OLD."summary", OLD."term", OLD."updated_at", OLD."uuid", OLD."who"); RETURN NULL;',
                    hash="623e9d3ed30c691f675a8a9d3f08e7226dce2225",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_22e27",
                    table="cases_proceduretext",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="representation",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="929e2dc27f54076f10b5ea74ae4f582c274c8a31",
                    operation="DELETE",
                    pgid="pgtrigger_kept_6ffbb",
                    table="cases_representation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="representation",
            trigger=pgtrigger.compiler.Trigger(
                name="stands",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."case_id" IS DISTINCT FROM (NEW."case_id") OR OLD."event_id" IS DISTINCT FROM (NEW."event_id") OR OLD."mandate_id" IS DISTINCT FROM (NEW."mandate_id") OR OLD."act" IS DISTINCT FROM (NEW."act"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="79f91349548d1798368aa733225d0c64d7f63d26",
                    operation="UPDATE",
                    pgid="pgtrigger_stands_8b597",
                    table="cases_representation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="servicetarget",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="b11f58ae8509b6923ba4c6f319210500dd8970f9",
                    operation="DELETE",
                    pgid="pgtrigger_kept_4fc25",
                    table="cases_servicetarget",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="task",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="69b7c848f5f1a22a9ed02d50ec591095148fa9f7",
                    operation="DELETE",
                    pgid="pgtrigger_kept_3701a",
                    table="cases_task",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="taskorder",
            trigger=pgtrigger.compiler.Trigger(
                name="in_one_case_and_no_circle",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE own bigint; other bigint;",
                    func="\n                    SELECT case_id INTO own FROM cases_task WHERE id = NEW.task_id;\n                    SELECT case_id INTO other FROM cases_task WHERE id = NEW.after_id;\n                    IF own <> other THEN\n                        RAISE EXCEPTION 'the tasks are of two cases'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'task_order_in_one_case';\n                    END IF;\n                    PERFORM 1 FROM cases_case WHERE id = own FOR NO KEY UPDATE;\n                    IF EXISTS (\n                        WITH RECURSIVE before(id) AS (\n                            SELECT NEW.after_id\n                            UNION\n                            SELECT o.after_id FROM cases_taskorder o JOIN before b ON o.task_id = b.id\n                        )\n                        SELECT 1 FROM before WHERE id = NEW.task_id\n                    ) THEN\n                        RAISE EXCEPTION 'the task would come after itself'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'task_order_no_circle';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="61da23d499774b42a04f5c22ba2f7923a35b1f66",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_in_one_case_and_no_circle_170d3",
                    table="cases_taskorder",
                    when="BEFORE",
                ),
            ),
        ),
    ]

import datetime

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import crm.kit.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_audit_alone"),
        ("organisations", "0002_names_in_the_plural"),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
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
                    "mail",
                    models.CharField(
                        choices=[
                            ("none", "No e-mail"),
                            ("now", "At once"),
                            ("hourly", "Every hour, together"),
                            ("daily", "Once a day, together"),
                        ],
                        max_length=8,
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organisation", "user", "mail", "-created_at"], name="news_digest"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Habits",
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
                ("quiet_from", models.TimeField(blank=True, null=True, verbose_name="from")),
                ("quiet_to", models.TimeField(blank=True, null=True, verbose_name="to")),
                (
                    "daily_at",
                    models.TimeField(
                        default=datetime.time(8, 0), verbose_name="hour of the daily e-mail"
                    ),
                ),
                ("switches", models.JSONField(blank=True, default=dict)),
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "user"), name="news_habits_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("quiet_from", None), ("quiet_to", None)),
                            models.Q(("quiet_from__isnull", False), ("quiet_to__isnull", False)),
                            _connector="OR",
                        ),
                        name="news_quiet_has_two_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
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
                ("kind", models.CharField(max_length=40)),
                ("thing", models.CharField(max_length=40)),
                ("thing_id", models.UUIDField()),
                ("key", models.CharField(max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("in_console", models.BooleanField(default=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mail",
                    models.CharField(
                        choices=[
                            ("none", "No e-mail"),
                            ("now", "At once"),
                            ("hourly", "Every hour, together"),
                            ("daily", "Once a day, together"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                (
                    "digest",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="news",
                        to="notices.digest",
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "update",
                "verbose_name_plural": "updates",
                "indexes": [
                    models.Index(
                        condition=models.Q(("in_console", True)),
                        fields=["organisation", "user", "-id"],
                        name="news_of_person",
                    ),
                    models.Index(
                        condition=models.Q(("in_console", True), ("read_at", None)),
                        fields=["organisation", "user", "thing_id"],
                        name="news_unread",
                    ),
                    models.Index(
                        condition=models.Q(
                            models.Q(("mail", "none"), _negated=True),
                            ("digest", None),
                            ("read_at", None),
                        ),
                        fields=["organisation", "user"],
                        name="news_mail_owed",
                    ),
                    models.Index(fields=["created_at"], name="news_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "user", "key"), name="news_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Choice",
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
                ("kind", models.CharField(max_length=40)),
                ("console", models.BooleanField(default=True)),
                (
                    "mail",
                    models.CharField(
                        choices=[
                            ("none", "No e-mail"),
                            ("now", "At once"),
                            ("hourly", "Every hour, together"),
                            ("daily", "Once a day, together"),
                        ],
                        default="none",
                        max_length=8,
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "user", "kind"), name="news_choice_once"
                    )
                ],
            },
        ),
    ]

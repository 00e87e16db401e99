import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.DeleteModel(name="Seal"),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("generation", models.UUIDField()),
                ("id_floor", models.BigIntegerField()),
                ("tx_from", models.BigIntegerField()),
                ("tx_to", models.BigIntegerField()),
                ("count", models.IntegerField()),
                ("total", models.BigIntegerField()),
                (
                    "ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                (
                    "organisation_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(null=True), size=None
                    ),
                ),
                (
                    "digests",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BinaryField(), size=None
                    ),
                ),
                ("previous", models.BinaryField()),
                ("root", models.BinaryField()),
                (
                    "sealed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="data",
            field=models.JSONField(
                db_default={},
                default=dict,
                encoder=django.core.serializers.json.DjangoJSONEncoder,
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                fields=["organisation_id", "-at", "-id"],
                condition=models.Q(("result", "done"), _negated=True),
                name="audit_not_done",
            ),
        ),
    ]

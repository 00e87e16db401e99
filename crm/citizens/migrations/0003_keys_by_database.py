import django.contrib.postgres.indexes
import django.contrib.postgres.search
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import crm.citizens.models


class Migration(migrations.Migration):
    dependencies = [
        ("citizens", "0002_initial"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="citizen",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="citizen",
            name="delete_delete",
        ),
        migrations.RemoveIndex(
            model_name="nameword",
            name="name_word_alike",
        ),
        migrations.RemoveField(
            model_name="citizenevent",
            name="name_key",
        ),
        migrations.RemoveField(
            model_name="citizenevent",
            name="surname1_key",
        ),
        migrations.RemoveField(
            model_name="citizenevent",
            name="surname2_key",
        ),
        migrations.RemoveIndex(
            model_name="citizen",
            name="citizen_surnames",
        ),
        migrations.RemoveIndex(
            model_name="citizen",
            name="citizen_name",
        ),
        migrations.RemoveIndex(
            model_name="citizen",
            name="citizen_words",
        ),
        migrations.RemoveField(
            model_name="citizen",
            name="words",
        ),
        migrations.RemoveField(
            model_name="citizen",
            name="name_key",
        ),
        migrations.RemoveField(
            model_name="citizen",
            name="surname1_key",
        ),
        migrations.RemoveField(
            model_name="citizen",
            name="surname2_key",
        ),
        migrations.AddField(
            model_name="citizen",
            name="name_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=crm.citizens.models.Folded("name"),
                output_field=models.TextField(db_collation="C"),
            ),
        ),
        migrations.AddField(
            model_name="citizen",
            name="surname1_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=crm.citizens.models.Folded("surname1"),
                output_field=models.TextField(db_collation="C"),
            ),
        ),
        migrations.AddField(
            model_name="citizen",
            name="surname2_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=crm.citizens.models.Folded("surname2"),
                output_field=models.TextField(db_collation="C"),
            ),
        ),
        migrations.AddField(
            model_name="citizen",
            name="words",
            field=models.GeneratedField(
                db_persist=True,
                expression=crm.citizens.models.Words("name", "surname1", "surname2"),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            model_name="citizen",
            index=models.Index(
                fields=["surname1_key", "surname2_key", "name_key", "id"], name="citizen_surnames"
            ),
        ),
        migrations.AddIndex(
            model_name="citizen",
            index=models.Index(fields=["name_key", "id"], name="citizen_name"),
        ),
        migrations.AddIndex(
            model_name="citizen",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="citizen_words"),
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
    ]

"""The audit tables as the law wants them: entries by year, nothing ever changed or removed.

The table of 0001 becomes one partitioned by year, so that retention drops a year whole. Every row
trigger of the parent holds for its partitions; TRUNCATE needs a trigger on each, which
`audit_make_partition` gives it.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: the audit trail is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

PARTITION = """
ALTER TABLE audit_auditentry RENAME TO audit_entry_before;
CREATE TABLE audit_auditentry (
    LIKE audit_entry_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING IDENTITY
) PARTITION BY RANGE (at);
"""

MAKE_PARTITION = """
CREATE FUNCTION audit_make_partition(year integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'audit_auditentry_' || coalesce(year::text, 'other');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    IF year IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF audit_auditentry DEFAULT', partition);
    ELSE
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF audit_auditentry FOR VALUES FROM (%L) TO (%L)',
            partition, year || '-01-01 00:00Z', (year + 1) || '-01-01 00:00Z');
    END IF;
    EXECUTE format(
        'CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON %I'
        ' EXECUTE FUNCTION audit_refuse_change()', partition);
END $$;
SELECT audit_make_partition(NULL);
SELECT audit_make_partition(year)
FROM generate_series(extract(year FROM now())::int - 2, extract(year FROM now())::int + 1) year;
"""

KEYS = """
INSERT INTO audit_auditentry SELECT * FROM audit_entry_before;
SELECT setval(pg_get_serial_sequence('audit_auditentry', 'id'), max(id))
FROM audit_entry_before HAVING max(id) IS NOT NULL;
DROP TABLE audit_entry_before;
ALTER TABLE audit_auditentry ADD CONSTRAINT audit_auditentry_pkey PRIMARY KEY (id, at);
CREATE INDEX audit_by_time ON audit_auditentry (organisation_id, at DESC, id DESC);
CREATE INDEX audit_by_object ON audit_auditentry (object_type, object_id, at DESC);
CREATE INDEX audit_by_actor ON audit_auditentry (organisation_id, actor_id, at DESC);
CREATE INDEX audit_by_transaction ON audit_auditentry (tx, id);
CREATE INDEX audit_not_done ON audit_auditentry (organisation_id, at DESC, id DESC)
    WHERE NOT (result = 'done');
"""

TRIGGERS = """
CREATE TRIGGER audit_never_changed BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON audit_auditentry
    EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_never_changed BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON audit_seal
    EXECUTE FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_seals_name_their_entries")]

    # The state stays: what Django knows of the table (columns, indexes) is still true. Its key is
    # (id, at) in the database and id in the model, which nothing points at.
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(REFUSE),
                migrations.RunSQL(PARTITION),
                migrations.RunSQL(MAKE_PARTITION),
                migrations.RunSQL(KEYS),
                migrations.RunSQL(TRIGGERS),
            ],
        ),
    ]

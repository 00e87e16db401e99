"""A case that was merged into another rests: nothing is written to it."""

from django.db import migrations

# after the statement's foreign keys were checked, which wait for a merge of the same case
ROWS = """
CREATE FUNCTION cases_merged_rests_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    EXECUTE format('SELECT m.merged_id FROM new_rows n JOIN cases_casemerge m ON m.merged_id = n.%I'
        ' WHERE m.undone_at IS NULL AND m.kind = ''merge'' LIMIT 1', TG_ARGV[0]) INTO found;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'case % was merged into another', found USING ERRCODE = '40001';
    END IF;
    RETURN NULL;
END $$
"""
ROW = """
CREATE FUNCTION cases_merged_rests_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE asked bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
BEGIN
    PERFORM 1 FROM cases_case WHERE id = asked FOR KEY SHARE;
    PERFORM 1 FROM cases_casemerge WHERE merged_id = asked AND undone_at IS NULL AND kind = 'merge';
    IF FOUND THEN
        RAISE EXCEPTION 'case % was merged into another', asked USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
END $$
"""


class Migration(migrations.Migration):
    replaces = [("cases", "0021_case_merges")]

    dependencies = [("cases", "0001_squashed")]

    operations = [
        migrations.RunSQL(ROWS, "DROP FUNCTION cases_merged_rests_rows() CASCADE"),
        migrations.RunSQL(ROW, "DROP FUNCTION cases_merged_rests_row() CASCADE"),
    ]

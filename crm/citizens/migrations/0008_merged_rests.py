"""What was merged into another rests: nothing is written to it, and its address leads on."""

from django.db import migrations

SURVIVOR = """
CREATE FUNCTION citizens_survivor(asked uuid) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH RECURSIVE way (id, next) AS (
        SELECT id, merged_into_id FROM citizens_citizen WHERE uuid = asked
        UNION SELECT c.id, c.merged_into_id FROM citizens_citizen c JOIN way ON c.id = way.next)
    SELECT id FROM way WHERE next IS NULL
$$
"""
# after the statement's foreign keys were checked, which wait for a merge of the same person
ROWS = """
CREATE FUNCTION citizens_merged_rests_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    EXECUTE format('SELECT c.id FROM new_rows n JOIN citizens_citizen c ON c.id = n.%I'
        ' WHERE c.merged_into_id IS NOT NULL LIMIT 1', TG_ARGV[0]) INTO found;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'citizen % was merged into another', found USING ERRCODE = '40001';
    END IF;
    RETURN NULL;
END $$
"""
ROW = """
CREATE FUNCTION citizens_merged_rests_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE asked bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint; into_ bigint;
BEGIN
    SELECT merged_into_id INTO into_ FROM citizens_citizen WHERE id = asked FOR KEY SHARE;
    IF into_ IS NOT NULL THEN
        RAISE EXCEPTION 'citizen % was merged into another', asked USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
END $$
"""
# what stays with a merged record rests as well
KEPT = """
CREATE FUNCTION citizens_merged_rests_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT merged_into_id FROM citizens_citizen WHERE id = OLD.citizen_id) IS NOT NULL THEN
        RAISE EXCEPTION 'citizen % was merged into another', OLD.citizen_id USING ERRCODE = '40001';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
"""
_KEPT_OF = ("citizens_citizenrecord", "citizens_identifier", "citizens_contactpoint")
_FUNCTIONS = (
    "citizens_survivor(uuid)",
    "citizens_merged_rests_rows()",
    "citizens_merged_rests_row()",
    "citizens_merged_rests_kept()",
)


class Migration(migrations.Migration):
    replaces = [("citizens", "0008_merges")]

    dependencies = [("citizens", "0001_squashed")]

    operations = [
        *(
            migrations.RunSQL(create, f"DROP FUNCTION {name} CASCADE")
            for create, name in zip((SURVIVOR, ROWS, ROW, KEPT), _FUNCTIONS, strict=True)
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER merged_rests_kept BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION citizens_merged_rests_kept()",
                f"DROP TRIGGER merged_rests_kept ON {table}",
            )
            for table in _KEPT_OF
        ),
    ]

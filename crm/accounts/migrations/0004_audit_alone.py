"""Whoever has the role for audit has no other (RD 311/2022 op.acc.3.R1), whatever door it comes by."""

from django.db import migrations

CREATE = """
CREATE FUNCTION accounts_audit_alone(who bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- two transactions that each give one role to the same person must see each other
    PERFORM 1 FROM accounts_user WHERE id = who FOR NO KEY UPDATE;
    IF (SELECT bool_or(r.exclusive) AND count(DISTINCT r.id) > 1
        FROM accounts_user_groups g
        JOIN accounts_roleplace p ON p.group_id = g.group_id
        JOIN accounts_role r ON r.id = p.role_id
        WHERE g.user_id = who) THEN
        RAISE EXCEPTION 'the role for audit combines with no other (user %)', who
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_audit_alone';
    END IF;
END $$;

CREATE FUNCTION accounts_audit_alone_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_audit_alone(NEW.user_id);
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_audit_alone_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_audit_alone(g.user_id) FROM accounts_user_groups g
        WHERE g.group_id = NEW.group_id ORDER BY g.user_id;
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_audit_alone_role() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_audit_alone(g.user_id) FROM accounts_user_groups g
        JOIN accounts_roleplace p ON p.group_id = g.group_id
        WHERE p.role_id = NEW.id ORDER BY g.user_id;
    RETURN NULL;
END $$;

CREATE TRIGGER accounts_audit_alone AFTER INSERT OR UPDATE ON accounts_user_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_alone_group();
CREATE TRIGGER accounts_audit_alone AFTER INSERT OR UPDATE OF role_id, group_id ON accounts_roleplace
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_alone_place();
CREATE TRIGGER accounts_audit_alone AFTER UPDATE OF exclusive ON accounts_role
    FOR EACH ROW WHEN (NEW.exclusive AND NOT OLD.exclusive)
    EXECUTE FUNCTION accounts_audit_alone_role();
"""

DROP = """
DROP TRIGGER accounts_audit_alone ON accounts_user_groups;
DROP TRIGGER accounts_audit_alone ON accounts_roleplace;
DROP TRIGGER accounts_audit_alone ON accounts_role;
DROP FUNCTION accounts_audit_alone_group();
DROP FUNCTION accounts_audit_alone_place();
DROP FUNCTION accounts_audit_alone_role();
DROP FUNCTION accounts_audit_alone(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_squashed")]

    operations = [migrations.RunSQL(CREATE, DROP)]

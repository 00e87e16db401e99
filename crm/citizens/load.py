"""Citizens by the million for measurements: made in the database, the same for the same seed."""

from django.db import connection, transaction

from crm.citizens.names import MEN, STREETS, SURNAMES, WOMEN
from crm.kit.dice import Dice, twice

BATCH = 50_000
NIF_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def generate_citizens(organisation_id: int, count: int, seed: str = "ventanilla") -> None:
    """So many more natural persons are known to the organisation, with NIF, telephone and e-mail."""
    done = 0
    while done < count:
        size = min(BATCH, count - done)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM citizens_citizen")
            first = cursor.fetchone()[0] + 1
            _insert(cursor, organisation_id, first, first + size - 1, Dice(seed))
        done += size


def _insert(cursor: object, organisation_id: int, first: int, last: int, dice: Dice) -> None:
    execute = cursor.execute  # type: ignore[attr-defined]
    execute(
        f"""
        INSERT INTO citizens_citizen
          (id, uuid, kind, name, surname1, surname2, birth_date, updated_at)
        SELECT g, gen_random_uuid(), 'natural_person',
          CASE WHEN {dice.unit("sex")} < 0.51 THEN {dice.pick("name", 2)}
               ELSE {dice.pick("name", 2)} END,
          {dice.pick("one", 8)}, {dice.pick("two", 8)},
          date '2008-01-01' - {dice.below(31_000, "born")}, now()
        FROM generate_series(%s, %s) g
        """,
        [*twice(WOMEN, MEN, SURNAMES, SURNAMES), first, last],
    )
    execute("SELECT setval('citizens_citizen_id_seq', %s)", [last])
    execute(
        """
        INSERT INTO citizens_citizenrecord
          (uuid, organisation_id, citizen_id, language, preferred_channel, accessibility_needs,
           protected, protected_reason, updated_at)
        SELECT gen_random_uuid(), %s, g, 'es', '', '{}', false, '', now()
        FROM generate_series(%s, %s) g
        """,
        [organisation_id, first, last],
    )
    execute(
        """
        INSERT INTO citizens_identifier (uuid, citizen_id, kind, value, country, verified_by, updated_at)
        SELECT gen_random_uuid(), g, 'nif',
          lpad(n::text, 8, '0') || substr(%s, n %% 23 + 1, 1), 'ES', '', now()
        FROM (SELECT g, (40000000 + g)::int AS n FROM generate_series(%s, %s) g) numbered
        """,
        [NIF_LETTERS, first, last],
    )
    execute(
        f"""
        INSERT INTO citizens_contactpoint (uuid, organisation_id, citizen_id, channel, address,
          address_key, postal_code, municipality, locality, preferred, quality, updated_at)
        SELECT gen_random_uuid(), %s, g, 'phone', p, p, '', '', '', true, 'good', now()
        FROM (SELECT g, '+346' || lpad(({dice.below(100_000_000, "phone")})::text, 8, '0') AS p
              FROM generate_series(%s, %s) g) phones
        UNION ALL
        SELECT gen_random_uuid(), %s, g, 'post',
          {dice.pick("street")} || ', ' || (1 + {dice.below(90, "door")}), '', '28001', '28079',
          'Madrid', false, 'unsure', now()
        FROM generate_series(%s, %s) g
        UNION ALL
        SELECT gen_random_uuid(), %s, g, 'email', e, e, '', '', '', false, 'good', now()
        FROM (SELECT g, 'persona' || g || '@ciudadania.example' AS e
              FROM generate_series(%s, %s) g WHERE g %% 2 = 0) mails
        """,
        [
            organisation_id,
            first,
            last,
            organisation_id,
            *twice(STREETS),
            first,
            last,
            organisation_id,
            first,
            last,
        ],
    )

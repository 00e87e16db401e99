"""Cases by the million for measurements: made in the database, the same for the same seed.

Over 500 days, most of them ended, as an organisation's books look. Nobody did these acts, so the
audit trail has no entries of them.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from cases import numbers
from cases.models import CaseTypeVersion, StateCategory
from cases.words import COMMON, MATTERS, RARE
from cases.workflow import of_version
from crm.accounts.models import Membership
from crm.citizens.names import STREETS
from crm.kit.dice import Dice, twice
from crm.organisations.models import Organisation, Unit

BATCH = 25_000
DAYS = 500


@dataclass(frozen=True)
class Cast:
    """What the made-up cases are spread over, as arrays for SQL."""

    organisation: Organisation
    units: list[int]
    people: list[int]
    citizens: int  # highest id
    types: list[int]
    versions: list[int]
    states: list[list[str]]  # per type, a state code for each category


def generate_cases(organisation: Organisation, count: int, seed: str = "ventanilla") -> None:
    """So many more cases of the organisation, spread over its open units, people and citizens."""
    cast = _cast(organisation)
    done = 0
    while done < count:
        size = min(BATCH, count - done)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM cases_case")
            first = cursor.fetchone()[0] + 1
            _insert(cursor, cast, first, first + size - 1, Dice(seed))
        done += size


def _cast(organisation: Organisation) -> Cast:
    versions = list(
        CaseTypeVersion.objects.filter(
            case_type__organisation=organisation, status=CaseTypeVersion.Status.PUBLISHED
        ).order_by("pk")
    )
    states = []
    for version in versions:
        by_category = {s.category: s.code for s in of_version(version.bundle).states.values()}
        fallback = by_category.get(StateCategory.OPEN) or next(iter(by_category.values()))
        states.append([by_category.get(category, fallback) for category in StateCategory])
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM citizens_citizen")
        highest = cursor.fetchone()[0]
    units = Unit.objects.unscoped("made-up load").filter(organisation=organisation, closed_on=None)
    members = Membership.objects.unscoped("made-up load").filter(
        organisation=organisation, ended_at=None
    )
    return Cast(
        organisation,
        list(units.order_by("pk").values_list("pk", flat=True)),
        list(members.order_by("user_id").values_list("user_id", flat=True)),
        highest,
        [version.case_type_id for version in versions],
        [version.pk for version in versions],
        states,
    )


def _insert(cursor: object, cast: Cast, first: int, last: int, dice: Dice) -> None:
    execute = cursor.execute  # type: ignore[attr-defined]
    execute("DROP TABLE IF EXISTS load_set")
    execute(
        f"""
        CREATE TEMPORARY TABLE load_set ON COMMIT DROP AS
        SELECT g, opened, age, open_now,
          1 + {dice.below("cardinality(%s::bigint[])", "type")} AS type,
          CASE WHEN open_now THEN {dice.below(4, "category")}
               ELSE 4 + {dice.below(2, "category")} END AS category,
          row_number() OVER (PARTITION BY year ORDER BY opened, g) AS place, year
        FROM (
          SELECT g, opened, age, {numbers.LOCAL_YEAR.format(moment="opened")} AS year,
            {dice.unit("open")} < CASE WHEN age < 12 THEN 0.85 WHEN age < 60 THEN 0.12 ELSE 0.01 END
              AS open_now
          FROM (
            SELECT g, now() - make_interval(secs => {dice.unit("opened")} * {DAYS} * 86400) AS opened,
              {dice.unit("opened")} * {DAYS} AS age
            FROM generate_series(%s, %s) g) dated) aged
        """,
        [cast.types, cast.organisation.pk, first, last],
    )
    execute("SELECT year, min(opened), count(*) FROM load_set GROUP BY year ORDER BY year")
    for year, moment, size in cursor.fetchall():  # type: ignore[attr-defined]
        _year, base = numbers.take(cast.organisation.pk, moment, size)
        execute("UPDATE load_set SET place = place + %s - 1 WHERE year = %s", [base, year])
    execute(
        f"""
        INSERT INTO cases_case (id, uuid, organisation_id, reference, case_type_id, type_version_id,
          state, category, unit_id, assignee_id, citizen_id, subject, description, priority,
          confidentiality, channel, language, address, latitude, longitude, data, outcome, source,
          opened_at, due_at, closed_at, version, last_event, updated_at)
        SELECT g, gen_random_uuid(), %s, %s || '-' || year || '-' || lpad(place::text, 7, '0'),
          (%s::bigint[])[type], (%s::bigint[])[type], (%s::text[][])[type][category + 1], category,
          (%s::bigint[])[1 + {dice.below("cardinality(%s::bigint[])", "unit")}],
          CASE WHEN {dice.unit("assigned")} < 0.8 AND cardinality(%s::bigint[]) > 0
            THEN (%s::bigint[])[1 + {dice.below("greatest(cardinality(%s::bigint[]), 1)", "who")}] END,
          nullif({dice.below("%s", "citizen")}, 0),
          {dice.pick("matter", 1.5)} || ', ' || {dice.pick("place")},
          (SELECT string_agg(
             CASE WHEN (hashtextextended(g || 'r' || w, 0) & 63) = 0
               THEN (%s::text[])[1 + floor(cardinality(%s::text[]) * power(
                 (hashtextextended(g || 'x' || w, 0) & 65535) / 65536.0, 1.3))::int]
               ELSE (%s::text[])[1 + floor(cardinality(%s::text[]) * power(
                 (hashtextextended(g || 'w' || w, 0) & 65535) / 65536.0, 2))::int] END, ' ')
           FROM generate_series(1, 14 + (g %% 30)::int) w),
          {dice.below(4, "priority")}, 1,
          (ARRAY['phone','email','in_person','web_form','whatsapp'])[1 + {dice.below(5, "channel")}],
          'es', {dice.pick("street")} || ', ' || (1 + {dice.below(90, "door")}),
          40.2 + {dice.unit("lat")} / 2, -3.9 + {dice.unit("lon")} / 2, '{{}}', '', '',
          opened, CASE WHEN {dice.unit("term")} < 0.9 THEN opened + interval '30 days' END,
          CASE WHEN category >= 4 THEN opened + (now() - opened) * {dice.unit("closed")} END,
          1, 2, now()
        FROM load_set ORDER BY opened
        """,
        [
            cast.organisation.pk,
            cast.organisation.code,
            cast.types,
            cast.versions,
            cast.states,
            cast.units,
            cast.units,
            cast.people,
            cast.people,
            cast.people,
            cast.citizens + 1,
            *twice(MATTERS, STREETS),
            *twice(RARE, COMMON),
            *twice(STREETS),
        ],
    )
    execute("SELECT setval('cases_case_id_seq', %s)", [last])
    execute(
        """
        INSERT INTO cases_event (case_id, organisation_id, seq, kind, at, actor_kind, actor_name, data)
        SELECT g, %s, 1, 'opened', opened, 'system', 'generate_load', '{}'::jsonb FROM load_set
        UNION ALL
        SELECT g, %s, 2, CASE WHEN category = 0 THEN 'assigned' ELSE 'moved' END,
          opened + (now() - opened) / 2, 'system', 'generate_load', '{}'::jsonb FROM load_set
        """,
        [cast.organisation.pk, cast.organisation.pk],
    )

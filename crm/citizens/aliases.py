"""Old identities of merged citizens: each leads to whoever the person is on record as now."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, models
from django.db.models import Value


class Survivor(models.Func):
    """The key of whom a UUID means: the citizen of it or, once merged, who they are on record as now."""

    function = "citizens_survivor"
    output_field = models.BigIntegerField()

    def __init__(self, uuid: UUID | str | models.expressions.Combinable) -> None:
        asked = uuid if hasattr(uuid, "resolve_expression") else Value(uuid, models.UUIDField())
        super().__init__(asked)


def known_as(citizen: models.Model) -> list[str]:
    """The UUIDs by which a citizen is or was known, their own first."""
    known: list[str] | None = citizen.__dict__.get("known_as")
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE before (id, uuid) AS (
                    SELECT id, uuid FROM citizens_citizen WHERE merged_into_id = %s
                    UNION SELECT c.id, c.uuid FROM citizens_citizen c
                    JOIN before ON c.merged_into_id = before.id)
                SELECT uuid FROM before ORDER BY id
                """,
                [citizen.pk],
            )
            found = [str(uuid) for (uuid,) in cursor.fetchall()]
        known = [str(citizen.uuid), *found]  # type: ignore[attr-defined]
        citizen.__dict__["known_as"] = known
    return known


def now_known_as(uuids: Iterable[str]) -> dict[str, str]:
    """Of these UUIDs those of merged citizens, with the UUID of who they are on record as now."""
    from crm.citizens.models import Citizen

    rows = Citizen.objects.unscoped("a name that leads to another").filter(
        uuid__in=list(uuids), merged_into__isnull=False
    )
    found = dict(rows.values_list("uuid", Survivor(models.F("uuid"))))
    now = Citizen.objects.unscoped("likewise").in_bulk(found.values())
    return {str(uuid): str(now[key].uuid) for uuid, key in found.items()}

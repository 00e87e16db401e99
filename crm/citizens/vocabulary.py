"""The words that names bear: learnt as people are registered, counted anew each night."""

import re

from django.db import connection, transaction

from crm.citizens.identifiers import folded
from crm.citizens.models import Citizen, NameWord

LONGEST = 100
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of a name or search text as the database's vector of names has them."""
    return _WORD.findall(folded(text))


def learn(citizen: Citizen) -> None:
    """The name's words can be found however they are misspelt; the night counts their bearers.

    Only new words are written, in order: registrations never wait for each other over « garcia ».
    """
    words = {word for word in words_of(citizen.full_name) if len(word) <= LONGEST}
    NameWord.objects.bulk_create(
        (NameWord(word=word, bearers=1) for word in sorted(words)), ignore_conflicts=True
    )


@transaction.atomic
def count_bearers() -> None:
    """The vocabulary is what the names of today bear; nobody searches without one meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
                INSERT INTO citizens_nameword (word, bearers)
                SELECT word, ndoc FROM ts_stat('SELECT words FROM citizens_citizen')
                WHERE length(word) <= %s
                ON CONFLICT (word) DO UPDATE SET bearers = excluded.bearers, counted_at = now()
                """,
            [LONGEST],
        )
        # learnt while we counted: its citizen may not have been seen yet
        cursor.execute("DELETE FROM citizens_nameword WHERE counted_at < now() - interval '1 hour'")

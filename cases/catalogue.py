"""Reading the catalogue of procedures: what citizens find in plain words, what employees keep."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import (
    F,
    Func,
    Max,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Concat, Greatest

from cases.fields import Fields
from cases.finding import Finds, wanted
from cases.models import CaseTypeVersion, Procedure, ProcedureText
from cases.retrieval import folded
from cases.terms import Term
from cases.workflow import of_version
from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.kit.scoping import ScopedQuerySet

SPANISH = "es"
MOST_FOUND = 60
_ALIKE = 0.5  # from which a mistyped word is taken for one of the catalogue
LONGEST_SEARCH = 120


class Normal(Func):
    """A text in small letters and without accents (the database's f_norm)."""

    function = "f_norm"
    output_field = TextField()


@dataclass(frozen=True)
class Shown:
    """A procedure in the words of one language (the organisation's first where there are none)."""

    procedure: Procedure
    text: ProcedureText
    term: Term | None
    fields: Fields

    @property
    def papers(self) -> list[str]:
        """What must be brought, one by one."""
        return [
            line.strip(" -•\t") for line in self.text.papers.splitlines() if line.strip(" -•\t")
        ]

    @property
    def term_in_words(self) -> str:
        """How long it may take."""
        return self.term.words if self.term else ""

    @property
    def translated(self) -> bool:
        """Whether it is in another language than Spanish."""
        return self.text.language != SPANISH


def procedures(actor: Actor) -> ScopedQuerySet[Procedure]:
    """All of the organisation's, with their words."""
    texts = Prefetch("texts", ProcedureText.objects.for_actor(actor).order_by("language"))
    rows = Procedure.objects.for_actor(actor).select_related("unit", "case_type")
    return rows.prefetch_related(texts).order_by("code")


def published(actor: Actor) -> ScopedQuerySet[Procedure]:
    """Those that citizens see."""
    return procedures(actor).filter(status=Procedure.Status.PUBLISHED)


def find(actor: Actor, text: str = "", language: str = SPANISH) -> Finds[Shown]:
    """The published procedures that some plain words may mean, likeliest first; all without words.

    Accents and endings do not matter, and a slip in a word is forgiven: what is alike has one of them.
    """
    rows = published(actor)
    typed = " ".join(text.split())[:LONGEST_SEARCH]
    if not typed:
        found = shown(rows, language)
        return Finds(sorted(found, key=lambda one: one.text.name.casefold()), [])
    asked = wanted(typed, language)
    if not asked.words:
        return Finds([], [])
    words = Normal(Concat("name", Value(" "), "summary", output_field=TextField()))
    ranked = (
        ProcedureText.objects.for_actor(actor)
        .filter(procedure__status=Procedure.Status.PUBLISHED)
        .annotate(
            like=TrigramWordSimilarity(folded(typed), words), rank=asked.rank, words=asked.has
        )
        .filter(Q(search=asked.some) | Q(like__gte=_ALIKE))
        .filter(procedure=OuterRef("pk"))
        .values("procedure")
    )
    most = ranked.annotate(most=Greatest(Max("words"), 1)).values("most")
    best = ranked.annotate(best=Max(F("rank") + F("like"))).values("best")
    likeliest: Any = rows.annotate(has=Subquery(most), best=Subquery(best))
    likeliest = likeliest.filter(has__isnull=False).order_by("-has", "-best", "code")
    parts = asked.parted((row, row.has) for row in likeliest[:MOST_FOUND])
    return parts.shown(lambda part: shown(part, language))


def one(actor: Actor, code: str, language: str = SPANISH) -> Shown:
    """A published procedure; NotFound else."""
    found = shown(published(actor).filter(code=code), language)
    if not found:
        raise NotFound
    return found[0]


def shown(rows: Iterable[Procedure], language: str) -> list[Shown]:
    """The procedures in a language; those whose kind of case is not in use any more are left out."""
    kept = list(rows)
    versions = {
        version.case_type_id: of_version(version.bundle)
        for version in CaseTypeVersion.objects.filter(
            case_type__in={row.case_type_id for row in kept},
            case_type__is_active=True,
            status=CaseTypeVersion.Status.PUBLISHED,
        )
    }
    found = []
    for row in kept:
        text, workflow = text_of(row, language), versions.get(row.case_type_id)
        if text is not None and workflow is not None:
            form = Fields(row.form) if row.form else workflow.fields
            found.append(Shown(row, text, workflow.term, form))
    return found


def text_of(procedure: Procedure, language: str) -> ProcedureText | None:
    """Its words in the language, else in a near one, else in Spanish, else in any."""
    texts = {text.language: text for text in procedure.texts.all()}
    near = (language, language.split("-")[0], settings.LANGUAGE_CODE, SPANISH, *sorted(texts))
    return next((texts[one] for one in near if one in texts), None)

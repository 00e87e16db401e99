"""The demo's public window: sixty procedures, and articles put together from what is said of each."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cases.models import (
    Article,
    ArticleVersion,
    CaseType,
    Procedure,
    ProcedureText,
)
from crm.kit.demo import Demo
from crm.organisations.models import Organisation, Unit

_AUTHORS = ("Beatriz Campos León", "Elena Robles Prieto", "Diego Fuentes Pascual")
_SILENCE = {
    "granted": "Si no le contestamos en plazo, se entiende que se le concede.",
    "denied": "Si no le contestamos en plazo, puede entenderlo denegado y recurrir.",
    "none": "",
}


@dataclass(frozen=True)
class _Wanted:
    """An article to be made."""

    code: str
    title: str
    body: str
    procedure: str
    language: str = "es"


def fill(demo: Demo, organisation: Organisation) -> None:
    """The organisation's procedures and articles are published; some articles are due for review."""
    with (Path(__file__).parent / "window.toml").open("rb") as file:
        told = tomllib.load(file)
    mine: list[dict[str, Any]] = told[organisation.code]
    words = [
        {**one, "of": one["of"].partition(".")[2]}
        for one in told["words"]
        if one["of"].startswith(f"{organisation.code}.")
    ]
    procedures = _procedures(organisation, mine, words)
    articles = [*_articles(mine), *_in_other_languages(words)]
    _write(demo, organisation, procedures, articles)
    demo.made["procedures"] += len(procedures)
    demo.made["articles"] += len(articles)


def _procedures(
    organisation: Organisation,
    told: Sequence[Mapping[str, Any]],
    words: Sequence[Mapping[str, Any]],
) -> dict[str, Procedure]:
    reason = "the demo's own"
    types = {
        row.code: row for row in CaseType.objects.unscoped(reason).filter(organisation=organisation)
    }
    units = {
        row.code: row for row in Unit.objects.unscoped(reason).filter(organisation=organisation)
    }
    rows = [
        Procedure(
            organisation=organisation,
            code=one["code"],
            unit=units[one["unit"]],
            case_type=types[one["type"]],
            silence=one["silence"],
            appointment=one.get("appointment", False) or "booking" in one,
            booking=one.get("booking", ""),
            status=Procedure.Status.PUBLISHED,
        )
        for one in told
    ]
    made = {row.code: row for row in Procedure.objects.bulk_create(rows)}
    spanish = [
        ProcedureText(
            procedure=made[one["code"]],
            language="es",
            name=one["name"],
            summary=one["summary"],
            who=one["who"],
            papers="\n".join(one["papers"]),
            fee=one.get("fee", ""),
        )
        for one in told
    ]
    others = [
        ProcedureText(
            procedure=made[one["of"]],
            language=one["language"],
            name=one["name"],
            summary=one["summary"],
        )
        for one in words
    ]
    ProcedureText.objects.bulk_create([*spanish, *others])
    return made


def _articles(told: Sequence[Mapping[str, Any]]) -> list[_Wanted]:
    """Of each procedure the question that people ask, and of most of them what it takes."""
    found = []
    for number, one in enumerate(told):
        code = one["code"]
        link = f"Todo lo que hace falta está en la página de {one['about']}."
        found.append(_Wanted(code, one["ask"], f"{one['answer']}\n\n{link}", code))
        if number % 5:
            papers = "\n".join(f"- {paper}" for paper in one["papers"])
            title = f"¿Qué papeles necesito para {one['about']}?"
            fee = f"## Qué cuesta\n{one['fee']}." if one.get("fee") else ""
            parts = [
                f"Para {one['about']} le pediremos:",
                papers,
                "## Quién puede pedirlo",
                one["who"],
                fee,
                _SILENCE[one["silence"]],
            ]
            body = "\n\n".join(filter(None, parts))
            found.append(_Wanted(f"{code}-papeles", title, body, code))
    return found


def _in_other_languages(words: Sequence[Mapping[str, Any]]) -> list[_Wanted]:
    return [
        _Wanted(one["of"], one["ask"], one["answer"], one["of"], one["language"]) for one in words
    ]


def _write(
    demo: Demo,
    organisation: Organisation,
    procedures: Mapping[str, Procedure],
    wanted: Sequence[_Wanted],
) -> None:
    dice = demo.dice(f"articles {organisation.code}")
    today = demo.now.date()
    rows = Article.objects.bulk_create(
        Article(
            organisation=organisation,
            code=one.code,
            language=one.language,
            unit=procedures[one.procedure].unit,
            review_on=today + timedelta(days=dice.randint(-12, 200)),
        )
        for one in wanted
    )
    links = Article.procedures.through
    links.objects.bulk_create(
        links(article_id=row.pk, procedure_id=procedures[one.procedure].pk)
        for row, one in zip(rows, wanted, strict=True)
    )
    versions = []
    for row, one in zip(rows, wanted, strict=True):
        author = dice.choice(_AUTHORS)
        said = {"article": row, "title": one.title, "author_name": author}
        published = demo.now - timedelta(days=dice.randint(5, 300))
        versions.append(
            ArticleVersion(
                **said,
                number=1,
                body=one.body,
                status=ArticleVersion.Status.PUBLISHED,
                published_at=published,
                published_by_name=dice.choice(_AUTHORS),
            )
        )
        if dice.random() < 0.06:  # somebody is writing it anew
            versions.append(
                ArticleVersion(**said, number=2, body=f"{one.body}\n\nSe revisará en enero.")
            )
    ArticleVersion.objects.bulk_create(versions)

"""Questions with their answers, as files hold them: sets made for measuring, and data of other people's."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from itertools import groupby

from cases.answer_evaluation import Question
from cases.retrieval import Article

EXAMPLES = 10  # texts of a category that make its article; the others are asked


def read_source(raw: bytes) -> tuple[list[Article], list[Question]]:
    """Articles and questions, all answerable, of a file in the form of SQuAD, of pairs of question and
    answer (`faq_corpus`), or of texts by category (CSV in English); ValueError says what is wrong."""
    if raw.startswith(b"text,category"):
        return _read_categories(raw.decode())
    content = json.loads(raw)
    if not isinstance(content, dict):
        raise ValueError("expected an object")
    return _read_pairs(content) if "faq_corpus" in content else read_squad(content)


def untitled(articles: Sequence[Article]) -> list[Article]:
    """The same articles without their titles: nobody's question stands there word for word."""
    return [Article(one.key, "", one.body, one.language) for one in articles]


def without(
    articles: Sequence[Article], questions: Sequence[Question], out: frozenset[str]
) -> tuple[list[Article], list[Question]]:
    """The set with these articles left out: their questions must not be answered."""
    kept = [article for article in articles if article.key not in out]
    asked = [Question(one.key, one.text, one.expected - out) for one in questions]
    return kept, asked


def read_set(content: Mapping[str, object]) -> tuple[list[Article], list[Question]]:
    """Articles and questions as `evaluate_answers` takes them; ValueError says what is wrong."""
    articles, questions = content.get("articles"), content.get("questions")
    if not isinstance(articles, list) or not isinstance(questions, list):
        raise ValueError("expected an object with the lists “articles” and “questions”")
    shelf = [
        Article(
            _text(one, "id"),
            _text(one, "title", ""),
            _text(one, "body"),
            _text(one, "language", "es"),
        )
        for one in articles
    ]
    keys = {article.key for article in shelf}
    asked = []
    for one in questions:
        expected = one.get("expected") if isinstance(one, Mapping) else None
        if not isinstance(expected, list):
            raise ValueError("a question has a list “expected”, empty when it must abstain")
        unknown = {str(key) for key in expected} - keys
        if unknown:
            raise ValueError(f"expected articles that are not in the file: {sorted(unknown)}")
        asked.append(Question(_text(one, "id"), _text(one, "text"), frozenset(map(str, expected))))
    return shelf, asked


def read_squad(content: Mapping[str, object]) -> tuple[list[Article], list[Question]]:
    """The same of a file in the form of SQuAD: each paragraph is an article, all questions answerable."""
    articles: list[Article] = []
    questions: list[Question] = []
    data = content["data"]
    assert isinstance(data, list)
    for matter in data:
        for paragraph in matter["paragraphs"]:
            key = str(len(articles))
            title = str(matter.get("title", "")).replace("_", " ")
            articles.append(Article(key, title, paragraph["context"]))
            questions += [
                Question(str(one["id"]), one["question"], frozenset({key}))
                for one in paragraph["qas"]
            ]
    return articles, questions


def _read_pairs(content: Mapping[str, object]) -> tuple[list[Article], list[Question]]:
    groups = content["faq_corpus"]
    if not isinstance(groups, list):
        raise ValueError("expected a list “faq_corpus”")
    pairs = [item for group in groups for item in group["items"]]
    articles = [Article(str(place), one["p"], one["r"]) for place, one in enumerate(pairs)]
    return articles, [
        Question(article.key, article.title, frozenset({article.key})) for article in articles
    ]


def _read_categories(text: str) -> tuple[list[Article], list[Question]]:
    rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["category"])
    articles, questions = [], []
    for category, some in groupby(rows, key=lambda row: row["category"]):
        texts = [row["text"].strip() for row in some]
        title = category.replace("_", " ")
        articles.append(Article(category, title, "\n".join(texts[:EXAMPLES]), "en"))
        questions += [
            Question(f"{category} {place}", asked, frozenset({category}))
            for place, asked in enumerate(texts[EXAMPLES:])
        ]
    return articles, questions


def _text(item: object, name: str, default: str | None = None) -> str:
    value = item.get(name, default) if isinstance(item, Mapping) else None
    if value is None or isinstance(value, list | dict):
        raise ValueError(f"an article or question has no text “{name}”")
    return str(value)

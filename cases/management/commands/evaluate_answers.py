"""Says how well questions are answered from a set of articles."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.answer_evaluation import Tally, evaluate, fit, left_out
from cases.answer_sets import read_set, read_source, read_squad, untitled, without


class Command(BaseCommand):
    """Answers from the file's articles alone; nothing of the installation is read or written."""

    help = "Answer a file's questions from its articles alone and count the ends."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the file, and what is to be done with it."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="figures as JSON on the last line")
        parser.add_argument(
            "--make",
            type=int,
            metavar="DRAW",
            help="FILE is a source (SQuAD, pairs, categories): print a set with a third of it left out",
        )
        parser.add_argument(
            "--draws",
            type=int,
            metavar="COUNT",
            help="FILE is such a source: answer so many sets, each with another third left out",
        )
        parser.add_argument("--whole", action="store_true", help="nothing is left out of a source")
        parser.add_argument(
            "--half", type=int, choices=[0, 1], help="ask every other question of a source only"
        )
        parser.add_argument(
            "--untitled", action="store_true", help="the articles of a source have no titles"
        )
        parser.add_argument(
            "--fit",
            action="store_true",
            help="FILE is in the form of SQuAD: find weights and threshold on one half of its questions",
        )

    def handle(self, *, file: Path, **options: Any) -> None:
        """Read, answer, count, say."""
        try:
            raw = file.read_bytes()
            if options["fit"]:
                self._fit(json.loads(raw))
            elif options["make"] is not None:
                self.stdout.write(json.dumps(_made(raw, options["make"]), ensure_ascii=False))
            elif options["draws"] or options["whole"]:
                self._draw(raw, **options)
            else:
                self._evaluate(json.loads(raw), as_json=options["json"])
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CommandError(f"{file} is not such a set: {error}.") from error

    def _evaluate(self, content: Any, *, as_json: bool) -> None:
        if not isinstance(content, dict):
            raise ValueError("expected an object with the lists “articles” and “questions”")
        self._tell(evaluate(*read_set(content)), as_json=as_json)

    def _tell(self, tally: Tally, *, as_json: bool) -> None:
        self.stdout.write(_in_words(tally))
        if as_json:
            figures = {
                **asdict(tally),
                "questions": tally.asked,
                "right_of_answerable": round(tally.right_of_answerable, 4),
                "wrong_of_all": round(tally.wrong_of_all, 4),
            }
            self.stdout.write(json.dumps(figures))

    def _draw(self, raw: bytes, **options: Any) -> None:
        articles, questions = read_source(raw)
        if options["half"] is not None:
            questions = questions[options["half"] :: 2]
        if options["untitled"]:
            articles = untitled(articles)
        if options["whole"]:
            self._tell(evaluate(articles, questions), as_json=options["json"])
            return
        tallies = tuple(
            evaluate(*without(articles, questions, left_out(articles, draw)))
            for draw in range(options["draws"])
        )
        self.stdout.write(_of_draws(tallies))

    def _fit(self, content: Any) -> None:
        articles, questions = read_squad(content)
        for half in (0, 1):
            found = fit(articles, questions, half)
            self.stdout.write(f"Half {half}: base {found.scorer.base:.4f}")
            for name, weight in found.scorer.weights.items():
                self.stdout.write(f"  {name} {weight:.4f}")
            self.stdout.write(f"  threshold {found.threshold:.4f}")
            for told, tallies in (("found on", found.found_on), ("reported", found.reported)):
                self.stdout.write(f"  {told}: {_of_draws(tallies)}")


def _in_words(tally: Tally) -> str:
    return (
        f"answered right {tally.answered_right}, answered wrong {tally.answered_wrong}, "
        f"abstained rightly {tally.abstained_rightly}, abstained wrongly {tally.abstained_wrongly}; "
        f"right {tally.right_of_answerable:.1%} of the {tally.answerable} answerable, "
        f"wrong {tally.wrong_of_all:.1%} of all {tally.asked}"
    )


def _of_draws(tallies: tuple[Tally, ...]) -> str:
    right = [tally.right_of_answerable for tally in tallies]
    wrong = [tally.wrong_of_all for tally in tallies]
    return (
        f"right {sum(right) / len(right):.1%} (lowest {min(right):.1%}), "
        f"wrong {sum(wrong) / len(wrong):.1%} (highest {max(wrong):.1%}) over {len(tallies)} draws"
    )


def _made(raw: bytes, draw: int) -> dict[str, Any]:
    """A set as this command takes it: the questions of what is left out must not be answered."""
    articles, questions = read_source(raw)
    kept, asked = without(articles, questions, left_out(articles, draw))
    return {
        "articles": [
            {"id": one.key, "title": one.title, "body": one.body, "language": one.language}
            for one in kept
        ],
        "questions": [
            {"id": one.key, "text": one.text, "expected": sorted(one.expected)} for one in asked
        ],
    }

"""Which article answers a question, and whether any does: pure, and silent rather than wrong.

A shelf holds the articles of one language. A question is compared with each by the words that matter in
it (rare ones matter more), by the sentences where they stand together and by the pairs of words that stay
side by side; the best article is given only when a logistic score of those comparisons, its lead over the
second among them, passes a threshold.

Where WEIGHTS and THRESHOLD come from: one half of the questions of XQuAD in Spanish, over many draws that
leave a third of the paragraphs out, with and without titles. `evaluate_answers --fit FILE` finds them anew
and reports on the other half (docs/evaluation.md).
"""

import itertools
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

SPANISH = "es"
LONGEST_QUESTION = 2_000  # characters: what is longer is no question, and costs


@dataclass(frozen=True, slots=True)
class Article:
    """What can be answered with."""

    key: str
    title: str
    body: str
    language: str = SPANISH


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a question and the article nearest to it compare; every figure about from 0 to 1."""

    words: float  # of the article against the question, as BM25 counts
    covered: float  # share of the question's weight that the article has
    together: float  # the same, in its best two neighbouring sentences
    pairs: float  # of neighbouring words of the question, kept side by side
    lead: float  # over the second article
    lead_together: float
    length: float  # of the question, as a logarithm of its words
    named: float  # 1 when the article has all names and numbers of the question, else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The article that answers, the sentences in it that do, and how sure that is (0 to 1)."""

    article: Article
    excerpt: str
    sureness: float


@dataclass(frozen=True, slots=True)
class Scorer:
    """A logistic score of a Likeness: a weight for each of its figures, and the one for all."""

    base: float
    weights: Mapping[str, float]

    def __call__(self, likeness: Likeness) -> float:
        """How sure it is that the article answers, from 0 to 1."""
        total = self.base + sum(
            weight * getattr(likeness, name) for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, total))))


SCORER = Scorer(
    -7.7410,
    {
        "words": -0.0602,
        "covered": 5.1009,
        "together": 1.5875,
        "pairs": 1.3014,
        "lead": 2.2858,
        "lead_together": 2.3813,
        "length": 1.3635,
        "named": 0.7749,
    },
)
THRESHOLD = 0.7


# --- Words --------------------------------------------------------------------------------------

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"(?<=[.;:!?])\s+|\n+")
_NAME = re.compile(r"(?<!^)(?<![¿¡.] )(?<![¿¡])\b[A-ZÁÉÍÓÚÑ]\w+|\d+")
_STOP: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "es": "de la que el en y a los del se las por un para con no una su al lo como mas pero sus le ya o este si porque esta entre cuando muy sin sobre tambien me hasta hay donde quien desde todo nos durante todos uno les ni contra otros ese eso ante ellos e esto mi antes algunos unos yo otro otras otra tanto esa estos mucho quienes nada muchos cual poco ella estar estas algunas algo nosotros cuales cuanto cuantos cuanta cuantas ser es son era eran fue fueron sido ha han habia haber he siendo tiene tienen tenia tuvo hace hizo hacer segun tipo llama llamado llamada nombre cada vez",
        "ca": "de la que el en i a els del es les per un amb no una seu al ho com mes pero si perque aquest aquesta entre quan molt sense sobre tambe fins hi on qui des tot nos uns o ni li ja meu meva son ser es era ha han he quin quina quins quines quant quants cal puc",
        "gl": "de a que o en e os do da se as por un para con non unha seu ao como mais pero si porque este esta entre cando moi sen sobre tamen ata hai onde quen desde todo nos ou nin lle xa meu son ser e era ha han cal cales canto cantos podo",
        "eu": "eta da de ez bat zer nola non noiz nor zein zenbat dut du naiz dira dago behar baina ere edo hau hori nire zure egin izan dezaket",
        "fr": "de la que le en et a les du se des par un pour avec ne pas une son au ce comme plus mais ses ou si est sont etait dans sur qui quoi quand quel quelle quels quelles je il elle nous vous on mon ma mes puis faut",
        "en": "the of and to a in is that it for on was are be as with by at this from or an which what who when where how many much do does did i my can we you your has have had not there their its",
    }.items()
}
_OWN_ENDINGS: Mapping[str, tuple[str, ...]] = {
    language: tuple(endings.split())
    for language, endings in {
        "es": "aciones amientos imientos adoras adores ancias logias encias acion amiento imiento adora"
        " mente ancia encia iendo ieron ables ibles istas ando aron aban adas ados idas idos able ible"
        " ista idad ivas ivos osas osos ada ado ida ido aba ara era iva ivo osa oso ian ias ar er ir as"
        " es os an en ia a e o s",
        "fr": "ations ation ements ement ees ee es er e s",
        "en": "ations ation ments ment ings ing ies ed es s",
        "eu": "aren eko etan ean ari ak ek an en a k",
    }.items()
}
_ENDINGS = {**_OWN_ENDINGS, "ca": _OWN_ENDINGS["es"], "gl": _OWN_ENDINGS["es"]}
_SHORT = 5  # shorter words are kept whole
_STEM = 4  # letters that stay at least


def folded(text: str) -> str:
    """In small letters and without accents."""
    marks = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in marks if not unicodedata.combining(char))


@lru_cache(maxsize=65_536)
def _stem(word: str, language: str) -> str:
    if word.isdigit() or len(word) < _SHORT:
        return word
    for ending in _ENDINGS.get(language, ("s",)):
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[: -len(ending)]
    return word


def words_of(text: str, language: str = SPANISH) -> list[str]:
    """The stems of the words that say what a text is about, in their order."""
    stop = _STOP.get(language, frozenset())
    return [_stem(word, language) for word in _WORD.findall(folded(text)) if word not in stop]


# --- The shelf ----------------------------------------------------------------------------------

_NAMED = 1.3  # how much more a name or number of the question counts
_NEAR = 0.6  # share of the longer word that two must begin alike with to be taken for one
_NEARLY = 0.8  # what such a word counts
_K, _B = 1.2, 0.75  # BM25's
_RANK_TOGETHER, _RANK_PAIRS = 0.8, 0.25  # what sentences and pairs add to the ranking


@dataclass(frozen=True, slots=True)
class _Page:
    """An article, read."""

    article: Article
    counts: Counter[str]
    length: int
    sentences: tuple[str, ...]
    windows: tuple[tuple[frozenset[str], frozenset[str]], ...]  # a sentence, and it with the next
    pairs: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, read against a shelf: its words' weights, and the words taken for those unknown."""

    weights: Mapping[str, float]
    instead: Mapping[str, tuple[str, float]]
    pairs: frozenset[tuple[str, str]]
    names: frozenset[str]

    @property
    def total(self) -> float:
        return sum(self.weights.values())

    def found(self, word: str, among: Counter[str]) -> tuple[int, float]:
        """How often the word, or the one taken for it, is there, and what it counts."""
        if word in among:
            return among[word], 1.0
        other, near = self.instead.get(word, ("", 0.0))
        return (among[other], near) if other in among else (0, 0.0)

    def named_in(self, among: Counter[str]) -> float:
        """1 when all its names and numbers are among these, else 0."""
        return float(all(self.found(name, among)[0] for name in self.names))

    def weight_in(self, words: frozenset[str]) -> float:
        """The weight of the question's words that are among these."""
        return sum(
            weight
            for word, weight in self.weights.items()
            if word in words or self.instead.get(word, ("",))[0] in words
        )


@dataclass(frozen=True, slots=True)
class _Scored:
    page: _Page
    rank: float
    words: float
    together: float
    pairs: float
    window: int


class Shelf:
    """Articles of one language that can be asked."""

    def __init__(self, articles: Iterable[Article], language: str = SPANISH) -> None:
        self._language = language
        self._pages = [self._read(article) for article in articles]
        self._holders: dict[str, list[int]] = defaultdict(list)
        for place, page in enumerate(self._pages):
            for word in page.counts:
                self._holders[word].append(place)
        count = len(self._pages)
        self._weights = {
            word: math.log(1 + (count - len(places) + 0.5) / (len(places) + 0.5))
            for word, places in self._holders.items()
        }
        self._unknown = math.log(1 + (count + 0.5) / 0.5)
        self._mean = sum(page.length for page in self._pages) / count if count else 1.0
        self._beginnings: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._holders):
            self._beginnings[word[:_STEM]].append(word)

    def __len__(self) -> int:
        return len(self._pages)

    def answer(self, question: str, threshold: float = THRESHOLD) -> Answer | None:
        """The article that answers the question; None when none surely does."""
        found = self.nearest(question)
        if found is None:
            return None
        article, excerpt, likeness = found
        sureness = SCORER(likeness)
        return Answer(article, excerpt, sureness) if sureness >= threshold else None

    def nearest(self, question: str) -> tuple[Article, str, Likeness] | None:
        """The article nearest to the question, its best sentences, and how the two compare."""
        asked = self._asked(question[:LONGEST_QUESTION])
        scored = self._ranked(asked, 2)
        if not scored:
            return None
        best = scored[0]
        second = scored[1] if len(scored) > 1 else None
        covered = sum(
            weight * asked.found(word, best.page.counts)[1]
            for word, weight in asked.weights.items()
        )
        likeness = Likeness(
            words=best.words,
            covered=covered / asked.total,
            together=best.together,
            pairs=best.pairs,
            lead=best.rank - (second.rank if second else 0.0),
            lead_together=best.together - (second.together if second else 0.0),
            length=math.log(1 + len(asked.weights)),
            named=asked.named_in(best.page.counts),
        )
        return best.page.article, self._excerpt(best), likeness

    def likeliest(self, question: str, most: int) -> list[Article]:
        """The articles nearest to the question, nearest first, whether or not they answer it."""
        asked = self._asked(question[:LONGEST_QUESTION])
        return [one.page.article for one in self._ranked(asked, most)]

    # --- Inside ---

    def _read(self, article: Article) -> _Page:
        title = words_of(article.title, self._language)
        sentences = tuple(part.strip() for part in _SENTENCE.split(article.body) if part.strip())
        read = [words_of(sentence, self._language) for sentence in sentences]
        flat = [*title, *(word for words in read for word in words)]
        named = frozenset(title)
        sets = [frozenset(words) | named for words in read]
        windows = tuple(
            (one, one | (sets[place + 1] if place + 1 < len(sets) else frozenset()))
            for place, one in enumerate(sets)
        )
        pairs = frozenset(itertools.pairwise(flat))
        return _Page(article, Counter(flat), len(flat), sentences, windows, pairs)

    def _asked(self, question: str) -> _Asked:
        ordered = words_of(question, self._language)
        names = set(words_of(" ".join(_NAME.findall(question)), self._language))
        weights = {
            word: self._weights.get(word, self._unknown) * (_NAMED if word in names else 1.0)
            for word in dict.fromkeys(ordered)
        }
        instead = {
            word: near
            for word in weights
            if word not in self._holders and (near := self._nearly(word))
        }
        return _Asked(
            weights,
            instead,
            frozenset(itertools.pairwise(ordered)),
            frozenset(names & set(weights)),
        )

    def _nearly(self, word: str) -> tuple[str, float] | None:
        """The word of the shelf that begins most like one it does not have: a slip, another ending."""
        best: tuple[str, float] | None = None
        for other in self._beginnings.get(word[:_STEM], ()):
            alike = 0
            while alike < min(len(word), len(other)) and word[alike] == other[alike]:
                alike += 1
            share = alike / max(len(word), len(other))
            if share >= _NEAR and (best is None or share > best[1]):
                best = other, share
        return (best[0], best[1] * _NEARLY) if best else None

    def _ranked(self, asked: _Asked, most: int) -> list[_Scored]:
        """The nearest articles; only those that share a word are looked at."""
        places: set[int] = set()
        for word in asked.weights:
            places.update(self._holders.get(asked.instead.get(word, (word,))[0], ()))
        scored = [self._scored(asked, self._pages[place]) for place in sorted(places)]
        return sorted(scored, key=lambda one: -one.rank)[:most]

    def _scored(self, asked: _Asked, page: _Page) -> _Scored:
        total = asked.total
        words = 0.0
        for word, weight in asked.weights.items():
            times, counts = asked.found(word, page.counts)
            if times:
                size = _K * (1 - _B + _B * page.length / self._mean)
                words += counts * weight * times * (1 + _K) / (times + size)
        together, window = 0.0, 0
        for place, (one, both) in enumerate(page.windows):
            value = (asked.weight_in(one) + asked.weight_in(both)) / 2
            if value > together:
                together, window = value, place
        pairs = len(asked.pairs & page.pairs) / max(1, len(asked.pairs))
        rank = words / total + _RANK_TOGETHER * together / total + _RANK_PAIRS * pairs
        return _Scored(page, rank, words / total, together / total, pairs, window)

    @staticmethod
    def _excerpt(scored: _Scored) -> str:
        sentences: Sequence[str] = scored.page.sentences
        return " ".join(sentences[scored.window : scored.window + 2])

"""Forms of what identifies or reaches a person: NIF, NIE, CIF, NAF, papers, phone, e-mail, address.

Pure functions, without tables. Every text is bounded before it is looked at, so hostile input
costs nothing. Names are folded here as the database function `f_norm` folds them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import idna
import phonenumbers
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from stdnum.es import cif, dni, nie, nif
from stdnum.exceptions import ValidationError as StdnumError

from crm.kit.errors import Invalid, Text


class Kind(StrEnum):
    """What sort of number identifies a person."""

    NIF = "nif"  # DNI with its letter, and the K, L, M numbers of people without DNI or NIE
    NIE = "nie"
    CIF = "cif"  # NIF of a legal person: the law dropped the name CIF, people did not
    NAF = "naf"  # Social Security affiliation number (NSS)
    PASSPORT = "passport"
    FOREIGN = "foreign"


class InvalidIdentifier(Invalid):
    """The text cannot be this kind of identifier, phone, e-mail or code; the message says why."""

    def __init__(self, code: str, message: Text) -> None:
        super().__init__(message, code=code)


@dataclass(frozen=True, slots=True)
class CheckWarning:
    """A doubt that does not stop the value from being kept."""

    code: str
    message: Text


@dataclass(frozen=True, slots=True)
class Checked:
    """An identifier in its one stored form, with the doubts about it."""

    value: str
    warnings: tuple[CheckWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """What a search text may be: a `Kind`, `phone`, `email`, `case` or `name`, as it is stored."""

    kind: str
    value: str


# --- identifiers ---------------------------------------------------------------------------------

RAW_LIMIT = 64
_SEPARATORS = dict.fromkeys(map(ord, " \t\u00a0.-/"))
_SHAPES = {
    Kind.NIF: re.compile(r"[0-9]{8}[A-Z]|[KLM][0-9]{7}[A-Z]"),
    Kind.NIE: re.compile(r"[XYZ][0-9]{7}[A-Z]"),
    Kind.CIF: re.compile(r"[ABCDEFGHJNPQRSUVW][0-9]{7}[0-9A-J]"),
    Kind.NAF: re.compile(r"[0-9]{12}"),
    Kind.PASSPORT: re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{5,20}"),
    Kind.FOREIGN: re.compile(r"[A-Z0-9]{3,32}"),
}
_CHECKS: dict[Kind, Callable[[str], str]] = {
    Kind.NIF: nif.validate,
    Kind.NIE: nie.validate,
    Kind.CIF: cif.validate,
}
_NIF_OR_NIE = _("%(value)s is not a valid NIF or NIE. Check the numbers and the letter.")
_REFUSALS: dict[Kind, Text] = {
    Kind.NIF: _NIF_OR_NIE,
    Kind.NIE: _NIF_OR_NIE,
    Kind.CIF: _("%(value)s is not a valid CIF. Check the letter and the numbers."),
    Kind.NAF: _("%(value)s is not a valid Social Security number. It has 12 digits."),
    Kind.PASSPORT: _(
        "%(value)s is not a valid passport number. It has 5 to 20 letters and numbers."
    ),
    Kind.FOREIGN: _(
        "%(value)s is not a valid identification number. It has 3 to 32 letters and numbers."
    ),
}


def _fill(message: Text, **values: object) -> Text:
    """The message with its placeholders filled, translated only when it is shown."""
    filled: Text = lazy(lambda: str(message) % values, str)()
    return filled


def _shown(raw: str) -> str:
    """What the person typed, fit to repeat in a message: short, and nothing invisible in it."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in raw[:40])
    return text + "…" if len(raw) > 40 else text


def _bounded(raw: str, limit: int) -> str:
    if len(raw) > limit:
        message = _("The text is too long: it may have %(limit)s characters.")
        raise InvalidIdentifier("too_long", _fill(message, limit=limit))
    text = raw.strip(" \t\r\n\u00a0")
    if not text:
        raise InvalidIdentifier("empty", _("Write something here."))
    return text


def normalise(kind: str, raw: str) -> str:
    """The identifier as it is stored: capitals and digits alone, a short DNI or NIE zero-filled.

    Does not check the digits (`validate` does). Raises InvalidIdentifier on an empty, over-long
    (64 characters) or non-Latin text: look-alike letters and digits are refused, not converted.
    """
    compact = _bounded(raw, RAW_LIMIT).translate(_SEPARATORS)
    if not (compact.isascii() and compact.isalnum()):  # before upper(): it turns ſ and ı into S, I
        message = _("%(value)s can have only letters without accents and numbers.")
        raise InvalidIdentifier("characters", _fill(message, value=_shown(raw)))
    compact = compact.upper()
    if kind in _CHECKS and re.fullmatch(r"ES[0-9A-Z]{9}", compact):
        compact = compact[2:]  # written as a European VAT number
    if kind == Kind.NIF and re.fullmatch(r"[0-9]{1,7}[A-Z]", compact):
        return compact.zfill(9)
    if kind == Kind.NIE and re.fullmatch(r"[XYZ][0-9]{1,6}[A-Z]", compact):
        return compact[0] + compact[1:].zfill(8)
    return compact


def validate(kind: str, raw: str) -> Checked:
    """The identifier in its stored form, its check digits right.

    A NAF with wrong digits is kept with a warning: no official test vector of its rule exists.
    Raises InvalidIdentifier with code `empty`, `too_long`, `characters`, `format` or `check`.
    """
    kind = Kind(kind)
    value = normalise(kind, raw)
    if not _SHAPES[kind].fullmatch(value):
        raise InvalidIdentifier("format", _fill(_REFUSALS[kind], value=_shown(raw)))
    try:
        if kind in _CHECKS:
            _CHECKS[kind](value)
    except StdnumError as error:
        raise InvalidIdentifier("check", _fill(_REFUSALS[kind], value=_shown(raw))) from error
    if kind == Kind.NAF:
        return Checked(value, tuple(_naf_doubts(value)))
    return Checked(value)


def _naf_doubts(value: str) -> Iterator[CheckWarning]:
    province, number, check = int(value[:2]), int(value[2:10]), int(value[10:])
    if not (1 <= province <= 53 or province == 66):
        message = _("The first two digits are not those of a province.")
        yield CheckWarning("naf_province", message)
    # Numbers below ten million were given with seven digits and are checked with seven.
    whole = number + province * (10_000_000 if number < 10_000_000 else 100_000_000)
    if check != whole % 97:
        message = _("The last two digits do not match the rest. Check the number.")
        yield CheckWarning("naf_check", message)


def mask(kind: str, value: str) -> str:
    """The value with only its last four characters to be read (`•••••014Z`); of an e-mail, its
    first letter and its domain."""
    if kind == "email":
        local, _at, domain = value.rpartition("@")
        return f"{local[:1]}•••@{domain}"
    seen = 4 if len(value) >= 8 else len(value) // 2
    return "•" * (len(value) - seen) + value[len(value) - seen :]


def mask_for_publication(kind: str, value: str) -> str:
    """The identifier as it may stand beside a name in a notice (LOPDGDD, disposición adicional 7ª).

    Always the same four characters, so that several notices cannot be put together: the 4th to 7th
    digits; where there are fewer than seven, the last four digits of a passport or the last four
    characters of anything else (joint guidance of the data protection authorities, 2019).
    """
    digits = [place for place, char in enumerate(value) if char.isdigit()]
    if len(digits) >= 7:
        seen = digits[3:7]
    elif kind == Kind.PASSPORT and len(digits) >= 4:
        seen = digits[-4:]
    else:
        seen = list(range(len(value)))[-min(4, len(value) // 2) :]
    return "".join(char if place in seen else "*" for place, char in enumerate(value))


# --- ways to reach a person ----------------------------------------------------------------------

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


def normalise_phone(raw: str, region: str = "ES") -> str:
    """The telephone in E.164 (`+34915550123`); a number without prefix belongs to `region`."""
    text = _bounded(raw, RAW_LIMIT)
    message = _("%(value)s is not a valid telephone number.")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidIdentifier("phone", _fill(message, value=_shown(raw))) from error
    if number.extension:
        message = _("Write the telephone number without its extension: %(value)s.")
        raise InvalidIdentifier("phone_extension", _fill(message, value=_shown(raw)))
    # phonenumbers reads full-width digits and letters on keys: a person would not mean them
    if not re.fullmatch(r"[0-9+() ./\u00a0-]+", text) or not phonenumbers.is_valid_number(number):
        raise InvalidIdentifier("phone", _fill(message, value=_shown(raw)))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown_phone(number: str, region: str = "ES") -> str:
    """A telephone in E.164 as people read it: `600 000 123` at home, `+33 1 23 45 67 89` abroad."""
    parsed = phonenumbers.parse(number)
    home = phonenumbers.country_code_for_region(region) == parsed.country_code
    kinds = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, kinds.NATIONAL if home else kinds.INTERNATIONAL)


def normalise_email(raw: str) -> str:
    """The e-mail with its domain in lower case and IDNA; the part before @ stays as written.

    At most 64 characters before @ and 254 in all (RFC 5321). No DNS is asked.
    """
    text = _bounded(raw, 254)
    local, at, domain = text.rpartition("@")
    try:
        host = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").rstrip(".")
    except UnicodeError:  # IDNAError is one
        host = ""
    labels = host.split(".")
    good = at and len(local) <= 64 and _LOCAL_PART.fullmatch(local)
    if not good or len(labels) < 2 or labels[-1].isdigit() or len(local) + len(host) > 253:
        message = _("%(value)s is not a valid e-mail address.")
        raise InvalidIdentifier("email", _fill(message, value=_shown(raw)))
    return f"{local}@{host}"


def normalise_postal_code(raw: str) -> str:
    """A Spanish postal code: five digits, the first two a province from 01 to 52."""
    text = _bounded(raw, RAW_LIMIT)
    if not re.fullmatch(r"[0-9]{5}", text) or not 1 <= int(text[:2]) <= 52:
        message = _("%(value)s is not a valid postal code. It has 5 digits.")
        raise InvalidIdentifier("postal_code", _fill(message, value=_shown(raw)))
    return text


# The INE prints no rule; this one gives the digit of all 8,131 municipalities of its 2023 list.
_INE_WEIGHTS = ("0246813579", "0382741596", "0123456789", "0246813579", "0382741596")


def municipality_check_digit(code: str) -> str:
    """The sixth digit the INE adds to the five of a municipality: `6` for 28079."""
    weighed = (int(weights[int(digit)]) for weights, digit in zip(_INE_WEIGHTS, code, strict=True))
    return str(-sum(weighed) % 10)


def normalise_municipality(raw: str) -> str:
    """The INE code of a municipality as five digits; a sixth, if written, must be its check."""
    text = _bounded(raw, RAW_LIMIT)
    shaped = re.fullmatch(r"[0-9]{5,6}", text) and 1 <= int(text[:2]) <= 52
    if not shaped or text[5:] not in ("", municipality_check_digit(text[:5])):
        message = _("%(value)s is not a municipality code of the INE. It has 5 digits.")
        raise InvalidIdentifier("municipality", _fill(message, value=_shown(raw)))
    return text[:5]


# --- what a search text may be -------------------------------------------------------------------

SEARCH_LIMIT = 200
_CASE = re.compile(r"[A-Z][A-Z0-9]{1,11}-[0-9]{4}-[0-9]{1,10}")


def guess(text: str) -> tuple[Guess, ...]:
    """Everything a search text may be, likeliest first, each in the form it is stored in.

    Eight digits alone are also the DNI they belong to. Empty for an empty text, one over 200
    characters, or one that can be nothing.
    """
    text = text.strip()
    if not text or len(text) > SEARCH_LIMIT:
        return ()
    if _CASE.fullmatch(text.upper()):
        return (Guess("case", text.upper()),)
    if "@" in text:
        return tuple(_as_read("email", normalise_email, text))
    if not any(char.isdigit() for char in text):
        named = sum(char.isalpha() for char in text) >= 2
        return (Guess("name", folded(text)),) if named else ()
    found = [*_numbers_in(text), *_as_read("phone", normalise_phone, text)]
    return tuple(found) or tuple(_papers_in(text))


def _numbers_in(text: str) -> Iterator[Guess]:
    for kind in (Kind.NIF, Kind.NIE, Kind.CIF, Kind.NAF):
        yield from _as_read(kind, _validated(kind), text)
    if re.fullmatch(r"[0-9]{8}", text):
        yield Guess(Kind.NIF, text + dni.calc_check_digit(text))


def _papers_in(text: str) -> Iterator[Guess]:
    for kind in (Kind.PASSPORT, Kind.FOREIGN):
        yield from _as_read(kind, _validated(kind), text)


def _validated(kind: Kind) -> Callable[[str], str]:
    return lambda raw: validate(kind, raw).value


def _as_read(kind: str, read: Callable[[str], str], text: str) -> Iterator[Guess]:
    try:
        yield Guess(kind, read(text))
    except InvalidIdentifier:
        return


# --- names ---------------------------------------------------------------------------------------

# What PostgreSQL's unaccent replaces and Unicode does not take apart, in lower case.
_PAIRS = (
    "æae œoe ßss þth ŉ'n ŀl ĳij ªa ºo ¡! ¿? «<< »>> ‹< ›> „,, ‚, …... ©(c) ®(r) ×* ÷/ ±+/- "
    "№no ёе ſs ðd đd øo ħh ıi łl ŋn ŧt ĸq ƀb ƃb ƈc ɖd ɗd ƌd ɛe ƒf ɠg Ɩi ɨi ƙk ƚl ɲn ƞn Ƞƞ "
    "ƥp ƫt ƭt ʈt ʋv ƴy ƶz ǥg ȡd ȥz ȴl ȵn ȶt ȷj ⱥa ȼc ⱦt ȿs ɀz ʉu ɇe ɉj ɍr ɏy ɓb ƕhv Ƕƕ ƣoi "
    "ȸdb ȹqp ẚa ẜs ẝs ỻll ỽv ỿy ¼_1/4 ½_1/2 ¾_3/4"
)
_REPLACED = {
    **dict.fromkeys("’‘‛ʼʻʽʹˈ′", "'"),
    **dict.fromkeys("‐‑‒–—―−\u00ad˗", "-"),
    **dict.fromkeys("“”‟ʺ″", '"'),
    **{pair[0]: pair[1:].replace("_", " ") for pair in _PAIRS.split()},
}
_LIGATURES = "ǄǅǆǇǈǉǊǋǌǱǲǳﬀﬁﬂﬃﬄﬅﬆ"


class _Folding(dict[int, str]):
    """`str.translate` table that works out each character once."""

    def __missing__(self, codepoint: int) -> str:
        folded_char = self[codepoint] = _fold(chr(codepoint))
        return folded_char


def _fold(char: str) -> str:
    if "\u0300" <= char <= "\u0362":  # accents written apart; the letters above letters stay
        return ""
    lower = char.lower() if len(char.lower()) == 1 else char  # İ, the only one, is taken apart
    if replaced := _REPLACED.get(char) or _REPLACED.get(lower):
        return replaced
    if char in _LIGATURES or "\uff01" <= char <= "\uff5e":  # and full-width ASCII
        return "".join(map(_fold, unicodedata.normalize("NFKD", char)))
    base = unicodedata.normalize("NFD", char)[0].lower()
    return base if base.isascii() or "α" <= base <= "ω" else lower


_FOLDING = _Folding()


def folded(text: str) -> str:
    """A name as it is searched: lower case, no accents, single spaces.

    The same as the database's `f_norm` (lower of unaccent) with its spaces squeezed, for every
    Latin letter; other scripts keep their marks, as they do there.
    """
    return " ".join(text.translate(_FOLDING).split())

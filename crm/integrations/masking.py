"""What identifies or reaches a person is taken out of words before they go to another system: pure.

Rather too much than too little: any longer run of digits goes, whatever it was (a date of birth, too); a
law as 39/2015 stays.
"""

import re
import unicodedata

MASK = "[…]"
_MAILBOX = re.compile(
    # from where a word begins: from within one, each letter would look for the sign anew
    r"(?<!\S)\S*?(?:@|\(at\)|\[at\]|\(arroba\)|\[arroba\]|\sarroba\s)\s*\S*",
    re.IGNORECASE,
)
_GAP = r"[\s.,·•_/\\|()\-‐-―−+*'’]{0,3}"
# letters before and after belong to it: X1234567L, ES91 2100…, 12345678Z, AAA123456
_NUMBER = re.compile(
    rf"(?:\b[^\W\d_]{{1,3}}{_GAP})?[+(]?(?:\d(?:{_GAP}\d){{6,}}|\d{{6}})(?:{_GAP}[^\W\d_](?![^\W\d_]))?"
)


def masked(text: str) -> str:
    """The text without identity numbers, telephone and account numbers, and e-mail addresses."""
    plain = "".join(
        char
        for char in unicodedata.normalize("NFKC", text)
        if unicodedata.category(char) not in {"Cf", "Cs", "Co", "Cn"}  # nothing hides between
    )
    return _NUMBER.sub(MASK, _MAILBOX.sub(MASK, plain))

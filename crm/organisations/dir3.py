"""DIR3 codes: the nine characters by which Spanish administrations name their units."""

import re

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Invalid, Text

CODE_LENGTH = 9
# The list of prefixes (E, A, L, U, I, J, O, GE, EA, LA…) is not official: only the form is checked.
_CODE = re.compile(r"(?=.{9}\Z)[A-Z]{1,2}[0-9]{7,8}")
_RAW_LIMIT = 40


def normalise(raw: str) -> str:
    """The DIR3 code in capitals without spaces: one or two letters, then digits, nine in all.

    Raises Invalid with code `dir3`. That the unit exists is for the directory to say.
    """
    code = re.sub(r"[\s.-]", "", raw) if len(raw) <= _RAW_LIMIT else ""
    code = code.upper() if code.isascii() else ""
    if not _CODE.fullmatch(code):
        message = _("%(value)s is not a DIR3 code. It has 9 characters, such as L01280796.")
        shown = "".join(char for char in raw[:_RAW_LIMIT] if char.isprintable())
        text: Text = lazy(lambda: str(message) % {"value": shown}, str)()
        raise Invalid(text, code="dir3")
    return code

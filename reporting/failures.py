"""Why a document was not made, in words: rows keep the code, readers get the sentence in their language."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Text
from crm.kit.pdf import PdfError

ABANDONED = "abandoned"
NO_RIGHTS = "no_rights"
TOO_MANY = "too_many_rows"

_WORDS: Mapping[str, Text] = {
    **PdfError.MESSAGES,
    ABANDONED: _("The document could not be made after several attempts. Try again."),
    NO_RIGHTS: _("Whoever asked for it may no longer issue case histories."),
    "no_certificate": _(
        "The organisation has no certificate to seal documents with. Tell your administrator."
    ),
    "store_full": _("There is no room to keep the file. Tell your administrator."),
    TOO_MANY: _(
        "There are more cases than a file may hold: choose a shorter period or fewer units."
    ),
    "not_found": _("It does not exist or is not yours to see."),
    "refused": _("You may not issue the history of this case."),
}
# Trying again changes nothing about these.
PERMANENT = frozenset(
    {
        "pdf_timeout",
        "pdf_memory",
        "pdf_too_complex",
        "pdf_key_unreadable",
        "no_certificate",
        TOO_MANY,
    }
)


def words_of(code: str) -> Text:
    """The sentence for a code; a general one for a code of the past."""
    return _WORDS.get(code, PdfError.MESSAGES["pdf_failed"]) if code else ""

"""What may go wrong while a document is made or sealed, in words for the person who asked for it."""

from django.utils.translation import gettext_lazy as _

from crm.kit.errors import DomainError, Text


class PdfError(DomainError):
    """The document could not be made. `code` is one of MESSAGES."""

    status = 500
    title = _("The document could not be made")

    MESSAGES: dict[str, Text] = {
        "pdf_timeout": _(
            "The document took too long to make. Try a shorter period or fewer documents."
        ),
        "pdf_memory": _("The document is too large to make. Try a shorter period."),
        "pdf_too_complex": _("Part of the content is too complex to print."),
        "pdf_failed": _("The document could not be made. Nothing was saved; try again."),
        "pdf_not_sealed": _("The document could not be sealed. Nothing was saved; try again."),
        "pdf_key_unreadable": _(
            "The key or certificate that seals documents cannot be read. Tell your administrator."
        ),
    }

    def __init__(self, code: str) -> None:
        super().__init__(code, self.MESSAGES[code])

"""Makes documents that prove themselves: HTML to tagged PDF, with a code to verify it.

Rendering and sealing take seconds: they belong in a worker, never in a request. Sealing, and the
keys for it, are in `crm.kit.pdf.sealing` and `crm.kit.pdf.keys`, whose import costs half a second:
import them where they are used.
"""

from crm.kit.pdf.codes import CodeError, new_code, normalise_code, qr_svg
from crm.kit.pdf.errors import PdfError
from crm.kit.pdf.rendering import render

__all__ = ["CodeError", "PdfError", "new_code", "normalise_code", "qr_svg", "render"]

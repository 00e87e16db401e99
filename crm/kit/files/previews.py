"""Pictures of files, made anew from their pixels: the only thing shown inside a page."""

import logging
from pathlib import Path

from crm.kit import sandbox
from crm.kit.files.kinds import PDF, RASTER
from crm.kit.files.storing import open_stored

PREVIEW_TYPE = "image/webp"

_PREVIEWER = Path(__file__).with_name("previewer.py")
_LIMITS = sandbox.Limits(seconds=15, memory=1024 * 1024 * 1024, output=8 * 1024 * 1024)
PREVIEWED = {PDF.media_type, *(kind.media_type for kind in RASTER.values())}

log = logging.getLogger(__name__)


def preview(path: str, media_type: str, *, edge: int = 1200) -> bytes | None:
    """Return a kept image, or a PDF's first page, as a WebP of at most `edge` pixels a side.

    None when files of that kind have no preview or this one cannot be drawn. Metadata (place,
    camera, author) stays behind. Takes up to some seconds.
    """
    if media_type not in PREVIEWED:
        return None
    with open_stored(path) as file:
        try:
            return sandbox.run(
                _PREVIEWER, file, {"media_type": media_type, "edge": edge}, limits=_LIMITS
            )
        except sandbox.SandboxError as error:
            log.warning("No preview of a file of type %s: %s", media_type, error)
            return None

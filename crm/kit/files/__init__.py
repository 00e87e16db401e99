"""Takes in files from strangers and hands them out again without harm.

`store` decides by content what a file is, refuses what is not allowed, and keeps it under its
SHA-256; `scan` asks the virus scanner; `serve` hands it out as a download; `preview` makes a
picture of it, the only thing ever shown inside a page.
"""

from crm.kit.files.holders import held, holders
from crm.kit.files.kinds import KINDS, FileRefused, Kind
from crm.kit.files.names import safe_name
from crm.kit.files.previews import PREVIEWED, preview
from crm.kit.files.scanning import Scan
from crm.kit.files.serving import serve, serve_preview
from crm.kit.files.storing import Stored, discard, open_stored, scan, store, sweep

__all__ = [
    "KINDS",
    "PREVIEWED",
    "FileRefused",
    "Kind",
    "Scan",
    "Stored",
    "discard",
    "held",
    "holders",
    "open_stored",
    "preview",
    "safe_name",
    "scan",
    "serve",
    "serve_preview",
    "store",
    "sweep",
]

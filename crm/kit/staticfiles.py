"""Static files: the few files served out of node_modules, and the storage that names them by content."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_FONTS = "@fontsource-variable/atkinson-hyperlegible-next/files"
_FONT = "atkinson-hyperlegible-next-{}-wght-normal.woff2"

VENDOR_FILES = {
    "vendor/htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/htmx/idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "vendor/bootstrap/bootstrap-reboot.min.css": "bootstrap/dist/css/bootstrap-reboot.min.css",
    "vendor/bootstrap/bootstrap-reboot.min.css.map": (
        "bootstrap/dist/css/bootstrap-reboot.min.css.map"
    ),
    "vendor/fonts/" + _FONT.format("latin"): f"{_FONTS}/{_FONT.format('latin')}",
    "vendor/fonts/" + _FONT.format("latin-ext"): f"{_FONTS}/{_FONT.format('latin-ext')}",
    "vendor/leaflet/leaflet.js": "leaflet/dist/leaflet.js",
    "vendor/leaflet/leaflet.js.map": "leaflet/dist/leaflet.js.map",
    "vendor/leaflet/leaflet.css": "leaflet/dist/leaflet.css",
    "vendor/leaflet/images/layers.png": "leaflet/dist/images/layers.png",
    "vendor/leaflet/images/layers-2x.png": "leaflet/dist/images/layers-2x.png",
    "vendor/leaflet/images/marker-icon.png": "leaflet/dist/images/marker-icon.png",
}
"""Public path -> file below node_modules. Source maps are here because the hashed storage follows
the reference to them; what is not named here is never served nor collected."""


def node_modules() -> Path:
    """The folder where npm put the front-end libraries."""
    return Path(settings.BASE_DIR) / "node_modules"


class _VendorStorage(FileSystemStorage):
    """node_modules seen through the public paths of VENDOR_FILES, and nothing else of it."""

    def path(self, name: str) -> str:
        return str(node_modules() / VENDOR_FILES[name.replace("\\", "/")])


class NodeModulesFinder(BaseFinder):
    """Finds exactly the files of VENDOR_FILES."""

    def __init__(self, app_names: object = None, *args: object, **kwargs: object) -> None:
        super().__init__()
        self.storage = _VendorStorage(location=str(node_modules()))

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file behind a public path; an empty list when the path is not one of ours."""
        if path not in VENDOR_FILES or not Path(self.storage.path(path)).is_file():
            return []
        found = self.storage.path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: object) -> Iterator[tuple[str, Storage]]:
        """Every public path with its storage, for collectstatic."""
        for path in VENDOR_FILES:
            yield path, self.storage


_IMPORTS = (
    (
        r"""(?P<matched>(?m:^)(?P<before>import (?:[^;"']*? from )?)["'](?P<url>\.[^"']+)["'])""",
        """%(before)s"%(url)s\"""",
    ),
    (r"""(?P<matched>import\(["'](?P<url>\.[^"']+)["']\))""", """import("%(url)s")"""),
)


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Names every file by its content; follows url(), @import and our own scripts' imports.

    Django's switch for imports would read every library's scripts as well, whose comments and
    examples name files that do not exist; so only our own folder's are followed.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("js/*.js", _IMPORTS))

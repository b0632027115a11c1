"""The player's files, read once; one digest of them all is part of their address."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent / "static"
PAGE: Final = "index.html"
BASE_PLACEHOLDER: Final = b"{{assets}}"

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and compressed."""

    body: bytes
    gzipped: bytes
    media_type: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "Asset":
        return cls(body, gzip.compress(body, mtime=0), media_type)


@dataclass(frozen=True, slots=True)
class Assets:
    """Everything the player is made of.

    Modules import one another by relative address, so one digest in the folder's name gives every file an address
    of its own content: browsers may keep it for ever, and a page never mixes two versions.

    Attributes:
        digest: names the content of all files.
        page: the HTML of ``/``, pointing at this digest.
        files: by path below the folder, the page left out.
    """

    digest: str
    page: Asset
    files: dict[str, Asset]


def read_assets(root: Path = ROOT) -> Assets:
    """Read every file below ``root``.

    Raises:
        KeyError: a file of a kind that has no media type.
    """
    bodies = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.*"))}
    digest = hashlib.sha256()
    for name, body in bodies.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    base = f"/static/player/{digest.hexdigest()[:16]}"
    page = bodies.pop(PAGE).replace(BASE_PLACEHOLDER, base.encode())
    files = {name: Asset.of(body, MEDIA_TYPES[Path(name).suffix]) for name, body in bodies.items()}
    return Assets(digest.hexdigest()[:16], Asset.of(page, MEDIA_TYPES[".html"]), files)

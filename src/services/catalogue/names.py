"""Names as they are compared: folded, split into words, hashed to keys."""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_WORD: Final = re.compile(r"\w+")
_VERSION: Final = re.compile(
    r"\s*(?:-\s+|[(\[])[^-()\[\]]*\b(?:remaster(?:ed)?|mono|stereo|radio edit|single version|album version"
    r"|original mix|deluxe|bonus track)\b[^()\[\]]*[)\]]?\s*$",
    re.IGNORECASE,
)


def fold(text: str) -> str:
    """Lower case without accents: what two spellings of one name share (NFKD, marks dropped, case folded)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str) -> list[str]:
    """The folded words of a text; apostrophes do not split (`don't` is `dont`)."""
    return _WORD.findall(fold(text).replace("'", "").replace("\u2019", ""))


@lru_cache(maxsize=65_536)
def name_key(name: str) -> int:
    """64-bit key of a name; names that fold alike have one key. Never 0."""
    return int.from_bytes(blake2b(fold(name).strip().encode(), digest_size=8).digest(), "little") | 1


def recording_key(artist: str, title: str) -> int:
    """64-bit key that a recording shares with its remasters and edits, but not with covers, lives or remixes."""
    base = _VERSION.sub("", title) or title
    text = f"{fold(artist).strip()}\x1f{' '.join(words(base)) or fold(base)}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") | 1

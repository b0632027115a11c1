"""Names as they are compared: folded, split into words, hashed to keys."""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_WORD: Final = re.compile(r"\w+")
_VERSION: Final = re.compile(
    r"\s*(?:[-\u2013\u2014]\s+|[(\[])"
    # "Live / Remastered" is a live recording first.
    r"(?![^()\[\]]*\b(?:live|remix(?:ed)?|cover|acoustic|demo|instrumental|karaoke|unplugged)\b)"
    r"[^-()\[\]]*\b(?:remaster(?:ed)?|mono|stereo|radio edit|single version|album version"
    r"|original mix|deluxe|bonus track)\b[^()\[\]]*[)\]]?\s*$",
    re.IGNORECASE,
)


def fold(text: str) -> str:
    """Lower case without accents: what two spellings of one name share.

    NFKD, accents dropped, case folded, NFC. A mark that makes another letter stays: the dakuten of ガ, which
    is not カ, the vowel signs and the virama of Indic scripts, the vowels of Thai.
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not _is_accent(c)).casefold())


def _is_accent(c: str) -> bool:
    # Canonical combining classes: 1 strikes through, 10 to 36 are the points of Hebrew and Arabic, those from
    # 200 say where an accent stands. Between lie the marks that are parts of letters.
    place = unicodedata.combining(c)
    return place == 1 or 10 <= place <= 36 or place >= 200 or c in "\ufe0e\ufe0f"


def words(text: str) -> list[str]:
    """The folded words of a text; apostrophes do not split (`don't` is `dont`)."""
    folded = fold(text).replace("'", "").replace("\u2019", "")
    if folded.isascii():
        return _WORD.findall(folded)
    # A mark belongs to the letter before it, which \w does not know.
    spaced = "".join(c if _WORD.match(c) or unicodedata.category(c) in ("Mn", "Mc") else " " for c in folded)
    return [word for word in spaced.split() if _WORD.search(word)]


@lru_cache(maxsize=65_536)
def name_key(name: str) -> int:
    """64-bit key of a name; names that fold alike have one key. Never 0."""
    return int.from_bytes(blake2b(fold(name).strip().encode(), digest_size=8).digest(), "little") | 1


def recording_key(artist: str, title: str) -> int:
    """64-bit key that a recording shares with its remasters and edits, but not with covers, lives or remixes."""
    base = _VERSION.sub("", title) or title
    text = f"{fold(artist).strip()}\x1f{' '.join(words(base)) or fold(base)}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") | 1

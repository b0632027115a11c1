"""A snapshot as named arrays and manifest entries, and back."""

from typing import Any

import numpy as np

from src.services.artifacts.files import Arrays, ArtifactError
from src.services.catalogue.cards import Cards
from src.services.catalogue.search import SearchIndex
from src.services.catalogue.snapshot import Snapshot
from src.services.recommender.blend import Blend
from src.services.recommender.bundle import from_arrays, to_arrays
from src.services.recommender.ragged import Ragged


def encode(snapshot: Snapshot) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and the manifest entries that ``decode`` needs. The snapshot must come from one full reading."""
    assert not snapshot.cards.changed
    arrays: Arrays = dict(to_arrays(snapshot.bundle, "bundle"))
    arrays["search.vocabulary"] = snapshot.search.vocabulary
    arrays["search.postings.indptr"] = snapshot.search.postings.indptr
    arrays["search.postings.indices"] = snapshot.search.postings.indices
    arrays["cards.block"] = snapshot.cards.block
    arrays["cards.ends"] = snapshot.cards.ends
    blend = snapshot.bundle.model.blend
    return arrays, {
        "change": snapshot.change,
        "genre_names": {str(key): name for key, name in snapshot.genre_names.items()},
        "blend": {"cold": dict(blend.cold), "warm": dict(blend.warm), "half_history": blend.half_history},
    }


def decode(arrays: Arrays, manifest: dict[str, Any]) -> Snapshot:
    """The snapshot of a release.

    Raises:
        ArtifactError: an array or entry is missing.
    """
    try:
        indptr: Any = arrays["search.postings.indptr"]
        indices: Any = arrays["search.postings.indices"]
        vocabulary: Any = arrays["search.vocabulary"]
        block: Any = arrays["cards.block"]
        ends: Any = arrays["cards.ends"]
        return Snapshot(
            bundle=from_arrays(arrays, Blend(**manifest["blend"])),
            search=SearchIndex(vocabulary, Ragged(indptr, indices, np.empty(0, np.float32))),
            cards=Cards(block, ends),
            genre_names={int(key): name for key, name in manifest["genre_names"].items()},
            version=manifest["version"],
            change=manifest["change"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"model {manifest.get('version')} is incomplete: {error}") from None

"""Everything a recommendation is computed from, read-only: the catalogue, what follows from it, the model."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.audio import AUDIO_SCALE, Scaler, embed, fit_scaler, known_rows
from src.services.recommender.blend import DEFAULT, Blend
from src.services.recommender.catalogue import Columns
from src.services.recommender.moods import mood_matrix
from src.services.recommender.popularity import fit_popularity
from src.services.recommender.ragged import Ragged
from src.services.recommender.text import TextIndex, fit_text
from src.services.recommender.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned from interactions.

    Attributes:
        item_weights: row per song of history, the songs it speaks for (see ``item_cf``).
        listeners: row per song, the listeners who play it, and ``histories``: row per listener, the songs they play;
            numbers and weights as ``user_cf.fit_listeners`` gives them, no user ids.
        play_counts: decayed plays, float32 (n_items,).
        n_listeners: int32 (n_items,), listeners who played or liked the song, for the reasons.
        blend: weights of the scorers.
    """

    item_weights: Ragged
    listeners: Ragged
    histories: Ragged
    play_counts: NDArray[np.float32]
    n_listeners: NDArray[np.int32]
    blend: Blend = DEFAULT

    @classmethod
    def untrained(cls, n_items: int) -> "Model":
        nothing, nobody = Ragged.empty(n_items), Ragged.empty(0)
        return cls(nothing, nothing, nobody, np.zeros(n_items, np.float32), np.zeros(n_items, np.int32))

    @property
    def has_item_cf(self) -> bool:
        return len(self.item_weights.indices) > 0

    @property
    def has_user_cf(self) -> bool:
        return len(self.histories.indices) > 0


@dataclass(frozen=True, slots=True)
class Bundle:
    """A catalogue and a model, with the arrays that scorers read. Row ``i`` is the same song in all.

    Attributes:
        vectors: float32 (n_items, N_DIMENSIONS), audio; ``squared_norms`` are their squared lengths.
        audio_offsets: float32 (n_items,), see ``scorers.content.audio_similarity``.
        has_audio: bool (n_items,), songs whose vector means something.
        popularity: float32 (n_items,), 0 to 1.
        moods: float32 (n_moods, n_items), membership.
        main_artist: uint64 (n_items,), key of the first artist; 0 without one.
    """

    columns: Columns
    model: Model
    vocabulary: Vocabulary
    scaler: Scaler
    vectors: NDArray[np.float32]
    squared_norms: NDArray[np.float32]
    audio_offsets: NDArray[np.float32]
    has_audio: NDArray[np.bool_]
    text: TextIndex
    popularity: NDArray[np.float32]
    moods: NDArray[np.float32]
    main_artist: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.columns)


def derive(columns: Columns, model: Model | None = None) -> Bundle:
    """A bundle from a catalogue and a model of its first rows.

    Songs beyond the model's rows (added since it was trained) get what follows from their own facts and
    no collaborative opinion. Costs a fraction of a second for 100,000 songs; no training.
    """
    n = len(columns)
    model = Model.untrained(n) if model is None else _stretched(model, n)
    scaler = fit_scaler(columns.audio)
    vectors = embed(columns.audio, scaler)
    squared_norms = np.einsum("ij,ij->i", vectors, vectors)
    has_audio = known_rows(columns.audio)
    artists = columns.artists
    main_artist = np.zeros(n, np.uint64)
    credited = artists.lengths() > 0
    main_artist[credited] = artists.indices[artists.indptr[:-1][credited]]
    return Bundle(
        columns=columns,
        model=model,
        vocabulary=Vocabulary.of(columns.ids),
        scaler=scaler,
        vectors=vectors,
        squared_norms=squared_norms,
        audio_offsets=np.where(has_audio, 1 + squared_norms / AUDIO_SCALE, np.inf).astype(np.float32),
        has_audio=has_audio,
        text=fit_text(columns),
        popularity=fit_popularity(model.play_counts, columns.popularity),
        moods=mood_matrix(columns.audio),
        main_artist=main_artist,
    )


def _stretched(model: Model, n_items: int) -> Model:
    missing = n_items - len(model.play_counts)
    if missing <= 0:
        return model
    return replace(
        model,
        item_weights=model.item_weights.extended(n_items),
        listeners=model.listeners.extended(n_items),
        play_counts=np.concatenate([model.play_counts, np.zeros(missing, np.float32)]),
        n_listeners=np.concatenate([model.n_listeners, np.zeros(missing, np.int32)]),
    )


def to_arrays(part: object, prefix: str) -> dict[str, NDArray[np.generic]]:
    """The arrays of a dataclass of arrays (nested ones too), named ``prefix.field``; other fields are left out."""
    found: dict[str, NDArray[np.generic]] = {}
    for f in fields(part):  # type: ignore[arg-type]
        value = getattr(part, f.name)
        if isinstance(value, np.ndarray):
            found[f"{prefix}.{f.name}"] = value
        elif hasattr(value, "__dataclass_fields__") and not isinstance(value, Blend):
            found |= to_arrays(value, f"{prefix}.{f.name}")
    return found


def from_arrays(arrays: dict[str, NDArray[np.generic]], blend: Blend = DEFAULT) -> Bundle:
    """The bundle whose ``to_arrays(bundle, "bundle")`` gave ``arrays``.

    Raises:
        KeyError: an array is missing.
    """

    def ragged(name: str) -> Ragged:
        return Ragged(*(arrays[f"{name}.{f.name}"] for f in fields(Ragged)))  # type: ignore[arg-type]

    def build(kind: type, name: str, **given: object) -> object:
        values = dict(given)
        for f in fields(kind):
            if f.name not in values:
                key = f"{name}.{f.name}"
                values[f.name] = ragged(key) if f"{key}.indptr" in arrays else arrays[key]
        return kind(**values)

    return build(  # type: ignore[return-value]
        Bundle,
        "bundle",
        columns=build(Columns, "bundle.columns"),
        model=build(Model, "bundle.model", blend=blend),
        vocabulary=build(Vocabulary, "bundle.vocabulary"),
        scaler=build(Scaler, "bundle.scaler"),
        text=build(TextIndex, "bundle.text"),
    )

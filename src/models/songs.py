"""Songs: the document, what a client sends, what it reads."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, field_validator
from pymongo import ASCENDING, IndexModel

from src.models.audio import AudioFeatures

MAX_TEXT = 1_000
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=64)]


class ExternalIds(BaseModel):
    """How other catalogues name the same recording."""

    model_config = ConfigDict(extra="forbid")

    spotify: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{22}$")] | None = None
    isrc: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$")] | None = None
    musicbrainz: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None


class Provenance(BaseModel):
    """Where the value of one field came from."""

    source: str
    fetched_at: datetime
    url: str | None = None


class SongFacts(BaseModel):
    """The facts about a song that a catalogue file or an operator states."""

    model_config = ConfigDict(extra="forbid")

    title: Text
    artists: list[Text] = Field(min_length=1, max_length=64)
    album: Text | None = None
    genres: list[Label] = Field(default_factory=list, max_length=50)
    tags: list[Label] = Field(default_factory=list, max_length=100)
    release_year: int | None = Field(None, ge=1860, le=2100)
    duration_ms: int | None = Field(None, gt=0, le=24 * 3600 * 1000)
    explicit: bool | None = None
    popularity: float | None = Field(None, ge=0, le=100, description="As its source states it, 0 to 100.")
    audio_features: AudioFeatures = Field(default_factory=AudioFeatures)
    external_ids: ExternalIds = Field(default_factory=ExternalIds)
    art_url: str | None = Field(None, max_length=2000)
    preview_url: str | None = Field(None, max_length=2000)
    links: dict[str, str] = Field(default_factory=dict, max_length=20)

    @field_validator("genres", "tags")
    @classmethod
    def _unique(cls, values: list[str]) -> list[str]:
        return list(dict.fromkeys(values))

    @field_validator("art_url", "preview_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            HttpUrl(value)
        return value


class SongCreate(SongFacts):
    """A song to add to the catalogue."""


class SongPatch(BaseModel):
    """The fields of a song to change; what is not named stays. ``audio_features`` merges."""

    model_config = ConfigDict(extra="forbid")

    title: Text | None = None
    artists: list[Text] | None = Field(None, min_length=1, max_length=64)
    album: Text | None = None
    genres: list[Label] | None = Field(None, max_length=50)
    tags: list[Label] | None = Field(None, max_length=100)
    release_year: int | None = Field(None, ge=1860, le=2100)
    duration_ms: int | None = Field(None, gt=0, le=24 * 3600 * 1000)
    explicit: bool | None = None
    popularity: float | None = Field(None, ge=0, le=100)
    audio_features: AudioFeatures | None = None
    external_ids: ExternalIds | None = None
    art_url: str | None = Field(None, max_length=2000)
    preview_url: str | None = Field(None, max_length=2000)

    @field_validator("title", "artists", "genres", "tags", "audio_features", "external_ids")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be null; leave it out to keep the present value")
        return value


class SongRead(BaseModel):
    """A song as clients read it."""

    id: str = Field(description="The song's identifier, 24 hexadecimal digits.")
    title: str
    artists: list[str]
    album: str | None = None
    genres: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    release_year: int | None = None
    duration_ms: int | None = None
    explicit: bool | None = None
    popularity: float | None = None
    audio_features: AudioFeatures
    external_ids: ExternalIds = Field(default_factory=ExternalIds)
    art_url: str | None = None
    preview_url: str | None = None
    links: dict[str, str] = Field(default_factory=dict)


class Song(Document, SongFacts):
    """A song of the catalogue.

    ``import_key`` identifies the song across imports of the same data (``spotify:<id>``, or a digest
    of artist, title and duration), so that importing twice changes nothing. ``change_batch`` names the
    batch of the catalogue's change log that last wrote it; a serving process finds changed songs by it.
    """

    model_config = ConfigDict(extra="ignore")  # type: ignore[misc] # pydantic declares it a class variable

    import_key: str
    provenance: dict[str, Provenance] = Field(default_factory=dict)
    change_batch: str = ""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    class Settings:
        name = "songs"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("import_key", ASCENDING)], unique=True),
            IndexModel([("external_ids.spotify", ASCENDING)], unique=True, sparse=True),
            IndexModel([("external_ids.musicbrainz", ASCENDING)], unique=True, sparse=True),
            IndexModel([("external_ids.isrc", ASCENDING)], unique=True, sparse=True),
            IndexModel([("change_batch", ASCENDING)]),
        ]


class CatalogueChange(Document):
    """One entry of the catalogue's change log: ``_id`` counts up from 1 without a gap.

    Written after the songs it speaks of, so that a reader who has seen entry ``n`` needs only to ask
    for ``n + 1`` and then for the songs of its ``batch``.
    """

    id: int  # type: ignore[assignment]
    batch: str
    deleted_ids: list[PydanticObjectId] = Field(default_factory=list)
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    class Settings:
        name = "catalogue_changes"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("batch", ASCENDING)])]

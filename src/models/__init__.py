"""Documents stored in MongoDB, the bodies of requests and responses, and the exception tree."""

from beanie import Document

from src.models.audit import AuditEvent
from src.models.interactions import Interaction, TasteProfile
from src.models.operations import Impression, Job, ModelPointer, ModelRelease, Playlist
from src.models.songs import CatalogueChange, Song
from src.models.tokens import ApiToken, PasswordReset, RefreshToken
from src.models.users import User

DOCUMENTS: list[type[Document]] = [
    User,
    RefreshToken,
    ApiToken,
    PasswordReset,
    AuditEvent,
    Song,
    CatalogueChange,
    Interaction,
    TasteProfile,
    Playlist,
    Impression,
    Job,
    ModelRelease,
    ModelPointer,
]
"""Every document of the service; the database client creates their indexes at start."""

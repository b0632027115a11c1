"""Storing interactions: in whatever order they arrive, the profile is that of the order they happened in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.models.errors import InvalidRequestError, UnauthenticatedError
from src.models.interactions import Interaction, InteractionCreate, Kind, TasteProfile
from src.services.interactions import record
from src.services.taste import audio_of, build_profile, read_interactions, rebuild_profiles
from tests.conftest import SongJson, add_user

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=30)

Step = tuple[int, Kind, int]
steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(list(Kind)), st.integers(0, 20)), min_size=2, max_size=8)


def events_of(story: Sequence[Step], songs: list[SongJson]) -> list[InteractionCreate]:
    """Events at distinct times, numbered in the order they happened."""
    by_day = sorted(story, key=lambda step: step[2])
    return [
        InteractionCreate(
            song_id=songs[song]["id"], kind=kind, occurred_at=NOON + timedelta(days=day, minutes=n), event_id=f"e{n}"
        )
        for n, (song, kind, day) in enumerate(by_day)
    ]


async def profile_of(user: ObjectId) -> dict[str, Any]:
    found = await TasteProfile.get_pymongo_collection().find_one({"_id": user})
    assert found is not None
    return {name: value for name, value in found.items() if name not in ("_id", "n_writes")}


@given(story=steps, data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_a_late_event_leads_to_the_profile_of_the_order_things_happened_in(
    songs: list[SongJson], story: list[Step], data: st.DataObject
) -> None:
    in_order = events_of(story, songs)
    shuffled = data.draw(st.permutations(in_order))
    cut = data.draw(st.integers(0, len(shuffled)))
    arrived_in_order, arrived_late = [await add_user(str(ObjectId())) for _ in range(2)]
    for event in in_order:
        await record(arrived_in_order, [event], NOW, batch=False)
    for event in shuffled[:cut]:
        await record(arrived_late, [event], NOW, batch=False)
    if shuffled[cut:]:
        await record(arrived_late, shuffled[cut:], NOW, batch=True)
    expected = await profile_of(arrived_in_order)
    assert await profile_of(arrived_late) == expected
    told = await read_interactions(arrived_late)
    rebuilt = build_profile(arrived_late, told, await audio_of([event.song_id for event in told]))
    assert [event.event_id for event in told] == [event.event_id for event in in_order]
    await rebuild_profiles([arrived_in_order])
    assert await profile_of(arrived_in_order) == expected
    assert rebuilt.n_interactions == len(story)


async def test_a_replay_is_answered_as_stored_even_when_its_song_differs(songs: list[SongJson]) -> None:
    user = await add_user("ada")
    first = InteractionCreate(song_id=songs[0]["id"], kind=Kind.LIKE, event_id="e")
    other = InteractionCreate(song_id=songs[1]["id"], kind=Kind.SKIP, event_id="e")
    (stored,) = await record(user, [first], NOW, batch=False)
    answers = await record(user, [other, other], NOW + timedelta(days=1), batch=True)
    assert [answer.model_copy(update={"replayed": False}) for answer in answers] == [stored, stored]
    assert all(answer.replayed for answer in answers)


async def test_of_one_event_twice_in_a_batch_the_first_counts(songs: list[SongJson]) -> None:
    first = InteractionCreate(song_id=songs[0]["id"], kind=Kind.LIKE, event_id="e")
    second = InteractionCreate(song_id=songs[1]["id"], kind=Kind.SKIP, event_id="e")
    user = await add_user("ada")
    one, two = await record(user, [first, second], NOW, batch=True)
    assert (one.replayed, two.replayed) == (False, True)
    assert one.id == two.id
    assert one.kind == two.kind == Kind.LIKE


async def test_the_share_of_a_song_that_was_played_is_stored(songs: list[SongJson]) -> None:
    half = InteractionCreate(song_id=songs[0]["id"], kind=Kind.PLAY, ms_played=songs[0]["duration_ms"] // 2)
    user = await add_user("ada")
    await record(user, [half], NOW, batch=False)
    (stored,) = await Interaction.find_all().to_list()
    assert stored.completion == pytest.approx(0.5)


async def test_five_minutes_ahead_is_a_wrong_clock_and_more_is_refused(songs: list[SongJson]) -> None:
    def at(ahead: timedelta) -> InteractionCreate:
        return InteractionCreate(song_id=songs[0]["id"], kind=Kind.LIKE, occurred_at=NOW + ahead)

    user = await add_user("ada")
    (stored,) = await record(user, [at(timedelta(minutes=5))], NOW, batch=False)
    assert stored.occurred_at == NOW
    with pytest.raises(InvalidRequestError, match=r"^body\.occurred_at: .* is in the future"):
        await record(user, [at(timedelta(minutes=5, seconds=1))], NOW, batch=False)


async def test_an_account_that_is_gone_leaves_nothing_behind(songs: list[SongJson]) -> None:
    like = InteractionCreate(song_id=songs[0]["id"], kind=Kind.LIKE)
    with pytest.raises(UnauthenticatedError):
        await record(ObjectId(), [like], NOW, batch=False)
    assert await Interaction.find_all().count() == 0
    assert await TasteProfile.find_all().count() == 0

"""The player in a real browser, as a listener uses it."""

import io
import re
import wave
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from playwright.async_api import BrowserContext, Locator, Page, Request, Route, expect

from src.config.settings import Settings
from src.services.tokens import TokenIssuer, now_utc
from tests.conftest import TEST_SECRET
from tests.e2e.conftest import HOSTILE_ARTIST, HOSTILE_TITLE, PASSWORD, Enter

expect.set_options(timeout=20_000)
AXE = Path(__file__).parent / "axe" / "axe.min.js"


def title(page: Page) -> Locator:
    return page.locator("#card-title")


async def titles(page: Page) -> list[str]:
    """The song on the card and those up next."""
    return [await title(page).inner_text(), *await page.locator("#up-next .row-title").all_inner_texts()]


async def history_of(address: str, name: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=address) as api:
        answer = await api.post("/api/v1/auth/token", data={"username": name, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        items: list[dict[str, Any]] = (await api.get("/api/v1/users/me/history", headers=headers)).json()["items"]
        return items


async def test_from_registering_through_onboarding_to_a_like_that_changes_the_list(page: Page, address: str) -> None:
    await page.goto("/")
    await page.get_by_label("Name").fill("newcomer")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Start listening").click()

    await page.get_by_role("group", name="Genres").get_by_role("button", name="disco").click()
    offered = page.get_by_role("group", name="Songs to like")
    await expect(offered.get_by_role("button").first).to_have_accessible_name(re.compile("Disco"))
    for n in range(3):
        await offered.get_by_role("button").nth(n).click()
    await page.get_by_role("button", name="Show my first list").click()
    await expect(title(page)).to_contain_text("Disco")

    liked = await title(page).inner_text()
    before = await titles(page)
    await page.get_by_role("button", name="Like", exact=True).click()
    await expect(title(page)).not_to_have_text(liked)
    await expect(page.locator(".change")).to_contain_text(liked)
    after = await titles(page)
    assert liked not in after
    assert set(after) - set(before), "nothing new came in"
    assert [item["kind"] for item in await history_of(address, "newcomer")] == ["like"] * 4


async def test_a_wrong_password_is_a_sentence_and_the_form_stays(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="I have an account").click()
    await page.get_by_label("Name").fill("nobody")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    await expect(page.get_by_label("Name")).to_have_value("nobody")


async def test_dragging_the_mood_pad_brings_songs_like_that(page: Page, enter: Enter) -> None:
    await enter("Disco Song 10", "Rock Song 10")
    await expect(title(page)).not_to_contain_text("Ambient")
    box = await page.locator(".pad").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.9, steps=5)
    await page.mouse.up()
    await expect(title(page)).to_contain_text("Ambient")
    assert all("Ambient" in each for each in await titles(page))
    await expect(page.get_by_role("slider", name="Mood")).to_have_attribute(
        "aria-valuetext", re.compile("energy 1[01]")
    )

    liked = await title(page).inner_text()
    await page.keyboard.press("l")  # the pad has the focus now, and takes only the arrows
    await expect(title(page)).not_to_have_text(liked)
    await expect(title(page)).to_contain_text("Ambient")

    await page.get_by_role("button", name="Clear all").click()
    await expect(title(page)).not_to_contain_text("Ambient")


async def test_the_mood_pad_follows_the_arrow_keys_and_judges_no_song(page: Page, enter: Enter, address: str) -> None:
    name = await enter("Disco Song 10")
    await page.get_by_role("slider", name="Mood").focus()
    for _ in range(2):
        await page.keyboard.press("Shift+ArrowDown")
        await page.keyboard.press("Shift+ArrowLeft")
    await expect(title(page)).to_contain_text("Ambient")
    assert len(await history_of(address, name)) == 1


async def test_a_mood_chip_is_pressed_and_let_go(page: Page, enter: Enter) -> None:
    await enter("Ambient Song 10")
    calm = page.get_by_role("button", name="party", exact=True)
    await calm.click()
    await expect(calm).to_have_attribute("aria-pressed", "true")
    await expect(title(page)).to_contain_text("Disco")
    await calm.click()
    await expect(title(page)).to_contain_text("Ambient")


async def test_with_the_keyboard_alone_a_song_is_liked_skipped_and_disliked(
    page: Page, enter: Enter, address: str
) -> None:
    name = await enter("Rock Song 20")
    judged = []
    for key in ("l", "ArrowLeft", "d"):
        judged.append(await title(page).inner_text())
        await page.keyboard.press(key)
        await expect(title(page)).not_to_have_text(judged[-1])
    history = await history_of(address, name)
    assert [(item["kind"], item["song"]["title"]) for item in reversed(history[:3])] == list(
        zip(["like", "skip", "dislike"], judged, strict=True)
    )


async def test_every_control_of_the_card_is_reached_by_tab(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")
    reached = set()
    for _ in range(60):
        await page.keyboard.press("Tab")
        reached.add(
            await page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
        )
    assert {"Like", "Skip", "Dislike", "Sketch", "Mood: brightness and energy", "My taste"} <= reached
    liked = await title(page).inner_text()
    await page.get_by_role("button", name="Like", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(title(page)).not_to_have_text(liked)
    await expect(page.get_by_role("button", name="Like", exact=True)).to_be_focused()


async def test_what_changed_and_what_comes_next_are_spoken(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")
    liked = await title(page).inner_text()
    await page.keyboard.press("l")
    await expect(title(page)).not_to_have_text(liked)
    spoken = page.locator("#spoken[aria-live=polite]")
    await expect(spoken).to_contain_text(liked)
    await expect(spoken).to_contain_text(await title(page).inner_text())


async def swipe(page: Page, dx: int, dy: int = 0) -> None:
    """A finger across the card's art, in the events a touch screen gives."""
    await page.locator(".card-art").evaluate(
        """(art, [dx, dy]) => {
            const fire = (type, x, y) => art.dispatchEvent(new PointerEvent(type,
                { pointerId: 7, pointerType: "touch", isPrimary: true, bubbles: true, clientX: x, clientY: y }));
            fire("pointerdown", 200, 200);
            for (let i = 1; i <= 4; i += 1) fire("pointermove", 200 + dx * i / 4, 200 + dy * i / 4);
            fire("pointerup", 200 + dx, 200 + dy);
        }""",
        [dx, dy],
    )


async def test_a_swipe_right_likes_one_left_skips_and_a_short_one_does_nothing(
    page: Page, enter: Enter, address: str
) -> None:
    name = await enter("Rock Song 20")
    await swipe(page, 40)
    await swipe(page, 20, 300)
    for dx in (180, -180):
        swiped = await title(page).inner_text()
        await swipe(page, dx)
        await expect(title(page)).not_to_have_text(swiped)
    assert [item["kind"] for item in await history_of(address, name)] == ["skip", "like", "like"]


def silence(seconds: int = 20) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8_000 * seconds))
    return out.getvalue()


async def test_a_preview_is_played_stopped_by_a_skip_and_its_length_told(
    page: Page, enter: Enter, address: str
) -> None:
    async def with_media(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        for item in body["items"]:
            item["song"] |= {"preview_url": "/preview.wav", "art_url": "/missing.png"}
        await route.fulfill(response=answer, json=body)

    await page.route("**/api/v1/recommendations*", with_media)
    await page.route("**/preview.wav", lambda route: route.fulfill(body=silence(), content_type="audio/wav"))
    name = await enter("Rock Song 20")
    await expect(page.locator(".card-art svg.cover")).to_be_visible()  # the art is missing: its landscape stands in
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()
    await page.wait_for_timeout(300)
    skipped = await title(page).inner_text()
    await page.keyboard.press("s")
    await expect(title(page)).not_to_have_text(skipped)
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()  # whoever was listening goes on listening
    entry = (await history_of(address, name))[0]
    assert (entry["kind"], entry["song"]["title"]) == ("skip", skipped)
    assert entry["ms_played"] >= 300


async def test_a_preview_that_cannot_be_played_is_a_sentence(page: Page, enter: Enter) -> None:
    async def with_media(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        for item in body["items"]:
            item["song"]["preview_url"] = "/missing.wav"
        await route.fulfill(response=answer, json=body)

    await page.route("**/api/v1/recommendations*", with_media)
    await enter("Rock Song 20")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator(".notice")).to_contain_text("This preview cannot be played")
    await expect(page.get_by_role("button", name="Preview")).to_be_visible()


async def test_without_a_preview_a_sketch_is_played_and_stopped(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")
    await page.get_by_role("button", name="Sketch").click()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("button", name="Sketch")).to_be_visible()


async def test_settings_that_no_song_fits_say_so_and_offer_the_way_out(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")

    async def nothing(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json=await answer.json() | {"items": []})

    await page.route(re.compile("recommendations.*mood=calm"), nothing)
    await page.get_by_role("button", name="calm", exact=True).click()
    await expect(page.get_by_text("No song here fits all of that.")).to_be_visible()
    await page.get_by_role("button", name="Clear the settings").click()
    await expect(title(page)).to_be_visible()


async def test_an_opinion_can_be_taken_back(page: Page, enter: Enter, address: str) -> None:
    name = await enter("Rock Song 20")
    disliked = await title(page).inner_text()
    await page.keyboard.press("d")
    await page.get_by_role("button", name="Undo").click()
    await expect(title(page)).to_have_text(disliked)
    assert [item["kind"] for item in await history_of(address, name)] == ["unlike", "dislike", "like"]


async def test_markup_in_a_name_is_shown_as_it_is_written(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")
    await page.get_by_role("link", name="Search").click()
    await page.get_by_label("Song or artist").fill("onerror")
    row = page.locator("#results .song-row")
    await expect(row).to_have_count(1)
    await expect(row.locator(".row-title")).to_have_text(HOSTILE_TITLE)
    await row.click()
    await expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(HOSTILE_TITLE)
    await expect(page.get_by_role("dialog").locator(".artist")).to_have_text(HOSTILE_ARTIST)
    await page.get_by_role("dialog").get_by_role("button", name="Like", exact=True).click()
    await expect(page.locator(".notice")).to_contain_text(HOSTILE_TITLE)
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="My taste").click()
    await expect(page.locator(".history-row .row-title").first).to_have_text(HOSTILE_TITLE)
    assert await page.evaluate("window.stolen") is None


async def test_the_browser_itself_refuses_to_turn_text_into_markup(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto("/")
    refused = "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'done'; } catch (e) { return e.name; } })()"
    assert await page.evaluate(refused) == "TypeError"


async def test_an_expired_access_token_is_renewed_without_the_listener_noticing(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")
    old = TokenIssuer.of(Settings(_env_file=None, secret_key=TEST_SECRET, access_token_minutes=1))
    expired = old.access_token(ObjectId(), now_utc() - timedelta(hours=1))
    statuses: list[tuple[str, int]] = []
    page.on("response", lambda answer: statuses.append((answer.url.split("?")[0].rsplit("/", 1)[-1], answer.status)))

    async def age(route: Route) -> None:
        await route.continue_(headers={**route.request.headers, "authorization": f"Bearer {expired}"})

    await page.route("**/api/v1/interactions/batch", age, times=1)
    liked = await title(page).inner_text()
    await page.keyboard.press("l")
    await expect(title(page)).not_to_have_text(liked)
    assert statuses[:3] == [("batch", 401), ("refresh", 200), ("batch", 201)]


async def test_loading_the_page_again_resumes_the_session(page: Page, enter: Enter) -> None:
    name = await enter("Rock Song 20")
    await page.reload()
    await expect(title(page)).to_be_visible()
    await expect(page.get_by_role("button", name=f"Log out {name}")).to_be_visible()


@pytest.mark.parametrize("web_locks", [True, False])
async def test_tabs_that_wake_at_once_all_stay_logged_in(
    page: Page, enter: Enter, context: BrowserContext, web_locks: bool
) -> None:
    if not web_locks:  # as on plain http away from localhost
        await context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })")
    await enter("Rock Song 20")
    tabs = [page, await context.new_page(), await context.new_page()]
    for tab in tabs:
        await tab.goto("/", wait_until="commit")
    for tab in tabs:
        await expect(title(tab)).to_be_visible()
    await page.reload()  # the log-in itself survived, not only its access tokens
    await expect(title(page)).to_be_visible()


async def test_a_log_in_that_has_ended_leads_back_to_the_door_with_a_reason(
    page: Page, enter: Enter, context: BrowserContext
) -> None:
    await enter("Rock Song 20")
    await context.clear_cookies()
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("Your log-in has ended")
    await expect(page.get_by_role("button", name="Log in")).to_be_visible()


async def test_logging_out_leaves_nothing_behind(page: Page, enter: Enter, context: BrowserContext) -> None:
    name = await enter("Rock Song 20")
    await page.get_by_role("button", name=f"Log out {name}").click()
    await expect(page.get_by_role("heading", name="Make an account")).to_be_visible()
    assert await context.cookies() == []
    assert await page.evaluate("localStorage.getItem('madhur.known')") is None


async def test_no_script_can_read_a_token(page: Page, enter: Enter, context: BrowserContext) -> None:
    await enter("Rock Song 20")
    (cookie,) = await context.cookies()
    stored = await page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert cookie["value"] not in stored
    assert "eyJ" not in stored  # how every JWT begins


async def test_two_likes_without_a_connection_are_kept_and_sent_once(
    page: Page, enter: Enter, context: BrowserContext, address: str
) -> None:
    name = await enter("Rock Song 20")
    sent: list[Request] = []
    page.on("requestfinished", lambda request: sent.append(request) if "interactions" in request.url else None)
    await context.set_offline(True)
    liked = []
    for _ in range(2):
        liked.append(await title(page).inner_text())
        await page.keyboard.press("l")
        await expect(title(page)).not_to_have_text(liked[-1])
    await expect(page.locator(".notice").last).to_contain_text("2 opinions are kept here")
    assert len(await history_of(address, name)) == 1

    await context.set_offline(False)
    await expect(page.locator(".notice").last).to_contain_text("2 opinions sent")
    history = await history_of(address, name)
    assert [item["song"]["title"] for item in history[:2]] == liked[::-1]
    assert len(history) == 3
    assert len(sent) == 1
    await page.reload()
    await expect(title(page)).to_be_visible()
    assert len(await history_of(address, name)) == 3


async def test_likes_whose_answer_was_lost_are_sent_again_and_stored_once(
    page: Page, enter: Enter, address: str
) -> None:
    name = await enter("Rock Song 20")

    async def lose(route: Route) -> None:
        await route.fetch()  # the server has it, and the page will never know
        await route.abort()

    await page.route("**/api/v1/interactions/batch", lose, times=1)
    liked = await title(page).inner_text()
    await page.keyboard.press("l")
    await expect(title(page)).not_to_have_text(liked)
    await expect(page.locator(".notice").last).to_contain_text("1 opinion is kept here")
    await page.reload()
    await expect(title(page)).to_be_visible()
    assert await page.evaluate(
        "Object.entries(localStorage).filter(([k]) => k.includes('outbox')).map(([, v]) => v)"
    ) == ["[]"]
    assert [item["kind"] for item in await history_of(address, name)] == ["like", "like"]


async def test_search_suggests_while_typing_and_arrows_walk_the_results(page: Page, enter: Enter) -> None:
    await enter("Rock Song 20")
    await page.get_by_role("link", name="Search").click()
    box = page.get_by_label("Song or artist")
    await expect(box).to_be_focused()
    await box.press_sequentially("ambi son")
    await expect(page.locator("#results .row-title").first).to_contain_text("Ambient Song")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".song-row").first).to_be_visible()
    await expect(dialog.locator("dt").first).to_have_text("Energy")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await box.fill("zzzz")
    await expect(page.locator("#results")).to_contain_text("Nothing here is called “zzzz”")


async def test_the_taste_page_draws_and_says_what_is_believed_and_forgets_on_request(
    page: Page, enter: Enter, address: str
) -> None:
    name = await enter("Rock Song 20", "Rock Song 21")
    await page.get_by_role("link", name="My taste").click()
    await expect(page.get_by_role("img", name=re.compile("Your taste: energy 8"))).to_be_visible()
    await expect(page.locator(".figures")).to_contain_text("2 liked")
    await page.get_by_role("button", name=re.compile("Forget that I liked “Rock Song 20”")).click()
    await expect(page.locator(".figures")).to_contain_text("1 liked")
    assert (await history_of(address, name))[0]["kind"] == "unlike"


async def test_the_first_page_is_small(page: Page, address: str) -> None:
    await page.goto("/", wait_until="networkidle")
    size = await page.evaluate(
        "performance.getEntries().filter(e => 'transferSize' in e).reduce((sum, e) => sum + e.transferSize, 0)"
    )
    assert 0 < size < 60_000
    hosts = await page.evaluate(
        "[...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).origin))]"
    )
    assert hosts == [address]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_no_view_has_an_accessibility_violation(page: Page, enter: Enter, scheme: Any, width: int) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto("/")
    found = {"door": await violations(page)}
    await enter()
    found["onboarding"] = await violations(page)
    for n in range(3):
        await page.locator(".tile").nth(n).click()
    await page.get_by_role("button", name="Show my first list").click()
    await title(page).wait_for()
    await page.keyboard.press("l")
    await page.get_by_role("button", name="Undo").wait_for()
    found["discover"] = await violations(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    await page.locator(".title-button").click()
    await page.locator("dialog .song-row").first.wait_for()
    found["song"] = await violations(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Search").click()
    await page.locator("#results .song-row").first.wait_for()
    found["search"] = await violations(page)
    await page.get_by_role("link", name="My taste").click()
    await page.locator(".radar").wait_for()
    found["taste"] = await violations(page)
    assert {view: faults for view, faults in found.items() if faults} == {}


async def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now."""
    await page.evaluate(AXE.read_text("utf-8"))
    result = await page.evaluate("axe.run()")
    return [
        f"{v['id']}: {node['html']} {node['any'][:1] and node['any'][0]['message']}"
        for v in result["violations"]
        for node in v["nodes"]
    ]

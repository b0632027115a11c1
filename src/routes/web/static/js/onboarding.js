/** The first two minutes: pick what you like the sound of, like some songs, get a list. */

import { cover } from "./cover.js";
import { fill, h } from "./dom.js";
import { artists, count } from "./format.js";
import { icon } from "./icons.js";
import { get } from "./listener.js";
import { complain, explain, speak } from "./notices.js";
import { flush, put } from "./outbox.js";

/** @typedef {import("./api.js").Song} Song */

const GENRES = 18;
const SONGS = 12;
const ENOUGH = 3;

/**
 * @param {{name: string}[]} genres
 * @param {import("./api.js").Mood[]} moods
 * @param {() => void} done
 */
export function onboarding(genres, moods, done) {
  /** @type {Set<string>} */
  const picked = new Set();
  /** @type {string | null} */
  let mood = null;
  /** @type {Map<string, Song>} */
  const liked = new Map();

  const genreChips = genres.slice(0, GENRES).map(({ name }) => chip(name, () => toggle(picked, name)));
  const moodChips = moods.map((each) => chip(each.name, () => (mood = mood === each.name ? null : each.name), each.description));
  const grid = h("div", { class: "song-grid", role: "group", "aria-label": "Songs to like" });
  const start = /** @type {HTMLButtonElement} */ (h("button", { class: "pill primary", type: "button", onclick: () => void finish() }));
  const element = h("section", { class: "page onboarding", "aria-labelledby": "onboarding-title" },
    h("h1", { id: "onboarding-title" }, "What do you like?"),
    h("p", { class: "lede" }, "Pick some genres or a mood, then like the songs you know or would try."),
    h("h2", {}, "Genres"), h("div", { class: "chips", role: "group", "aria-label": "Genres" }, ...genreChips),
    h("h2", {}, "Mood"), h("div", { class: "chips", role: "group", "aria-label": "Moods" }, ...moodChips),
    h("h2", {}, "Songs"), grid,
    h("div", { class: "onboarding-foot" }, start, h("button", { class: "text-button", type: "button", onclick: done }, "Skip this")));

  /** @param {string} name @param {() => void} flip @param {string} [title] */
  function chip(name, flip, title) {
    return h("button", { class: "chip", type: "button", "aria-pressed": "false", title, onclick: () => {
      flip();
      genreChips.forEach((each) => each.setAttribute("aria-pressed", String(picked.has(each.textContent ?? ""))));
      moodChips.forEach((each) => each.setAttribute("aria-pressed", String(each.textContent === mood)));
      void offer();
    } }, name);
  }

  async function offer() {
    try {
      const answer = await get("/api/v1/recommendations", { limit: SONGS, genres: [...picked], mood, diversity: 0.6 });
      const songs = /** @type {Song[]} */ (answer.items.map((/** @type {{song: Song}} */ item) => item.song));
      const kept = [...liked.values()].filter((song) => !songs.some((each) => each.id === song.id));
      if (!songs.length && !kept.length) explain(grid, "No song here is all of that. Pick less, or other genres.");
      else fill(grid, ...[...kept, ...songs].map(tile));
      speak(`${count(songs.length, "song")} to choose from`);
    } catch (error) {
      complain(error, () => void offer());
    }
  }

  /** @param {Song} song */
  function tile(song) {
    const button = h("button", { class: "tile", type: "button", "aria-pressed": String(liked.has(song.id)), onclick: () => {
      if (!liked.delete(song.id)) liked.set(song.id, song);
      button.setAttribute("aria-pressed", String(liked.has(song.id)));
      draw();
    } },
      h("span", { class: "tile-art" }, cover(song), h("span", { class: "tile-heart" }, icon("like"))),
      h("span", { class: "row-title" }, song.title), h("span", { class: "row-artist" }, artists(song)));
    return button;
  }

  function draw() {
    const missing = ENOUGH - liked.size;
    start.disabled = liked.size === 0;
    fill(start, missing > 0 ? `Like ${missing}${liked.size ? " more" : ""} for a good start` : "Show my first list");
  }

  async function finish() {
    start.disabled = true;
    for (const id of liked.keys()) put(id, "like");
    await flush().catch(complain);
    done();
  }

  draw();
  return { element, show: offer, hide: () => {} };
}

/** @param {Set<string>} set @param {string} value */
function toggle(set, value) {
  if (!set.delete(value)) set.add(value);
}

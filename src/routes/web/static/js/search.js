/** Searching the catalogue, with suggestions while typing. */

import { send } from "./api.js";
import { debounced, fill, h } from "./dom.js";
import { count, duration } from "./format.js";
import { complain, explain, speak } from "./notices.js";
import { openSong } from "./songdialog.js";
import { songRow } from "./songs.js";

/** @typedef {import("./api.js").Song} Song */

const PAUSE_MS = 140;

export function search() {
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "search", id: "search-box", autocomplete: "off", spellcheck: "false",
    placeholder: "A title, an artist, or the beginning of one", oninput: () => ask(), onkeydown: intoResults }));
  const results = h("div", { class: "row-list wide", id: "results", onkeydown: alongResults });
  const more = h("button", { class: "pill", type: "button", hidden: true, onclick: () => void load(true) }, "More");
  const element = h("section", { class: "page search", "aria-labelledby": "search-title" },
    h("h1", { id: "search-title" }, "Search"), h("label", { class: "visually-hidden", for: "search-box" }, "Song or artist"), input, results, more);
  /** @type {AbortController | null} */
  let asking = null;
  /** @type {string | null} */
  let cursor = null;
  const ask = debounced(() => void load(false), PAUSE_MS);

  /** @param {boolean} onward */
  async function load(onward) {
    asking?.abort();
    asking = new AbortController();
    const query = input.value.trim();
    try {
      const page = await send("GET", "/api/v1/songs", { query: { query, limit: 24, cursor: onward ? cursor : null }, signal: asking.signal });
      const rows = page.items.map((/** @type {Song} */ song) => songRow(song, openSong, h("span", { class: "row-end" }, duration(song.duration_ms))));
      if (onward) results.append(...rows);
      else if (rows.length) fill(results, ...rows);
      else explain(results, `Nothing here is called “${query}”. Try the first letters of one word.`);
      cursor = page.next_cursor;
      more.hidden = !cursor;
      if (query) speak(cursor ? "Many songs found" : `${count(rows.length, "song")} found`);
    } catch (error) {
      complain(error, () => void load(onward));
    }
  }

  /** @param {KeyboardEvent} event */
  function intoResults(event) {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    /** @type {HTMLElement | null} */ (results.querySelector("button"))?.focus();
  }

  /** @param {KeyboardEvent} event */
  function alongResults(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step) return;
    event.preventDefault();
    const here = /** @type {any} */ (document.activeElement);
    (here?.[step] ?? (event.key === "ArrowUp" ? input : here))?.focus();
  }

  return { element, show: () => (input.focus({ preventScroll: true }), load(false)), hide: () => asking?.abort() };
}

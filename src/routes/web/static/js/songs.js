/** Songs as rows and as bars, wherever they are listed. */

import { cover } from "./cover.js";
import { h } from "./dom.js";
import { artists, FEATURES } from "./format.js";

/** @typedef {import("./api.js").Song} Song */

/**
 * A row that is a button.
 * @param {Song} song
 * @param {(song: Song) => void} open
 * @param {...import("./dom.js").Child} extra shown at its end
 */
export function songRow(song, open, ...extra) {
  return h("button", { class: "song-row", type: "button", onclick: () => open(song) },
    h("span", { class: "thumb" }, cover(song)),
    h("span", { class: "row-words" }, h("span", { class: "row-title" }, song.title), h("span", { class: "row-artist" }, artists(song))),
    ...extra);
}

/** What a song sounds like, as bars with numbers. @param {Song} song */
export function bars(song) {
  const known = FEATURES.filter(([name]) => typeof song.audio_features[name] === "number");
  if (!known.length) return h("p", { class: "hint" }, "Nothing is known of its sound yet.");
  return h("dl", { class: "bars" }, ...known.map(([name, label]) => {
    const percent = Math.round(Number(song.audio_features[name]) * 100);
    const bar = h("span", { class: "bar-fill" });
    bar.style.width = `${percent}%`;
    return h("div", {}, h("dt", {}, label), h("dd", {}, h("span", { class: "bar-track", "aria-hidden": "true" }, bar), h("span", { class: "bar-number" }, percent)));
  }));
}

/** @param {string[]} genres */
export const genreTags = (genres) => h("ul", { class: "tags", "aria-label": "Genres" }, ...genres.slice(0, 4).map((genre) => h("li", {}, genre)));

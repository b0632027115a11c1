/** The big card: one song, why it is here, and what to do with it. */

import { cover, hueOf } from "./cover.js";
import { fill, h } from "./dom.js";
import { artists, facts } from "./format.js";
import { icon } from "./icons.js";
import { isPlaying } from "./sound.js";
import { genreTags } from "./songs.js";
import { swipeable } from "./swipe.js";

/** @typedef {import("./api.js").Recommendation} Recommendation */
/** @typedef {{act: (kind: "like" | "skip" | "dislike") => void, listen: () => void, open: () => void}} Actions */

/** @param {Actions} actions */
export function songCard(actions) {
  const art = h("div", { class: "card-art" });
  const words = h("div", { class: "card-words" });
  const listen = h("button", { class: "act act-listen", type: "button", "aria-keyshortcuts": "Space", onclick: actions.listen });
  const act = (/** @type {"like" | "skip" | "dislike"} */ kind, /** @type {string} */ word, /** @type {string} */ keys) =>
    h("button", { class: `act act-${kind}`, type: "button", "aria-keyshortcuts": keys, title: `${word} (${keys.split(" ")[0]})`, onclick: () => actions.act(kind) }, icon(kind), h("span", {}, word));
  const buttons = h("div", { class: "card-actions", role: "group", "aria-label": "What do you think?" },
    act("dislike", "Dislike", "D ArrowDown"), act("skip", "Skip", "S ArrowLeft"), act("like", "Like", "L ArrowRight"), listen);
  const element = h("article", { class: "card", "aria-labelledby": "card-title" }, art, h("div", { class: "card-side" }, words, buttons));
  swipeable(art, (direction) => actions.act(direction === "right" ? "like" : "skip"));

  /** @param {Recommendation} item */
  function show({ song, reasons }) {
    document.documentElement.style.setProperty("--hue", String(hueOf(song)));
    fill(art, cover(song));
    fill(words,
      h("p", { class: "kicker" }, facts(song)),
      h("h1", { id: "card-title" }, h("button", { class: "title-button", type: "button", title: "More about this song", onclick: actions.open }, song.title)),
      h("p", { class: "artist" }, artists(song)), genreTags(song.genres),
      h("div", { class: "why" }, h("h2", {}, "Why it is here"), h("ul", {}, ...reasons.map((reason) => h("li", {}, reason.text)))));
    showSound(song);
  }

  /** @param {import("./api.js").Song} song */
  function showSound(song) {
    const on = isPlaying(song);
    fill(listen, icon(on ? "pause" : "play"), h("span", {}, on ? "Stop" : song.preview_url ? "Preview" : "Sketch"));
    listen.setAttribute("title", song.preview_url ? "Hear the preview (space)" : "No preview: hear a sketch made from its tempo, key and mood (space)");
    element.classList.toggle("is-playing", on);
  }

  return { element, art, buttons, show, showSound };
}

/** What the service believes of the listener, what that came from, and a way to take it back. */

import { fill, h } from "./dom.js";
import { ago, named } from "./format.js";
import { icon } from "./icons.js";
import { get } from "./listener.js";
import { complain, explain, notify } from "./notices.js";
import { flush, put } from "./outbox.js";
import { radar } from "./radar.js";
import { openSong } from "./songdialog.js";
import { songRow } from "./songs.js";

/** @typedef {{id: string, kind: import("./outbox.js").Kind, occurred_at: string, song: import("./api.js").Song | null}} HistoryItem */

const WORDS = { like: "liked", unlike: "taken back", skip: "skipped", dislike: "disliked", play: "played" };

export function taste() {
  const portrait = h("div", { class: "portrait" });
  const list = h("ol", { class: "row-list wide" });
  const more = h("button", { class: "pill", type: "button", hidden: true, onclick: () => void loadHistory(true) }, "More");
  const element = h("section", { class: "page taste", "aria-labelledby": "taste-title" },
    h("h1", { id: "taste-title" }, "My taste"), portrait, h("h2", {}, "History"), list, more);
  /** @type {string | null} */
  let cursor = null;

  async function load() {
    try {
      await flush().catch(() => null);
      drawTaste(await get("/api/v1/users/me/taste"));
      await loadHistory(false);
    } catch (error) {
      complain(error, () => void load());
    }
  }

  /** @param {{n_interactions: number, n_liked: number, n_disliked: number, audio_mean: Record<string, number | null>}} known */
  function drawTaste(known) {
    if (!Object.values(known.audio_mean).some((value) => value !== null))
      return explain(portrait, "Nothing is known of your taste yet. Like a few songs and it is drawn here.", h("a", { class: "pill", href: "#/discover" }, "Discover"));
    const tempo = known.audio_mean.tempo_bpm;
    fill(portrait, radar(known.audio_mean, "Your taste"),
      h("div", {},
        h("p", { class: "lede" }, describe(known.audio_mean)),
        h("ul", { class: "figures" }, figure(known.n_liked, "liked"), figure(known.n_disliked, "disliked"), figure(known.n_interactions, "opinions and plays"), tempo && figure(Math.round(tempo), "BPM on average"))));
  }

  /** @param {boolean} onward */
  async function loadHistory(onward) {
    const page = await get("/api/v1/users/me/history", { limit: 20, cursor: onward ? cursor : null });
    const rows = page.items.map(historyRow);
    if (onward) list.append(...rows);
    else if (rows.length) fill(list, ...rows);
    else fill(list, h("li", { class: "hint" }, "Nothing yet."));
    cursor = page.next_cursor;
    more.hidden = !cursor;
  }

  /** @param {HistoryItem} item */
  function historyRow({ kind, song, occurred_at }) {
    if (!song) return h("li", { class: "hint" }, `A song that has left the catalogue, ${WORDS[kind]} ${ago(occurred_at)}`);
    const forget = () => {
      put(song.id, "unlike");
      notify(`Forgotten: ${named(song)}.`);
      void load();
    };
    return h("li", { class: "history-row" },
      songRow(song, openSong, h("span", { class: `row-end kind-${kind}` }, kind === "play" || kind === "like" || kind === "skip" || kind === "dislike" ? icon(kind) : icon("undo"), `${WORDS[kind]} ${ago(occurred_at)}`)),
      (kind === "like" || kind === "dislike") && h("button", { class: "icon-button", type: "button", "aria-label": `Forget that I ${WORDS[kind]} ${named(song)}`, title: "Forget this", onclick: forget }, icon("undo")));
  }

  addEventListener("madhur:opinion", () => element.isConnected && !element.hidden && void load());
  return { element, show: load, hide: () => {} };
}

/** @param {number} n @param {string} word */
const figure = (n, word) => h("li", {}, h("strong", {}, n), ` ${word}`);

/** One sentence about a mean. @param {Record<string, number | null>} mean */
function describe(mean) {
  const level = (/** @type {string} */ name, /** @type {string} */ low, /** @type {string} */ middle, /** @type {string} */ high) => {
    const value = mean[name];
    return value === null || value === undefined ? middle : value < 0.36 ? low : value > 0.62 ? high : middle;
  };
  return `You lean towards ${level("energy", "quiet", "balanced", "energetic")}, ${level("valence", "darker", "bittersweet", "bright")} songs ${level("danceability", "more for listening than dancing", "with some swing", "made to dance to")}${(mean.acousticness ?? 0) > 0.5 ? ", and acoustic ones" : ""}${(mean.instrumentalness ?? 0) > 0.5 ? ", often without words" : ""}.`;
}


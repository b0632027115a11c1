/** The discover loop: a song, an opinion, and a list that has already taken it in. */

import { OfflineError } from "./api.js";
import { songCard } from "./card.js";
import { changes } from "./changes.js";
import { calmMotion, fill, h } from "./dom.js";
import { count, named } from "./format.js";
import { icon } from "./icons.js";
import { get } from "./listener.js";
import { complain, explain, notify, speak } from "./notices.js";
import { flush, put, waiting } from "./outbox.js";
import { openSong } from "./songdialog.js";
import { bars, songRow } from "./songs.js";
import * as sound from "./sound.js";
import { steering } from "./steering.js";

/** @typedef {import("./api.js").Recommendation} Recommendation */
/** @typedef {import("./outbox.js").Kind} Kind */

const LIST = 9;
const FEW = 3;
const PROMISE = "Every like and skip changes what comes next.";
const COUNTED_MS = 5_000;
const KEYS = /** @type {Record<string, "like" | "skip" | "dislike">} */ ({ l: "like", ArrowRight: "like", s: "skip", ArrowLeft: "skip", d: "dislike", ArrowDown: "dislike" });

/** @param {import("./api.js").Mood[]} moods */
export function discover(moods) {
  /** @type {Recommendation[]} the song on the card first */
  let list = [];
  let fresh = new Set();
  let busy = false;
  let away = false; // the last answer did not come
  /** @type {AbortController | null} */
  let asking = null;

  const card = songCard({ act, listen, open: () => list[0] && openSong(list[0].song) });
  const wheel = steering(moods, () => void follow());
  const change = h("div", { class: "change" });
  const upNext = h("ol", { class: "row-list", id: "up-next" });
  const nothing = h("div", { hidden: true });
  const sounds = h("div", { class: "panel sound" });
  const fallback = h("p", { class: "hint", hidden: true });
  const element = h("section", { class: "discover", "aria-label": "Discover" },
    h("div", { class: "stage" }, wheel.chips, change, card.element, nothing, fallback,
      h("p", { class: "hint keys" }, h("kbd", {}, "L"), " like ", h("kbd", {}, "S"), " skip ", h("kbd", {}, "D"), " dislike ", h("kbd", {}, "space"), " listen"),
      sounds),
    h("aside", { class: "rail", "aria-label": "Steer" }, h("div", { class: "panel" }, h("h2", {}, "Steer the mood"), wheel.wheel),
      h("div", { class: "panel" }, h("h2", {}, "Up next"), upNext)));

  async function fetchList() {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const ask = (/** @type {boolean} */ near) =>
      get("/api/v1/recommendations", { limit: LIST, exclude_song_ids: waiting().map((entry) => entry.song_id), ...wheel.query(near) }, signal);
    let answer = await ask(wheel.hasTargets());
    if (answer.items.length < FEW && wheel.hasTargets()) answer = await ask(false);
    away = false;
    fallback.hidden = !answer.is_fallback;
    fallback.textContent = answer.fallback_reason ?? "";
    return /** @type {Recommendation[]} */ (answer.items);
  }

  function draw() {
    const [now, ...next] = list;
    card.element.hidden = !now;
    nothing.hidden = Boolean(now);
    sounds.hidden = !now;
    if (now) {
      card.show(now);
      fill(sounds, h("h2", {}, "How it sounds"), bars(now.song));
    } else if (away) explain(nothing, "That was the last song kept here. More come when the connection is back.", h("button", { class: "pill", onclick: () => void follow() }, "Try again"));
    else
      explain(nothing, wheel.isSteered() ? "No song here fits all of that." : "You have heard everything there is for now.",
        wheel.isSteered() ? h("button", { class: "pill", onclick: wheel.clearAll }, "Clear the settings") : h("a", { class: "pill", href: "#/search" }, "Search the catalogue"));
    fill(upNext, ...next.map((item) => h("li", {}, songRow(item.song, () => jump(item), fresh.has(item.song.id) && h("span", { class: "badge" }, "new")))));
  }

  /** Bring a song of the list onto the card. @param {Recommendation} item */
  function jump(item) {
    sound.stop();
    list = [item, ...list.filter((each) => each !== item)];
    draw();
    speak(`Now ${named(item.song)}`);
  }

  /** @param {string} text @param {(() => void) | null} undo */
  function say(text, undo) {
    change.classList.toggle("is-quiet", !text);
    fill(change, h("p", {}, text || PROMISE), undo && h("button", { class: "text-button", type: "button", onclick: undo }, icon("undo"), "Undo"));
    speak([text, list[0] && `Now ${named(list[0].song)}. ${list[0].reasons[0]?.text ?? ""}`].filter(Boolean).join(" "));
  }

  /** @param {"like" | "skip" | "dislike"} kind */
  async function act(kind) {
    const acted = list[0];
    if (!acted || busy) return;
    busy = true;
    const listening = sound.isOn();
    try {
      await judge(acted, kind, sound.stop());
    } finally {
      busy = false;
    }
    if (listening && list[0]) listen();
  }

  /** @param {Recommendation} acted @param {"like" | "skip" | "dislike"} kind @param {number} heard milliseconds */
  async function judge(acted, kind, heard) {
    put(acted.song.id, kind, heard);
    if (kind !== "skip" && heard >= COUNTED_MS) put(acted.song.id, "play", heard);
    const before = list.slice(1);
    const left = leave(kind);
    try {
      list = await flush().then(fetchList);
    } catch (error) {
      list = before;
      if (error instanceof OfflineError) offline();
      else complain(error, () => void follow());
    }
    await left;
    const { text, fresh: arrived } = changes(kind, acted, before, list);
    fresh = arrived;
    draw();
    say(text, kind === "skip" ? null : () => void takeBack(acted));
  }

  /** @param {Recommendation} acted */
  async function takeBack(acted) {
    put(acted.song.id, "unlike");
    await follow();
    list = [acted, ...list.filter((item) => item.song.id !== acted.song.id)].slice(0, LIST);
    draw();
    say(`Taken back: “${acted.song.title}”.`, null);
  }

  function offline() {
    away = true;
    notify(`No connection. ${count(waiting().length, "opinion is", "opinions are")} kept here and sent when it is back.`);
  }

  /** Ask again: the settings, or what the server knows, have changed. */
  async function follow() {
    const before = new Set(list.map((item) => item.song.id));
    try {
      await flush();
      list = await fetchList();
      fresh = before.size ? new Set(list.map((item) => item.song.id).filter((id) => !before.has(id))) : new Set();
      draw();
      say("", null);
    } catch (error) {
      if (error instanceof OfflineError && waiting().length) offline();
      else complain(error, () => void follow());
    }
  }

  /** An opinion was given or delivered elsewhere: what comes next takes it in, the song on the card stays. */
  async function refreshNext() {
    if (!element.isConnected || busy) return;
    if (!list.length) return follow();
    try {
      const [now] = list;
      const next = await fetchList();
      list = [now, ...next.filter((item) => item.song.id !== now.song.id)].slice(0, LIST);
      draw();
    } catch (error) {
      complain(error);
    }
  }
  addEventListener("madhur:opinion", () => void refreshNext());

  /** The card goes off the way it was judged. @param {string} kind */
  async function leave(kind) {
    if (calmMotion()) return;
    const away = { like: "translateX(60px) rotate(4deg)", skip: "translateX(-60px) rotate(-4deg)", dislike: "translateY(50px)" }[kind];
    await card.art.animate([{}, { transform: away, opacity: 0 }], { duration: 170, easing: "ease-in" }).finished.catch(() => null);
  }

  function listen() {
    const [now] = list;
    if (!now) return;
    if (sound.isPlaying(now.song)) sound.stop();
    else sound.play(now.song).catch(complain);
  }
  sound.onChange(() => list[0] && card.showSound(list[0].song));

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
    const isLetter = event.key.length === 1 && event.key !== " ";
    if (target.closest("input:not([type=range]), textarea, select")) return;
    if (target.closest("input, [role=slider]") && !isLetter) return; // arrows move the slider that has them
    if (event.key === " " && !target.closest("button, a, summary")) {
      event.preventDefault();
      return listen();
    }
    const kind = KEYS[isLetter ? event.key.toLowerCase() : event.key];
    if (!kind) return;
    event.preventDefault();
    void act(kind);
  }

  return {
    element,
    show: () => {
      document.addEventListener("keydown", onKey);
      return follow();
    },
    hide: () => {
      document.removeEventListener("keydown", onKey);
      sound.stop();
    },
  };
}

/** Everything about one song, over the page. */

import { send } from "./api.js";
import { cover, hueOf } from "./cover.js";
import { fill, h } from "./dom.js";
import { artists, facts, named } from "./format.js";
import { icon } from "./icons.js";
import { complain, notify } from "./notices.js";
import { flush, put } from "./outbox.js";
import { isPlaying, play, stop } from "./sound.js";
import { bars, genreTags, songRow } from "./songs.js";

/** @typedef {import("./api.js").Song} Song */

/** @param {Song} song */
export function openSong(song) {
  const body = h("div", { class: "dialog-body" });
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "song-dialog", "aria-labelledby": "dialog-title", onclose: () => {
    stop();
    dialog.remove();
  } },
    h("button", { class: "icon-button dialog-close", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")), body));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  show(song);
  dialog.showModal();

  /** @param {Song} shown */
  function show(shown) {
    stop();
    dialog.style.setProperty("--hue", String(hueOf(shown)));
    const similar = h("div", { class: "row-list" }, h("p", { class: "hint" }, "Looking for songs like it …"));
    const listen = h("button", { class: "pill", type: "button", onclick: async () => {
      if (isPlaying(shown)) stop();
      else await play(shown).catch(complain);
      label();
    } });
    const label = () => fill(listen, icon(isPlaying(shown) ? "pause" : "play"), isPlaying(shown) ? "Stop" : shown.preview_url ? "Preview" : "Sketch of its sound");
    label();
    fill(body,
      h("div", { class: "dialog-head" }, h("div", { class: "dialog-cover" }, cover(shown)),
        h("div", {}, h("h2", { id: "dialog-title", tabindex: -1 }, shown.title), h("p", { class: "artist" }, artists(shown)),
          h("p", { class: "hint" }, [shown.album, facts(shown)].filter(Boolean).join(" · ")), genreTags(shown.genres),
          h("div", { class: "dialog-actions" }, listen, opinion("like", "Like"), opinion("dislike", "Dislike")))),
      h("h3", {}, "How it sounds"), bars(shown), h("h3", {}, "Similar songs"), similar);
    dialog.scrollTop = 0;
    if (dialog.open) /** @type {HTMLElement} */ (body.querySelector("h2")).focus();
    send("GET", `/api/v1/songs/${shown.id}/similar`, { query: { limit: 8 } }).then(
      (page) => fill(similar, ...(page.items.length ? page.items.map((/** @type {{song: Song, reasons: {text: string}[]}} */ item) =>
        songRow(item.song, show)) : [h("p", { class: "hint" }, "Nothing here is like it yet.")])),
      (error) => fill(similar, h("p", { class: "hint" }, error.message)));

    /** @param {"like" | "dislike"} kind @param {string} word */
    function opinion(kind, word) {
      return h("button", { class: "pill", type: "button", onclick: async () => {
        put(shown.id, kind);
        notify(kind === "like" ? `You like ${named(shown)}.` : `${named(shown)} will not be offered again.`);
        await flush().catch(complain);
        dispatchEvent(new CustomEvent("madhur:opinion"));
      } }, icon(kind), word);
    }
  }
}

/** What the page has to say: in a corner for the eyes, in a live region for the ears. */

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const LIFE_MS = 9_000;

/** Speak to whoever listens to the page. @param {string} text */
export function speak(text) {
  const region = /** @type {HTMLElement} */ (document.getElementById("spoken"));
  region.textContent = "";
  requestAnimationFrame(() => (region.textContent = text));
}

/**
 * A message that goes by itself, with at most one way out.
 * @param {string} text
 * @param {{label: string, act: () => void}} [action]
 * @param {{stays?: boolean}} [options]
 */
export function notify(text, action, { stays = false } = {}) {
  const corner = /** @type {HTMLElement} */ (document.getElementById("notices"));
  const close = () => notice.remove();
  const button = action && h("button", { class: "text-button", onclick: () => (close(), action.act()) }, action.label);
  const notice = h("div", { class: "notice" }, h("p", {}, text), button,
    h("button", { class: "icon-button", "aria-label": "Close this message", onclick: close }, icon("close")));
  for (const old of [...corner.children].filter((each) => each.firstChild?.textContent === text)) old.remove();
  corner.append(notice);
  if (corner.children.length > 3) corner.firstElementChild?.remove();
  speak(text);
  if (!stays) setTimeout(close, LIFE_MS);
  return close;
}

/**
 * Show why something failed and how to go on.
 * @param {unknown} error
 * @param {() => void} [again]
 */
export function complain(error, again) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const text = error instanceof Error ? error.message : "Something went wrong. Load the page again.";
  notify(text, again && { label: "Try again", act: again });
}

/** @param {Element} place @param {string} text @param {...import("./dom.js").Child} ways */
export const explain = (place, text, ...ways) => fill(place, h("div", { class: "empty" }, h("p", {}, text), ...ways));

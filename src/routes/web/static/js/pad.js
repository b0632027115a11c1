/** The mood pad: brightness across, energy up; the named moods stand where their rules lie. */

import { h } from "./dom.js";

/** @typedef {import("./api.js").Mood} Mood */
/** @typedef {{valence: number, energy: number}} Point */

const STEP = 0.05;
const clamp = (/** @type {number} */ x) => Math.min(1, Math.max(0, x));

/** Middle of the range in which a mood fits fully, null when it says nothing of the feature. @param {Mood} mood @param {string} feature */
function middle(mood, feature) {
  const fit = mood.rule.find((each) => each.feature === feature);
  return fit ? ((fit.full_from ?? 0) + (fit.full_to ?? 1)) / 2 : null;
}

/**
 * Where to write each mood. One whose rule leaves an axis open is put where there is most room along it.
 * @param {Mood[]} moods
 * @returns {(Point & {mood: Mood})[]}
 */
export function places(moods) {
  /** @type {(Point & {mood: Mood})[]} */
  const placed = [];
  const open = (/** @type {Mood} */ mood) => Number(middle(mood, "valence") === null) + Number(middle(mood, "energy") === null);
  for (const mood of [...moods].sort((a, b) => open(a) - open(b))) {
    const valence = middle(mood, "valence");
    const energy = middle(mood, "energy");
    const along = (/** @type {number | null} */ x) => (x === null ? [0.14, 0.26, 0.38, 0.5, 0.62, 0.74, 0.86] : [x]);
    let best = { valence: 0.5, energy: 0.5, room: -1 };
    for (const v of along(valence)) {
      for (const e of along(energy)) {
        // Words are wide and low: a step up parts two of them sooner than a step aside.
        const room = Math.min(9, ...placed.map((p) => Math.hypot((p.valence - v) / 2.2, p.energy - e)));
        if (room > best.room) best = { valence: v, energy: e, room };
      }
    }
    placed.push({ mood, valence: clamp(best.valence), energy: clamp(best.energy) });
  }
  return partWords(placed);
}

/** Two moods with nearly one rule would be written over each other: part them up and down until both can be read. @param {(Point & {mood: Mood})[]} placed */
function partWords(placed) {
  for (let round = 0; round < 40; round += 1) {
    for (const [i, a] of placed.entries()) {
      for (const b of placed.slice(i + 1)) {
        if (Math.abs(a.valence - b.valence) > 0.24 || Math.abs(a.energy - b.energy) > 0.085) continue;
        const push = a.energy > b.energy ? 0.01 : -0.01;
        a.energy = clamp(a.energy + push);
        b.energy = clamp(b.energy - push);
      }
    }
  }
  return placed;
}

/**
 * @param {Mood[]} moods
 * @param {(point: Point) => void} moved
 */
export function moodPad(moods, moved) {
  const thumb = h("div", {
    class: "pad-thumb", role: "slider", tabindex: 0, "aria-label": "Mood: brightness and energy", "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-valuenow": 50, "aria-valuetext": "not set", "aria-describedby": "pad-help",
  });
  const pad = h("div", { class: "pad" },
    h("span", { class: "pad-axis pad-top", "aria-hidden": "true" }, "energetic"), h("span", { class: "pad-axis pad-bottom", "aria-hidden": "true" }, "calm"),
    h("span", { class: "pad-axis pad-left", "aria-hidden": "true" }, "dark"), h("span", { class: "pad-axis pad-right", "aria-hidden": "true" }, "bright"),
    ...places(moods).map((place) => {
      const label = h("span", { class: "pad-mood", "aria-hidden": "true" }, place.mood.name);
      at(label, { valence: 0.09 + 0.82 * place.valence, energy: 0.07 + 0.86 * place.energy });
      return label;
    }),
    thumb);

  /** @type {Point | null} */
  let point = null;

  /** @param {Point | null} to */
  function set(to) {
    point = to;
    pad.classList.toggle("is-set", to !== null);
    at(/** @type {HTMLElement} */ (thumb), to ?? { valence: 0.5, energy: 0.5 });
    const percent = (/** @type {number} */ x) => Math.round(x * 100);
    thumb.setAttribute("aria-valuenow", String(percent((to ?? { valence: 0.5 }).valence)));
    thumb.setAttribute("aria-valuetext", to ? `brightness ${percent(to.valence)}, energy ${percent(to.energy)} of 100` : "not set");
  }

  /** @param {Point} to */
  function move(to) {
    set({ valence: clamp(to.valence), energy: clamp(to.energy) });
    moved(/** @type {Point} */ (point));
  }

  /** @param {PointerEvent} event */
  function follow(event) {
    const box = pad.getBoundingClientRect();
    move({ valence: (event.clientX - box.left) / box.width, energy: 1 - (event.clientY - box.top) / box.height });
  }
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    thumb.focus({ preventScroll: true });
    event.preventDefault();
    follow(event);
  });
  pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && follow(event));
  thumb.addEventListener("keydown", (event) => {
    const [right, up] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!right && !up) return;
    event.preventDefault();
    event.stopPropagation(); // the same keys like and skip elsewhere on the page
    const from = point ?? { valence: 0.5, energy: 0.5 };
    const step = event.shiftKey ? STEP * 4 : STEP;
    move({ valence: from.valence + right * step, energy: from.energy + up * step });
  });
  set(null);
  return { element: pad, set };
}

/** @param {HTMLElement} node @param {Point} point */
function at(node, point) {
  node.style.left = `${point.valence * 100}%`;
  node.style.top = `${(1 - point.energy) * 100}%`;
}

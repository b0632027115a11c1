/** The wheel: mood chips, the mood pad, sliders. It knows the query they stand for and tells when that changes. */

import { debounced, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { moodPad } from "./pad.js";

/** @typedef {import("./api.js").Mood} Mood */

/** `reach`: how far from the target a song may be while there are songs enough within it. */
const SLIDERS = /** @type {const} */ ([
  { name: "valence", label: "Brightness", min: 0, max: 1, step: 0.01, reach: 0.25 },
  { name: "energy", label: "Energy", min: 0, max: 1, step: 0.01, reach: 0.25 },
  { name: "danceability", label: "Danceable", min: 0, max: 1, step: 0.01, reach: 0.25 },
  { name: "tempo", label: "Tempo", min: 60, max: 180, step: 1, reach: 25 },
]);
const PAUSE_MS = 160;

/**
 * @param {Mood[]} moods
 * @param {() => void} changed called when the listener has stopped moving for a moment
 */
export function steering(moods, changed) {
  /** @type {string | null} */
  let mood = null;
  /** @type {Record<string, number>} */
  const targets = {};
  const settle = debounced(changed, PAUSE_MS);

  const chips = moods.map((each) =>
    h("button", { class: "chip", type: "button", "aria-pressed": "false", title: each.description, onclick: () => choose(each.name) }, each.name));
  const pad = moodPad(moods, (point) => {
    Object.assign(targets, point);
    draw();
    settle();
  });
  const rows = SLIDERS.map((each) => {
    const input = /** @type {HTMLInputElement} */ (h("input", { type: "range", id: `steer-${each.name}`, min: each.min, max: each.max, step: each.step,
      oninput: () => {
        targets[each.name] = Number(input.value);
        draw();
        settle();
      } }));
    const output = h("output", { for: `steer-${each.name}` });
    const clear = h("button", { class: "icon-button small", type: "button", "aria-label": `Any ${each.label.toLowerCase()}`,
      onclick: () => {
        delete targets[each.name];
        draw();
        input.focus();
        changed();
      } }, icon("close"));
    return { each, input, output, clear, element: h("div", { class: "slider" }, h("label", { for: input.id }, each.label), input, output, clear) };
  });
  const reset = h("button", { class: "text-button", type: "button", onclick: clearAll }, "Clear all");

  /** @param {string} name */
  function choose(name) {
    mood = mood === name ? null : name;
    draw();
    changed();
  }

  function clearAll() {
    mood = null;
    for (const name of Object.keys(targets)) delete targets[name];
    draw();
    changed();
  }

  function draw() {
    chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(moods[i].name === mood)));
    const { valence, energy } = targets;
    pad.set(valence === undefined && energy === undefined ? null : { valence: valence ?? 0.5, energy: energy ?? 0.5 });
    for (const { each, input, output, clear, element } of rows) {
      const value = targets[each.name];
      const isSet = value !== undefined;
      if (!isSet) input.value = String((each.min + each.max) / 2);
      else if (Number(input.value) !== value) input.value = String(value);
      element.classList.toggle("is-set", isSet);
      const words = !isSet ? "any" : each.name === "tempo" ? `${value} BPM` : String(Math.round(value * 100));
      fill(output, words);
      input.setAttribute("aria-valuetext", words);
      clear.hidden = !isSet;
    }
    reset.hidden = !isSteered();
  }

  const isSteered = () => mood !== null || Object.keys(targets).length > 0;
  draw();
  return {
    chips: h("div", { class: "chips", role: "group", "aria-label": "Moods" }, ...chips),
    wheel: h("div", { class: "wheel" }, pad.element,
      h("p", { class: "hint", id: "pad-help" }, "Drag the point, or use the arrow keys. Songs follow."),
      ...rows.map((row) => row.element), reset),
    isSteered,
    clearAll,
    hasTargets: () => Object.keys(targets).length > 0,
    /** The parameters of GET /api/v1/recommendations. @param {boolean} near only songs within reach of the targets */
    query: (near) => Object.fromEntries([["mood", mood], ...SLIDERS.filter((each) => each.name in targets).flatMap((each) => {
      const value = targets[each.name];
      const [low, high] = [value - each.reach, value + each.reach];
      // At the end of a slider there is no bound: a tempo of 180 or more includes 210.
      const bounds = [[`min_${each.name}`, low > each.min ? low.toFixed(3) : null], [`max_${each.name}`, high < each.max ? high.toFixed(3) : null]];
      return [[`target_${each.name}`, value.toFixed(3)], ...(near ? bounds : [])];
    })]),
  };
}

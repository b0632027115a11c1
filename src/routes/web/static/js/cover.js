/**
 * Covers. A song without art gets a landscape drawn from its sound, always the same one: the key chooses the colours
 * (neighbours on the circle of fifths look alike), brightness lifts the sun, energy raises the hills, tempo packs them.
 */

import { h, s } from "./dom.js";

/** @typedef {import("./api.js").Song} Song */

const HILLS = 5;
let nextId = 0;

/** Numbers from 0 to 1 that depend on the text alone (FNV-1a, then mulberry32). @param {string} text */
function randomOf(text) {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The song's own colour, in degrees. @param {Song} song */
export function hueOf(song) {
  const random = randomOf(song.id)();
  const key = song.audio_features.key ?? Math.floor(random * 12);
  return (((key * 7) % 12) * 30 + random * 24 + 330) % 360;
}

/** @param {Song} song */
function landscape(song) {
  const random = randomOf(song.id);
  const f = song.audio_features;
  const energy = f.energy ?? 0.5;
  const valence = f.valence ?? 0.5;
  const tempo = ((f.tempo_bpm ?? 110) - 60) / 120;
  const hue = hueOf(song);
  const minor = f.mode === 0;
  const sky = `sky${nextId++}`;
  const light = 56 + 26 * valence - (minor ? 8 : 0);
  // From the sky down the hues turn away from brown: green hills stay green, red ones go violet.
  const side = hue > 60 && hue < 200 ? -1 : 1;
  // OKLCH: the same lightness looks the same in every hue, so no key glares.
  const colour = (/** @type {number} */ turn, /** @type {number} */ chroma, /** @type {number} */ l) =>
    `oklch(${l.toFixed(1)}% ${chroma.toFixed(3)} ${((hue + side * turn + 360) % 360).toFixed(1)})`;

  const hills = [];
  for (let i = 0; i < HILLS; i += 1) {
    const base = 92 + i * 22 + random() * 8;
    const height = (8 + 30 * energy) * (1 - i * 0.12);
    const waves = 1.2 + Math.max(0, tempo) * 2.6 + random();
    const phase = random() * 6.3;
    const points = [];
    for (let x = 0; x <= 200; x += 5) {
      const angle = (x / 200) * waves * 6.28 + phase;
      // A sharper second wave for energetic songs: hills become peaks.
      const y = base - height * (0.62 * Math.sin(angle) + 0.38 * energy * Math.asin(Math.sin(angle * 2.3 + i)));
      points.push(`${x} ${y.toFixed(1)}`);
    }
    const depth = i / (HILLS - 1);
    hills.push(s("path", { d: `M0 200L${points.join("L")}L200 200Z`, fill: colour(-14 - 34 * depth, 0.09 + 0.06 * energy - 0.05 * depth, light * (0.9 - 0.6 * depth)), opacity: 0.94 }));
  }
  const sunX = 42 + random() * 116;
  const sunY = 112 - valence * 76;
  const sun = 13 + 13 * valence;
  return s("svg", { viewBox: "0 0 200 200", preserveAspectRatio: "xMidYMid slice", class: "cover", "aria-hidden": "true" },
    s("defs", {}, s("linearGradient", { id: sky, x1: 0, y1: 0, x2: 0.25, y2: 1 },
      s("stop", { offset: 0, "stop-color": colour(44, 0.11, light * 0.8) }),
      s("stop", { offset: 0.75, "stop-color": colour(0, 0.12, Math.min(90, light + 14)) }))),
    s("rect", { width: 200, height: 200, fill: `url(#${sky})` }),
    s("circle", { cx: sunX, cy: sunY, r: sun * 1.8, fill: "#fff", opacity: 0.12 }),
    s("circle", { cx: sunX, cy: sunY, r: sun, fill: colour(minor ? 60 : 30, 0.07, 94) }),
    minor && s("circle", { cx: sunX + sun * 0.45, cy: sunY - sun * 0.2, r: sun * 0.86, fill: colour(30, 0.11, light * 0.9) }),
    ...hills);
}

/** The song's art, or its landscape when it has none or it cannot be loaded. @param {Song} song */
export function cover(song) {
  if (!song.art_url) return landscape(song);
  const image = h("img", { class: "cover", src: song.art_url, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(landscape(song)), { once: true });
  return image;
}

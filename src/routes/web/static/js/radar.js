/** A taste or a song as a radar: one spoke per feature from 0 to 1. */

import { s } from "./dom.js";
import { FEATURES } from "./format.js";

const R = 100;

/**
 * @param {Record<string, number | null | undefined>} features
 * @param {string} name what it is of, for who cannot see it
 */
export function radar(features, name) {
  const spokes = FEATURES.map(([feature, label], i) => {
    const angle = (i / FEATURES.length) * 2 * Math.PI - Math.PI / 2;
    return { label, value: features[feature] ?? 0, x: Math.cos(angle), y: Math.sin(angle) };
  });
  const ring = (/** @type {number} */ r) => spokes.map((p) => `${(p.x * r).toFixed(1)},${(p.y * r).toFixed(1)}`).join(" ");
  const shape = spokes.map((p) => `${(p.x * R * p.value).toFixed(1)},${(p.y * R * p.value).toFixed(1)}`).join(" ");
  const said = spokes.map((p) => `${p.label.toLowerCase()} ${Math.round(p.value * 100)}`).join(", ");
  return s("svg", { viewBox: "-185 -128 370 256", class: "radar", role: "img", "aria-label": `${name}: ${said}, each of 100` },
    ...[0.25, 0.5, 0.75, 1].map((r) => s("polygon", { points: ring(r * R), class: "radar-ring" })),
    ...spokes.map((p) => s("line", { x1: 0, y1: 0, x2: p.x * R, y2: p.y * R, class: "radar-ring" })),
    s("polygon", { points: shape, class: "radar-shape" }),
    ...spokes.map((p) => s("circle", { cx: p.x * R * p.value, cy: p.y * R * p.value, r: 3.5, class: "radar-dot" })),
    ...spokes.map((p) => s("text", { x: p.x * (R + 12), y: p.y * (R + 12) + 4, "text-anchor": Math.abs(p.x) < 0.2 ? "middle" : p.x > 0 ? "start" : "end", class: "radar-label" }, p.label)));
}

/** Three covers of songs that do not exist, for the door. */

import { cover } from "./cover.js";
import { h } from "./dom.js";

const POSTERS = [
  { id: "dawn", audio_features: { energy: 0.25, valence: 0.75, tempo_bpm: 82, key: 9, mode: 1 } },
  { id: "noon", audio_features: { energy: 0.85, valence: 0.9, tempo_bpm: 128, key: 1, mode: 1 } },
  { id: "night", audio_features: { energy: 0.55, valence: 0.2, tempo_bpm: 100, key: 6, mode: 0 } },
];

export const landscapeRow = () =>
  h("div", { class: "poster-row", "aria-hidden": "true" }, ...POSTERS.map((each) => h("div", {}, cover({ title: "", artists: [], genres: [], ...each }))));

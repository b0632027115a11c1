/** Words and numbers as listeners read them. */

/** @typedef {import("./api.js").Song} Song */

export const FEATURES = /** @type {const} */ ([
  ["energy", "Energy"],
  ["valence", "Brightness"],
  ["danceability", "Danceable"],
  ["acousticness", "Acoustic"],
  ["instrumentalness", "Instrumental"],
  ["liveness", "Live"],
  ["speechiness", "Spoken"],
]);

const KEYS = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** @param {Song} song */
export const artists = (song) => song.artists.join(", ");

/** @param {Song} song */
export const named = (song) => `“${song.title}” by ${artists(song)}`;

/** @param {number} n @param {string} one @param {string} [many] */
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** @param {number | null | undefined} ms */
export function duration(ms) {
  if (!ms) return null;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Facts in one line: year, length, tempo, key. @param {Song} song */
export function facts(song) {
  const { tempo_bpm: tempo, key, mode } = song.audio_features;
  return [
    song.release_year,
    duration(song.duration_ms),
    tempo ? `${Math.round(tempo)} BPM` : null,
    key === null || key === undefined ? null : `${KEYS[key]} ${mode === 0 ? "minor" : "major"}`,
    song.explicit ? "explicit" : null,
  ]
    .filter(Boolean)
    .join(" · ");
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** @param {string} iso */
export function ago(iso) {
  const minutes = (Date.parse(iso) - Date.now()) / 60_000;
  if (minutes > -1) return "just now";
  if (minutes > -60) return relative.format(Math.round(minutes), "minute");
  if (minutes > -1440) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}

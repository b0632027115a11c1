/** One sound at a time: the song's preview, or a sketch of its sound when it has none. */

import { sketch } from "./sketch.js";

/** @typedef {import("./api.js").Song} Song */

const audio = new Audio();
audio.preload = "none";

/** @type {Song | null} */
let playing = null;
/** @type {(() => void) | null} */
let stopSketch = null;
let startedAt = 0;
/** @type {() => void} */
let changed = () => {};

/** @param {() => void} listener called when something begins or ends */
export const onChange = (listener) => void (changed = listener);

/** @param {Song} song */
export const isPlaying = (song) => playing?.id === song.id;
export const isOn = () => playing !== null;

/**
 * @param {Song} song
 * @throws {Error} the preview cannot be played
 */
export async function play(song) {
  stop();
  playing = song;
  startedAt = Date.now();
  if (song.preview_url) {
    audio.src = song.preview_url;
    audio.onended = stop;
    changed();
    try {
      await audio.play();
    } catch {
      if (playing !== song) return; // stopped meanwhile
      stop();
      throw new Error("This preview cannot be played. Skip on, or open the song for what is known of it.");
    }
  } else {
    stopSketch = sketch(song, stop);
    changed();
  }
}

/** @returns {number} how long it played, in milliseconds; a sketch is not the song, so it counts nothing */
export function stop() {
  if (!playing) return 0;
  const heard = playing.preview_url ? Date.now() - startedAt : 0;
  audio.onended = null;
  audio.pause();
  stopSketch?.();
  stopSketch = null;
  playing = null;
  changed();
  return heard;
}

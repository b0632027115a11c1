/** What an opinion did to the list, in words: the listener sees that it was heard. */

import { count } from "./format.js";

/** @typedef {import("./api.js").Recommendation} Recommendation */
/** @typedef {import("./outbox.js").Kind} Kind */

/**
 * @param {Kind} kind
 * @param {Recommendation} acted
 * @param {Recommendation[]} before what was to come, without the song itself
 * @param {Recommendation[]} after
 * @returns {{text: string, fresh: Set<string>}} fresh: ids of the songs that were not there before
 */
export function changes(kind, acted, before, after) {
  const had = new Set(before.map((item) => item.song.id));
  const has = new Set(after.map((item) => item.song.id));
  const fresh = after.filter((item) => !had.has(item.song.id));
  const because = fresh.filter((item) => item.reasons.some((reason) => reason.because_song_id === acted.song.id));
  const gone = before.filter((item) => !has.has(item.song.id)).length;
  const title = `“${acted.song.title}”`;
  const moved = gone ? ` ${count(gone, "song")} made way.` : "";
  const text = {
    like: because.length ? `Because you liked ${title}: ${count(because.length, "new song")}.` : `You liked ${title}.${fresh.length ? ` ${count(fresh.length, "new song")} came in.` : ""}`,
    skip: `Skipped ${title}.${moved}`,
    dislike: `${title} will not come back.${moved}`,
    unlike: `Taken back: ${title}.`,
    play: "",
  }[kind];
  return { text, fresh: new Set(fresh.map((item) => item.song.id)) };
}

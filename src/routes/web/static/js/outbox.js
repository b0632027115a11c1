/**
 * Interactions on their way to the server. Each is written to localStorage before it is sent and removed when the
 * server has it; its event id makes sending twice the same as sending once, so nothing is lost and nothing doubled.
 */

import { ApiError, serverNow } from "./api.js";
import { call } from "./listener.js";
import { exclusively } from "./lock.js";

/** @typedef {"like" | "unlike" | "skip" | "dislike" | "play"} Kind */
/** @typedef {{song_id: string, kind: Kind, event_id: string, occurred_at: string, ms_played?: number}} Entry */

const MAX_BATCH = 1000;
let key = "";

/** Each account has an outbox of its own. @param {string} userId */
export const openOutbox = (userId) => void (key = `madhur.outbox.${userId}`);

/** @returns {Entry[]} */
export function waiting() {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {Entry[]} entries */
const keep = (entries) => localStorage.setItem(key, JSON.stringify(entries));

/** 128 random bits; `crypto.randomUUID` is missing on plain http. */
const eventId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * @param {string} songId
 * @param {Kind} kind
 * @param {number} [msPlayed]
 */
export function put(songId, kind, msPlayed) {
  /** @type {Entry} */
  const entry = { song_id: songId, kind, event_id: eventId(), occurred_at: serverNow().toISOString() };
  if (msPlayed && (kind === "skip" || kind === "play")) entry.ms_played = Math.round(msPlayed);
  keep([...waiting(), entry]);
}

/**
 * Send what waits.
 * @returns {Promise<number>} how many the server has now
 * @throws {OfflineError | ApiError} they stay and go next time
 */
export const flush = () => exclusively("outbox", sendAll);

async function sendAll() {
  let sent = 0;
  for (let entries = waiting(); entries.length; entries = waiting()) {
    const batch = entries.slice(0, MAX_BATCH);
    try {
      await call("POST", "/api/v1/interactions/batch", { body: { interactions: batch } });
      sent += batch.length;
      drop(batch);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      sent += await sendEach(batch);
    }
  }
  return sent;
}

/** One the server will never take (its song is gone) must not hold up the others. @param {Entry[]} batch */
async function sendEach(batch) {
  let sent = 0;
  for (const entry of batch) {
    try {
      await call("POST", "/api/v1/interactions", { body: entry });
      sent += 1;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    drop([entry]);
  }
  return sent;
}

/** @param {unknown} error */
const isRefusal = (error) => error instanceof ApiError && [400, 404, 422].includes(error.status);

/** @param {Entry[]} gone */
function drop(gone) {
  const ids = new Set(gone.map((entry) => entry.event_id));
  keep(waiting().filter((entry) => !ids.has(entry.event_id)));
}


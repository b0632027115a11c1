/** The public API, and its problems as errors whose message a listener can read. */

/**
 * @typedef {Record<string, number | null | undefined>} Features
 * @typedef {{id: string, title: string, artists: string[], album?: string | null, genres: string[], release_year?: number | null,
 *   duration_ms?: number | null, explicit?: boolean | null, audio_features: Features, art_url?: string | null,
 *   preview_url?: string | null}} Song
 * @typedef {{source: string, text: string, weight: number, because_song_id: string | null}} Reason
 * @typedef {{song: Song, score: number, reasons: Reason[]}} Recommendation
 * @typedef {{feature: string, low: number | null, full_from: number | null, full_to: number | null, high: number | null}} Fit
 * @typedef {{name: string, description: string, rule: Fit[], n_songs: number}} Mood
 * @typedef {{body?: object, query?: object, headers?: Record<string, string>, signal?: AbortSignal}} Options
 */

/** The server answered, and said no. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The server did not answer. */
export class OfflineError extends Error {
  constructor() {
    super("Madhur cannot be reached. Check the connection; what you like meanwhile is kept.");
  }
}

/** The Date header counts whole seconds: a smaller difference is no difference, and would only shuffle the order of events. */
const CLOCK_TOLERANCE_MS = 30_000;
let clockOffset = 0;

/** The time by the server's clock, which interactions are dated by: a phone's may be an hour off. */
export const serverNow = () => new Date(Date.now() + clockOffset);

/**
 * One request, as it is: no token is added, nothing is tried again.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>} the JSON of the answer, null when it has none
 */
export async function send(method, path, { body, query, headers, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path + search(query), {
      method,
      signal,
      headers: { ...headers, ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError();
  }
  const date = Date.parse(answer.headers.get("Date") ?? "");
  const off = date - Date.now();
  clockOffset = Math.abs(off) > CLOCK_TOLERANCE_MS ? off : 0; // 0 too when the header is missing and off is NaN
  if (answer.status === 204) return null;
  if (answer.ok) return answer.json();
  throw new ApiError(answer.status, await sentence(answer));
}

/** @param {object} [query] arrays repeat their name, null and undefined are left out */
function search(query = {}) {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().filter((v) => v !== null && v !== undefined && v !== "").map((v) => [name, String(v)]),
  );
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

/** @param {Response} answer */
async function sentence(answer) {
  const problem = await answer.json().catch(() => ({}));
  const fault = problem.errors?.[0];
  if (fault) {
    const field = String(fault.loc.at(-1)).replaceAll("_", " ");
    return `${field[0].toUpperCase()}${field.slice(1)}: ${fault.msg}.`;
  }
  return problem.detail ?? "Something went wrong on the server. Try again in a moment.";
}

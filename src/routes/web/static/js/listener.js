/** Requests in the name of whoever is logged in. */

import { ApiError, send } from "./api.js";
import { refresh, token } from "./session.js";

/**
 * As `send`, with the access token; one that has expired is renewed and the request made again.
 * @param {string} method
 * @param {string} path
 * @param {import("./api.js").Options} [options]
 */
export async function call(method, path, options = {}) {
  const attempt = (/** @type {string} */ bearer) =>
    send(method, path, { ...options, headers: { Authorization: `Bearer ${bearer}` } });
  try {
    return await attempt(await token());
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return attempt(await refresh());
  }
}

/** @param {string} path @param {object} [query] @param {AbortSignal} [signal] */
export const get = (path, query, signal) => call("GET", path, { query, signal });

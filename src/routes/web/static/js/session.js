/** Who is logged in. The access token lives in this module and nowhere else; the refresh token in an HttpOnly cookie. */

import { ApiError, send } from "./api.js";
import { exclusively } from "./lock.js";

/** Set while a cookie may be there, so that a first visit asks for nothing. Holds no secret. */
const KNOWN = "madhur.known";

/** @type {string | null} */
let accessToken = null;
/** @type {Promise<string> | null} */
let refreshing = null;
/** @type {() => void} */
let ended = () => {};

/** @param {() => void} listener called when the log-in turns out to have ended */
export const onEnd = (listener) => void (ended = listener);
export const mayResume = () => localStorage.getItem(KNOWN) !== null;

/** The access token, got with the cookie when there is none yet. */
export const token = async () => accessToken ?? refresh();

/** A new access token. However many ask at once, in however many tabs, the cookie is used once each. */
export function refresh() {
  refreshing ??= exclusively("session", renew).finally(() => (refreshing = null));
  return refreshing;
}

async function renew() {
  try {
    return remember(await post("refresh"));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      forget();
      ended();
    }
    throw error;
  }
}

/** @param {string} username @param {string} password */
export async function logIn(username, password) {
  remember(await post("login", { username, password }));
}

/** @param {string} username @param {string} password */
export async function register(username, password) {
  await send("POST", "/api/v1/auth/register", { body: { username, password } });
  await logIn(username, password);
}

/** Without a connection the cookie cannot be taken back; say so rather than pretend. */
export async function logOut() {
  await exclusively("session", () => post("logout"));
  forget();
}

/** @param {string} action @param {object} [body] */
const post = (action, body) => send("POST", `/session/${action}`, { body, headers: { "X-Madhur-Player": "1" } });

/** @param {{access_token: string}} session */
function remember(session) {
  // Another tab may have logged in as somebody else: what this one shows and sends is no longer theirs.
  if (accessToken && subject(accessToken) !== subject(session.access_token)) location.reload();
  accessToken = session.access_token;
  localStorage.setItem(KNOWN, "1");
  return accessToken;
}

/** @param {string} jwt */
const subject = (jwt) => JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;

function forget() {
  accessToken = null;
  localStorage.removeItem(KNOWN);
}


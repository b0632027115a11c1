/** Which view is on, and what holds them together: the log-in, the bar, the connection. */

import { OfflineError, send } from "./api.js";
import { discover } from "./discover.js";
import { fill, h } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { get } from "./listener.js";
import { complain, explain, notify } from "./notices.js";
import { onboarding } from "./onboarding.js";
import { flush, openOutbox, waiting } from "./outbox.js";
import { search } from "./search.js";
import * as session from "./session.js";
import { taste } from "./taste.js";
import { welcome } from "./welcome.js";

/** @typedef {{element: HTMLElement, show: () => unknown, hide: () => void}} View */

const TABS = /** @type {const} */ ([["discover", "Discover"], ["search", "Search"], ["taste", "My taste"]]);
const RETRY_MS = 20_000;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const bar = /** @type {HTMLElement} */ (document.getElementById("bar"));
/** @type {Record<string, View>} */
let views = {};
/** @type {View | null} */
let current = null;
let enrolled = false;

const route = () => (enrolled ? (location.hash.slice(2) in views ? location.hash.slice(2) : "discover") : "onboarding");

function go() {
  if (!Object.keys(views).length) return;
  const name = route();
  const next = views[name];
  current?.hide();
  for (const link of bar.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  bar.classList.toggle("is-onboarding", !enrolled);
  if (next !== current) fill(main, next.element);
  current = next;
  scrollTo(0, 0);
  void next.show();
}

/** @param {string} username */
function drawBar(username) {
  bar.hidden = false;
  fill(bar, h("a", { class: "brand", href: "#/discover" }, "Madhur"),
    h("nav", { "aria-label": "Main" }, ...TABS.map(([name, label]) => h("a", { href: `#/${name}` }, icon(name), h("span", {}, label)))),
    h("button", { class: "text-button account", type: "button", title: `Log out ${username}`, "aria-label": `Log out ${username}`, onclick: () => void leave() }, h("span", {}, username), icon("out")));
}

async function enter() {
  fill(main, h("p", { class: "loading" }, "Tuning in …"));
  try {
    const me = await get("/api/v1/users/me");
    openOutbox(me.id);
    const [known, genres, moods] = await Promise.all([get("/api/v1/users/me/taste"), send("GET", "/api/v1/genres"), send("GET", "/api/v1/moods")]);
    if (!genres.items.length) return explain(main, "The catalogue is empty. Its operator can fill it: madhur demo, or madhur import songs FILE.", againButton());
    enrolled = known.n_interactions > 0 || waiting().length > 0;
    views = {
      onboarding: onboarding(genres.items, moods.items, () => {
        enrolled = true;
        go();
      }),
      discover: discover(moods.items),
      search: search(),
      taste: taste(),
    };
    drawBar(me.username);
    go();
    void deliver();
  } catch (error) {
    if (session.mayResume()) explain(main, /** @type {Error} */ (error).message, againButton());
  }
}

const againButton = () => h("button", { class: "pill", type: "button", onclick: () => void enter() }, "Try again");

async function leave() {
  try {
    await flush().catch(() => 0);
    await session.logOut();
    door();
  } catch (error) {
    complain(error, () => void leave());
  }
}

/** @param {string} [message] */
function door(message) {
  current?.hide();
  current = null;
  views = {};
  bar.hidden = true;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  fill(main, welcome(() => void enter(), message));
}

/** Send what was kept while there was no connection. */
async function deliver() {
  if (!Object.keys(views).length || !waiting().length) return;
  try {
    const sent = await flush();
    if (!sent) return;
    notify(`Back online: ${count(sent, "opinion")} sent.`);
    dispatchEvent(new CustomEvent("madhur:opinion"));
  } catch (error) {
    if (!(error instanceof OfflineError)) complain(error);
  }
}

session.onEnd(() => door("Your log-in has ended. Log in again; nothing you liked is lost."));
addEventListener("hashchange", go);
addEventListener("online", () => void deliver());
setInterval(() => void deliver(), RETRY_MS);
if (session.mayResume()) void enter();
else door();

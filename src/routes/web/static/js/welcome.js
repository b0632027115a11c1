/** The door: register or log in. */

import { fill, h } from "./dom.js";
import { landscapeRow } from "./poster.js";
import { logIn, register } from "./session.js";

/**
 * @param {() => void} entered
 * @param {string} [message] why the listener stands here again
 */
export function welcome(entered, message) {
  let registering = !message;
  const name = /** @type {HTMLInputElement} */ (h("input", { id: "username", name: "username", autocomplete: "username", required: true, minlength: 2, maxlength: 64, autocapitalize: "none", spellcheck: "false" }));
  const password = /** @type {HTMLInputElement} */ (h("input", { id: "password", name: "password", type: "password", required: true, maxlength: 128 }));
  const problem = h("p", { class: "problem", role: "alert", id: "problem" }, message ?? "");
  const submit = /** @type {HTMLButtonElement} */ (h("button", { class: "pill primary", type: "submit" }));
  const swap = h("button", { class: "text-button", type: "button", onclick: () => {
    registering = !registering;
    fill(problem);
    draw();
    name.focus();
  } });
  const title = h("h2", {});
  const hint = h("p", { class: "hint", id: "password-hint" }, "8 characters or more. A sentence is a good password.");
  const form = h("form", { class: "panel door", onsubmit: enter }, title,
    h("label", { for: "username" }, "Name"), name, h("label", { for: "password" }, "Password"), password, hint, problem, submit, swap);

  function draw() {
    fill(title, registering ? "Make an account" : "Log in");
    fill(submit, registering ? "Start listening" : "Log in");
    fill(swap, registering ? "I have an account" : "I am new here");
    hint.hidden = !registering;
    password.setAttribute("autocomplete", registering ? "new-password" : "current-password");
    password.toggleAttribute("aria-describedby", false);
    if (registering) {
      password.setAttribute("aria-describedby", "password-hint");
      password.minLength = 8;
    } else password.removeAttribute("minlength");
  }

  /** @param {SubmitEvent} event */
  async function enter(event) {
    event.preventDefault();
    submit.disabled = true;
    fill(problem);
    try {
      await (registering ? register : logIn)(name.value, password.value);
      entered();
    } catch (error) {
      fill(problem, /** @type {Error} */ (error).message);
    } finally {
      submit.disabled = false;
    }
  }

  draw();
  return h("section", { class: "welcome" },
    h("div", { class: "pitch" }, landscapeRow(), h("h1", {}, "What to hear next, and why."),
      h("p", { class: "lede" }, "Madhur learns from every like and skip at once, says why each song is here, and runs on a machine you own.")),
    form);
}

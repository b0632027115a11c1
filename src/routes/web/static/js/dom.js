/** Building the page. Text only ever becomes text nodes and attributes; nothing here parses markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @template {Element} T
 * @param {T} node
 * @param {Record<string, any>} props attributes; `onclick` and its like are listeners, false and null leave out
 * @param {Child[]} children
 * @returns {T}
 */
function build(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  fill(node, ...children);
  return node;
}

/**
 * An HTML element.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 */
export function h(tag, props = {}, ...children) {
  return build(document.createElement(tag), props, children);
}

/**
 * An SVG element.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 */
export function s(tag, props = {}, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

/**
 * Replace what is in an element.
 * @param {Element} node
 * @param {...Child} children
 */
export function fill(node, ...children) {
  node.replaceChildren(...children.filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
}

/**
 * Call `task` once `ms` have passed without another call.
 * @template {any[]} A
 * @param {(...args: A) => void} task
 * @param {number} ms
 */
export function debounced(task, ms) {
  let timer = 0;
  return (/** @type {A} */ ...args) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => task(...args), ms);
  };
}

export const calmMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

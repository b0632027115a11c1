/** Icons as path data on a 24 x 24 grid, drawn in the text's colour. */

import { s } from "./dom.js";

const PATHS = {
  like: "M12 20.5C5.5 15.6 3 12.4 3 8.9A4.9 4.9 0 0 1 12 6.3a4.9 4.9 0 0 1 9 2.6c0 3.5-2.5 6.7-9 11.6Z",
  skip: "M5 5.5v13L15 12ZM18 5v14",
  dislike: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM5.7 5.7l12.6 12.6",
  play: "M8 5v14l11-7Z",
  pause: "M8 5v14M16 5v14",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 21 21",
  close: "M6 6l12 12M18 6 6 18",
  out: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  discover: "M12 3v3M12 18v3M3 12h3M18 12h3M15.5 8.5l-2 5-5 2 2-5Z",
  taste: "M12 3l8.6 6.2-3.3 10.1H6.7L3.4 9.2ZM12 8l3.8 2.8-1.4 4.4H9.6l-1.4-4.4Z",
  undo: "M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10h-4",
  check: "M5 12.5 10 17 19 7",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  return s("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
}

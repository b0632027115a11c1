/** Swiping a card: right likes, left skips. Vertical movement stays the page's own scrolling. */

const FAR_PX = 90;

/**
 * @param {HTMLElement} card
 * @param {(direction: "right" | "left") => void} swiped
 */
export function swipeable(card, swiped) {
  let startX = 0;
  /** @type {number | null} */
  let pointer = null;
  const distance = (/** @type {PointerEvent} */ event) => event.clientX - startX;

  card.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    pointer = event.pointerId;
    startX = event.clientX;
  });
  card.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const dx = distance(event);
    card.style.transform = `translateX(${dx}px) rotate(${dx / 28}deg)`;
    card.dataset.leaning = Math.abs(dx) < FAR_PX ? "" : dx > 0 ? "right" : "left";
  });
  const release = (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    card.style.transform = "";
    card.dataset.leaning = "";
    const dx = distance(event);
    if (event.type === "pointerup" && Math.abs(dx) >= FAR_PX) swiped(dx > 0 ? "right" : "left");
  };
  card.addEventListener("pointerup", release);
  card.addEventListener("pointercancel", release);
}

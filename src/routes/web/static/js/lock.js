/** One tab at a time. Two tabs that used one refresh token would look like a thief and its victim. */

const LEASE_MS = 5_000;
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Run `task` while no other tab of this site runs one of the same name.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function exclusively(name, task) {
  // Web Locks exist only on https and localhost; a server in the living room is often neither.
  if (navigator.locks) return navigator.locks.request(`madhur-${name}`, task);
  const key = `madhur.lock.${name}`;
  const mine = String(Math.random());
  for (;;) {
    const [owner, until] = (localStorage.getItem(key) ?? "").split(" ");
    if (!owner || Number(until) < Date.now()) {
      localStorage.setItem(key, `${mine} ${Date.now() + LEASE_MS}`);
      await pause(30);
      if (localStorage.getItem(key)?.startsWith(mine)) break;
    }
    await pause(20 + Math.random() * 60);
  }
  try {
    return await task();
  } finally {
    if (localStorage.getItem(key)?.startsWith(mine)) localStorage.removeItem(key);
  }
}

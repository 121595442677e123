/** The log: every entry in its place, and what this page has said that is still on its way. */

import { drawAnswer, drawOwn, make } from "./bubbles.js";
import { longDate } from "./dates.js";
import { openPicture } from "./picture.js";

export class Log {
  /** The highest seq on the page; 0 for none. */
  newest = 0;
  #places = new Map(); // seq → the element it stands in; one that replaces another shares its element
  #pending = new Map(); // id of a typed message on its way → its bubble
  #entries;
  #pendingBox;
  #scroll;
  #press;
  #lastDay = "";

  /**
   * @param {HTMLElement} entries
   * @param {HTMLElement} pendingBox below the entries
   * @param {import("./scroll.js").Scroll} scroll
   * @param {(button: HTMLButtonElement, spec: object, seq: number) => void} press
   */
  constructor(entries, pendingBox, scroll, press) {
    this.#entries = entries;
    this.#pendingBox = pendingBox;
    this.#scroll = scroll;
    this.#press = press;
  }

  /**
   * Puts entries on the page, each below the others or where the one it replaces stands.
   * @param {object[]} entries in the order of their seq
   * @param {Set<string>} ownIds of what was said on this page: the view goes to the answer
   * @param {object[]} pressed presses still without an answer, which must go on looking pressed
   * @returns {object[]} the entries that were not on the page yet
   */
  put(entries, ownIds, pressed) {
    const fresh = entries.filter((entry) => !this.#places.has(entry.seq));
    const isHistory = this.newest === 0;
    const stayed = this.#scroll.atEnd;
    const added = [];
    if (fresh.length) this.#pendingBox.querySelector(".remark")?.remove();
    for (const entry of fresh) {
      this.newest = Math.max(this.newest, entry.seq); // a push and an answer can overtake each other
      const place = this.#places.get(entry.replaces) ?? null;
      if (place) this.#replace(place, entry, ownIds.has(entry.id));
      else added.push(this.#append(entry));
      this.#places.set(entry.seq, place ?? added.at(-1));
    }
    for (const press of pressed) this.markPressed(press);

    // A history opens at its last entry, news at the first of them.
    const own = fresh.find((entry) => ownIds.has(entry.id) && added.includes(this.#places.get(entry.seq)));
    if (isHistory && added.length) this.#scroll.show(added.at(-1));
    else if (own) this.#scroll.show(this.#places.get(own.seq));
    else if (added.length && stayed) this.#scroll.show(added[0]);
    else if (added.length) this.#scroll.offer(added[0]);
    return fresh;
  }

  /** A typed message on its way. */
  addPending(message) {
    const bubble = make("div", "pending", drawOwn(message.text));
    this.#pending.set(message.id, bubble);
    this.#pendingBox.append(bubble);
    this.#scroll.show(bubble);
  }

  /** Says under each message on its way that it still waits; no word, nothing said. */
  markWaiting(word) {
    for (const bubble of this.#pending.values()) {
      const fate = bubble.querySelector(".fate");
      if (fate?.textContent === word) continue; // said already, and not to be read out again
      fate?.remove();
      if (word) bubble.append(make("p", "fate", word));
    }
  }

  /** Takes away what showed that this message is on its way. */
  settle(id) {
    this.#pending.get(id)?.remove();
    this.#pending.delete(id);
    for (const button of this.#entries.querySelectorAll("button[aria-busy]")) {
      if (button.dataset.id !== id) continue;
      button.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
    }
  }

  /** Says below everything why nothing was sent; once, and until something is. */
  remark(text) {
    this.#pendingBox.querySelector(".remark")?.remove();
    const remark = make("p", "refusal remark", text);
    remark.setAttribute("role", "status");
    this.#pendingBox.append(remark);
    this.#scroll.show(remark);
  }

  /** Shows a refusal beside what was refused, and lets that stay in the log as it happened. */
  refuse(message, text) {
    const place = message.type === "press" && this.#places.get(message.seq);
    const refusal = make("p", "refusal", text);
    if (place) {
      place.querySelector(".refusal")?.remove();
      place.querySelector(".answer").append(refusal);
    } else {
      this.#entries.append(make("div", "refused", make("p", "own", message.text ?? message.label), refusal));
    }
    this.#scroll.show(refusal);
  }

  markPressed(press) {
    const place = this.#places.get(press.seq);
    for (const button of place?.querySelectorAll(".answer button") ?? []) {
      if (button.value !== press.data) continue;
      button.dataset.id = press.id;
      button.setAttribute("aria-busy", "true");
      // Not `disabled`: that would throw the keyboard's focus away.
      button.setAttribute("aria-disabled", "true");
    }
  }

  #append(entry) {
    const place = make("div", "entry");
    const day = longDate(entry.at);
    if (day !== this.#lastDay) place.append(make("p", "day", day));
    this.#lastDay = day;
    // One that replaces an entry this page never had stands alone, still without a "said".
    if (entry.said && entry.replaces === null) place.append(drawOwn(entry.said));
    place.append(this.#draw(entry));
    // An unasked message ends nothing: the form above it still waits for its answer.
    if (!entry.id.startsWith("push:")) for (const above of this.#entries.children) above.classList.add("quiet");
    this.#entries.append(place);
    return place;
  }

  #draw(entry) {
    return drawAnswer(entry, (button, spec) => this.#press(button, spec, entry.seq), openPicture);
  }

  #replace(place, entry, isOwn) {
    const old = place.querySelector(".answer");
    const answer = this.#draw(entry);
    const oldButtons = [...old.querySelectorAll("button")];
    const buttons = [...answer.querySelectorAll("button")];
    const same = (button) => button && buttons.find((one) => one.value === button.value && one.value);
    const focused = oldButtons.find((button) => button === document.activeElement);
    const pressed = oldButtons.find((button) => button.dataset.id === entry.id);
    const ticked = pressed?.hasAttribute("aria-pressed") && same(pressed);
    const next = place.nextElementSibling;
    const stayed = this.#scroll.atEnd;
    const startsAbove = this.#scroll.offset(old) < 0;
    const change = () => old.replaceWith(answer);

    if (ticked) {
      // The button just ticked stays under the finger, and the whole screen is not read out for it.
      answer.setAttribute("aria-live", "off");
      this.#scroll.hold(pressed, change, () => ticked);
    } else if (next && this.#scroll.offset(next) < 0) {
      this.#scroll.hold(next, change, () => next);
    } else {
      change();
      if (isOwn && (stayed || startsAbove)) this.#scroll.show(answer);
    }
    if (focused) (same(focused) ?? buttons[0])?.focus({ preventScroll: true });
  }
}

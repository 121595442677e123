/** The log: every entry in its place, and what this page has said that is still on its way. */

import { drawAnswer, drawOwn, make } from "./bubbles.js";
import { longDate } from "./dates.js";
import { openPicture } from "./picture.js";

export class Log {
  /** The highest and the lowest seq on the page; 0 for none. */
  newest = 0;
  oldest = 0;
  #places = new Map(); // seq → the element it stands in; one that replaces another shares its element
  #headless = new Map(); // seq of an entry that the page does not have → the place of what has replaced it
  #pending = new Map(); // id of a typed message on its way → its bubble
  #entries;
  #pendingBox;
  #scroll;
  #press;

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
      this.#count(entry);
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
    // Whoever pressed a button further up by keyboard goes on at its answer.
    if (own && document.activeElement?.dataset.id === own.id) focus(this.#places.get(own.seq).querySelector(".answer"));
    return fresh;
  }

  /**
   * Puts entries from before the oldest above all others; what is being read stays where it is.
   * @param {object[]} entries in the order of their seq
   */
  putOlder(entries) {
    const first = this.#entries.firstElementChild;
    const above = document.createDocumentFragment();
    for (const entry of entries) {
      if (this.#places.has(entry.seq)) continue;
      this.#count(entry);
      let place = this.#places.get(entry.replaces);
      if (place) {
        place.querySelector(".answer").replaceWith(this.#draw(entry));
      } else {
        place = this.#newPlace(entry);
        place.classList.add("quiet");
        place.setAttribute("aria-live", "off"); // not news, and not to be read out
        above.append(place);
      }
      this.#places.set(entry.seq, place);
    }
    const change = () => {
      this.#entries.prepend(above);
      this.#join();
      this.#nameDays();
    };
    const kept = first?.querySelector(".answer") ?? first;
    if (kept) this.#scroll.hold(kept, change, () => kept);
    else change();
  }

  /** Goes to the newest answer by keyboard. */
  focusNewest() {
    const answer = [...this.#entries.querySelectorAll(".answer")].at(-1);
    if (answer) focus(answer);
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

  #count({ seq }) {
    this.newest = Math.max(this.newest, seq); // a push and an answer can overtake each other
    this.oldest = Math.min(this.oldest || seq, seq);
  }

  #append(entry) {
    const place = this.#newPlace(entry);
    // An unasked message ends nothing: the form above it still waits for its answer.
    if (!entry.id.startsWith("push:")) for (const above of this.#entries.children) above.classList.add("quiet");
    const before = [...this.#entries.querySelectorAll(".entry")].at(-1)?.dataset.day;
    this.#entries.append(place);
    if (place.dataset.day !== before) nameDay(place);
    return place;
  }

  #newPlace(entry) {
    const place = make("div", "entry");
    place.dataset.day = longDate(entry.at);
    // One that replaces an entry this page does not have stands alone, still without a "said".
    if (entry.replaces !== null) this.#headless.set(entry.replaces, place);
    else if (entry.said) place.append(drawOwn(entry.said));
    place.append(this.#draw(entry));
    return place;
  }

  /** What stood alone gets what it had replaced: its own place is where that was said. */
  #join() {
    for (const [seq, place] of this.#headless) {
      const older = this.#places.get(seq);
      if (!older || older === place) continue;
      const own = older.querySelector(":scope > .own");
      if (own) place.querySelector(".answer").before(own);
      for (const [number, one] of this.#places) if (one === older) this.#places.set(number, place);
      for (const [number, one] of this.#headless) if (one === older) this.#headless.set(number, place);
      this.#headless.delete(seq);
      older.remove();
    }
  }

  #nameDays() {
    let before = "";
    for (const place of this.#entries.querySelectorAll(".entry")) {
      const named = place.querySelector(":scope > .day");
      if (place.dataset.day === before) named?.remove();
      else if (!named) nameDay(place);
      before = place.dataset.day;
    }
  }

  #draw(entry) {
    return drawAnswer(entry, (button, spec) => this.#press(button, spec, entry.seq), openPicture);
  }

  #replace(place, entry, isOwn) {
    const old = place.querySelector(".answer");
    const answer = this.#draw(entry);
    const oldButtons = [...old.querySelectorAll("button")];
    const buttons = [...answer.querySelectorAll("button")];
    // What a choice carries ends with what it is to be, which is the other way round once it was made.
    const what = (button) => button.hasAttribute("aria-pressed") && button.value.replace(/:[01]$/, "");
    const same = (button) =>
      button?.value &&
      (buttons.find((one) => one.value === button.value) ??
        buttons.find((one) => what(one) && what(one) === what(button)));
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
    // A choice keeps the focus; what was asked for is read from its beginning.
    const isAsked = focused && focused === pressed && !ticked;
    if (focused) focus((!isAsked && same(focused)) || answer);
  }
}

function nameDay(place) {
  place.prepend(make("p", "day", place.dataset.day));
}

function focus(element) {
  element.focus({ preventScroll: true }); // the log has its own idea of what is to be seen
}

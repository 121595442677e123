/** Messages the server has not answered yet. They outlive a reload and a closed browser. */

export class Outbox {
  #key;
  #chatKey;
  #memory = null; // used only where the browser refuses localStorage (private mode, full disk)

  /** @param {string} owner whose messages these are; people sharing a browser (the demo) stay apart */
  constructor(owner) {
    this.#key = `tusoi:outbox:${owner}`;
    this.#chatKey = `tusoi:chat:${owner}`;
  }

  // Read anew each time: another tab of the same person writes to the same list.
  all() {
    if (this.#memory) return this.#memory;
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? [];
    } catch {
      return (this.#memory = []);
    }
  }

  /**
   * Names the chat that the messages go to from now on.
   * @returns {object[]} those that were meant for another one (the person has signed out since), taken out
   */
  begin(chat) {
    try {
      const before = localStorage.getItem(this.#chatKey);
      localStorage.setItem(this.#chatKey, chat);
      if (before === null || before === chat) return [];
    } catch {
      return [];
    }
    const left = this.all();
    this.#write([]);
    return left;
  }

  add(message) {
    this.#write([...this.all(), message]);
  }

  /** @returns the message taken out, or undefined when it was not here */
  remove(id) {
    const all = this.all();
    const message = all.find((one) => one.id === id);
    if (message) this.#write(all.filter((one) => one !== message));
    return message;
  }

  #write(messages) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(messages));
      this.#memory = null;
    } catch {
      this.#memory = messages;
    }
  }
}

/** A random UUID. crypto.randomUUID is missing on plain http, where the demo is opened from a phone. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80; // variant of RFC 9562
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** One WebSocket to the server that comes back by itself. It keeps no messages; the outbox does. */

// Milliseconds.
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const WAIT_GROWTH = 1.8;
const OPENING_LIMIT = 10_000; // a phone between two networks can hang in "connecting" for minutes
const SILENCE_LIMIT = 15_000; // sent something and heard nothing: the link is dead without knowing it
const HIDDEN_LIMIT = 20_000; // networks drop the idle link of a page in the background unnoticed

const TOO_BIG = 1009; // RFC 6455: the server hangs up on a message over its limit

export class Connection {
  #address;
  #handlers;
  #socket = null;
  #wait = FIRST_WAIT;
  #busy = false; // the server asked to wait, and has answered nothing since
  #retry;
  #watch;
  #hiddenAt = 0;

  /**
   * @param {string} address ws: or wss: URL
   * @param {{opened: () => void, refused: () => void, received: (message: object) => void, away: () => void, tooBig: () => void}} handlers
   *   `opened` must send the greeting; `away` is called at the start and the failure of every try, `refused` when the
   *   link does not even open though there is a network, `tooBig` when a message was over the server's limit
   */
  constructor(address, handlers) {
    this.#address = address;
    this.#handlers = handlers;
    // Offline is tried too: the demo on this very machine answers without any network.
    for (const change of ["online", "offline"]) window.addEventListener(change, () => this.#changed());
    window.addEventListener("pageshow", (event) => event.persisted && this.renew()); // back from the browser's cache
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends now or not at all: what waits is in the outbox and goes out when the link opens. */
  send(message) {
    if (!this.isOpen) return;
    this.#socket.send(JSON.stringify(message));
    this.#watch ??= setTimeout(() => this.renew(), SILENCE_LIMIT);
  }

  /** Opens the link at once, dropping the one there is, whatever state it is in. */
  renew() {
    this.#drop();
    const socket = (this.#socket = new WebSocket(this.#address));
    let hasOpened = false;
    this.#watch = setTimeout(() => this.#lose(), OPENING_LIMIT);
    socket.onopen = () => {
      this.#calm();
      hasOpened = true;
      this.#handlers.opened();
    };
    socket.onmessage = (event) => {
      this.#calm();
      const message = JSON.parse(event.data);
      // Only a server that answers resets the wait; one that accepts and hangs up must not be hammered.
      if (message.type === "wait") this.#busy = true;
      else if (message.type === "entry" || message.type === "error") this.#busy = false;
      if (!this.#busy) this.#wait = FIRST_WAIT;
      this.#handlers.received(message);
    };
    socket.onclose = (event) => {
      if (!hasOpened && navigator.onLine) this.#handlers.refused();
      if (event.code === TOO_BIG) this.#handlers.tooBig();
      this.#lose();
    };
    this.#handlers.away();
  }

  #lose() {
    this.#drop();
    const jitter = 0.75 + Math.random() / 2; // so that a whole branch does not return in one instant
    this.#retry = setTimeout(() => this.renew(), this.#wait * jitter);
    this.#wait = Math.min(this.#wait * WAIT_GROWTH, LONGEST_WAIT);
    this.#handlers.away();
  }

  #drop() {
    clearTimeout(this.#retry);
    this.#calm();
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #calm() {
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  #changed() {
    this.#wait = FIRST_WAIT;
    this.renew();
  }

  #seen() {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
    } else if (!this.isOpen || Date.now() - this.#hiddenAt > HIDDEN_LIMIT) {
      this.renew();
    }
  }
}

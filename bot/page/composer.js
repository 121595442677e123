/** The box to type in: grows with the text, keeps it over a reload, sends it. */

const SEND_BY_ENTER = window.matchMedia("(pointer: fine)");
const IME_KEY = 229; // what a key press reports while a Vietnamese input method is still composing

export class Composer {
  #box;
  #key;
  #words = { placeholder_idle: "", placeholder_closed: "" };
  #typing = "";
  #closed = false;

  /**
   * @param {HTMLFormElement} form with a textarea and a submit button
   * @param {string} owner whose draft this is
   * @param {(text: string) => void} say
   * @param {() => void} blank called when there is nothing to send but blanks
   */
  constructor(form, owner, say, blank) {
    this.#box = form.querySelector("textarea");
    this.#key = `tusoi:draft:${owner}`;
    this.#words.placeholder_idle = this.#box.placeholder;
    this.#box.value = this.#stored();
    this.#box.addEventListener("input", () => this.#changed());
    this.#box.addEventListener("keydown", (event) => {
      const composing = event.isComposing || event.keyCode === IME_KEY;
      if (event.key !== "Enter" || event.shiftKey || composing || !SEND_BY_ENTER.matches) return;
      event.preventDefault();
      form.requestSubmit();
    });
    // Pressing the button must not take the focus from the box: the phone's keyboard would fold away.
    form.querySelector("button").addEventListener("mousedown", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#box.value.trim();
      if (!text) {
        if (this.#box.value) blank();
        this.#set("");
        return this.#box.focus();
      }
      this.#set("");
      say(text);
    });
    window.addEventListener("resize", () => this.#grow());
    this.#grow();
    if (SEND_BY_ENTER.matches) this.#box.focus();
  }

  /** Gives a refused text back, before whatever has been typed since. */
  giveBack(text) {
    this.#set(this.#box.value ? `${text}\n${this.#box.value}` : text);
  }

  /**
   * @param {string} placeholder of the text the bot waits for; empty when it waits for none
   * @param {boolean} closed whether only buttons answer
   */
  expect(placeholder, closed) {
    this.#typing = placeholder;
    this.#closed = closed;
    this.#box.form.classList.toggle("ready", placeholder !== "");
    this.#name();
  }

  /** The words of the page, in the person's language. */
  setWords(words) {
    this.#words = words;
    this.#box.setAttribute("aria-label", words.placeholder);
    this.#name();
  }

  #name() {
    const { placeholder_idle: idle, placeholder_closed: closed } = this.#words;
    this.#box.placeholder = this.#typing || (this.#closed ? closed : idle);
    this.#grow();
  }

  #set(text) {
    this.#box.value = text;
    this.#changed();
  }

  #changed() {
    try {
      sessionStorage.setItem(this.#key, this.#box.value);
    } catch {
      // A browser that keeps nothing still lets one type.
    }
    this.#grow();
  }

  #stored() {
    try {
      return sessionStorage.getItem(this.#key) ?? "";
    } catch {
      return "";
    }
  }

  // The stylesheet sets the greatest height; beyond it the box scrolls.
  #grow() {
    this.#box.style.height = "auto";
    const border = this.#box.offsetHeight - this.#box.clientHeight;
    this.#box.style.height = `${this.#box.scrollHeight + border}px`;
  }
}

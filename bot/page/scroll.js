/** Keeps the reader's place in the log while entries come, go and change their height. */

const END_SLACK = 64; // px from the end that still count as "at the end"
const TOP_GAP = 8; // px left free above an entry shown from its top
const END = "end";

export class Scroll {
  #view;
  #chip;
  #anchor = END; // what stays in view while sizes change: END, an element shown, or null (reader elsewhere)
  #placed = 0; // the scrollTop this class set last, to tell the reader's scrolling from its own
  #unseen = null;
  #nearTop;

  /**
   * @param {HTMLElement} view the scrolling box
   * @param {HTMLElement} column its content
   * @param {HTMLButtonElement} chip leads to what came while the reader was far up
   * @param {() => void} nearTop called while the reader comes to the beginning
   */
  constructor(view, column, chip, nearTop) {
    this.#nearTop = nearTop;
    this.#view = view;
    this.#chip = chip;
    view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    chip.addEventListener("click", () => this.show(this.#unseen));
    // Pictures load, the keyboard opens, the typing dots come: stay where we were.
    const sizes = new ResizeObserver(() => this.#keep());
    sizes.observe(view);
    sizes.observe(column);
  }

  get atEnd() {
    return this.#end() - this.#view.scrollTop < END_SLACK;
  }

  get isNearTop() {
    return this.#view.scrollTop < this.#view.clientHeight;
  }

  /** Shows the end of the log, or the element from its top when it would not fit above the end. */
  show(element) {
    this.#stay(element);
    this.#markSeen();
  }

  #stay(element) {
    const top = this.#view.scrollTop + this.offset(element) - TOP_GAP;
    this.#anchor = element;
    this.#scrollTo(Math.min(this.#end(), Math.max(top, 0)));
  }

  /** Makes a change and keeps `after()` at the height in the view where `before` was. */
  hold(before, change, after) {
    const offset = this.offset(before);
    change();
    this.#anchor = null;
    this.#scrollTo(this.#view.scrollTop + this.offset(after()) - offset);
  }

  /** Offers what came, without taking a reader who is far up away from the text. */
  offer(element) {
    this.#unseen ??= element;
    this.#chip.hidden = false;
  }

  /** Pixels from the top of the view to the top of the element; negative when it is above. */
  offset(element) {
    return element.getBoundingClientRect().top - this.#view.getBoundingClientRect().top;
  }

  #keep() {
    if (this.#anchor === END) this.#scrollTo(this.#end());
    else if (this.#anchor) this.#stay(this.#anchor); // no show(): what is offered stays unseen
  }

  #end() {
    return this.#view.scrollHeight - this.#view.clientHeight;
  }

  #scrollTo(top) {
    this.#view.scrollTop = top;
    this.#placed = this.#view.scrollTop;
  }

  #scrolled() {
    if (Math.abs(this.#view.scrollTop - this.#placed) < 2) return;
    this.#placed = this.#view.scrollTop;
    this.#anchor = this.atEnd ? END : null;
    const reached = this.#unseen && this.offset(this.#unseen) < this.#view.clientHeight / 2;
    if (this.atEnd || reached) this.#markSeen();
    if (this.isNearTop) this.#nearTop();
  }

  #markSeen() {
    this.#unseen = null;
    this.#chip.hidden = true;
  }
}

/** Draws one entry as bubbles. All of it is plain text: textContent only, never HTML. */

import { time } from "./dates.js";

const POINT = /^(•|\d{1,2}\.|[A-D]\.) /;

/** `make("p", "note", "Text")`: an element with its class and text or children. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** What the person said, at the right. */
export function drawOwn(text) {
  return make("p", "own", text);
}

/**
 * The bot's side of an entry: a bubble for each screen, then the time.
 * @param {(button: HTMLButtonElement, spec: object) => void} press
 * @param {(picture: {src: string, alt: string}) => void} openPicture
 */
export function drawAnswer(entry, press, openPicture) {
  const answer = make("div", "answer");
  for (const screen of entry.screens) answer.append(drawScreen(screen, press, openPicture));
  const stamp = make("time", "stamp", time(entry.at));
  stamp.dateTime = entry.at;
  answer.append(stamp);
  return answer;
}

function drawScreen(screen, press, openPicture) {
  const bubble = make("div", "bubble");
  if (screen.picture) bubble.append(drawPicture(screen.picture, openPicture));
  if (screen.hint) bubble.append(make("p", "hint", screen.hint));
  if (screen.title) bubble.append(make("h2", "title", screen.title));
  for (const block of screen.text.split(/\n{2,}/)) if (block) bubble.append(drawText(block));
  if (screen.note) bubble.append(make("p", "note", screen.note));
  if (screen.rows.length) bubble.append(drawRows(screen.rows, press));
  return bubble;
}

/** A paragraph; the points of a list ("• ", "1. ", "A. ") stand apart, so that each is found at a glance. */
function drawText(block) {
  const lines = block.split("\n");
  if (!lines.some((line) => POINT.test(line))) return make("p", "text", block);
  return make("div", "text", ...lines.map((line) => {
    const className = POINT.test(line) ? `point${line.startsWith("•") ? " bullet" : ""}` : "";
    return make("p", className, line);
  }));
}

function drawRows(rows, press) {
  // The first button is the way forward; a row of several (A B C D) or a choice to tick recommends nothing.
  const forward = rows[0].length === 1 && rows[0][0].chosen === null ? rows[0][0] : null;
  const box = make("div", "rows");
  for (const row of rows) {
    const line = make("div", "row");
    for (const spec of row) line.append(drawButton(spec, spec === forward, press));
    box.append(line);
  }
  return box;
}

function drawButton(spec, isForward, press) {
  const button = make("button", isForward ? "forward" : "", make("span", "", spec.text));
  button.type = "button";
  button.value = spec.data;
  if (spec.chosen !== null) button.setAttribute("aria-pressed", spec.chosen);
  button.addEventListener("click", () => press(button, spec));
  return button;
}

function drawPicture(picture, openPicture) {
  const image = make("img");
  image.loading = "lazy"; // a year's history holds many pictures, and the server draws each when asked
  image.addEventListener("load", () => image.classList.add("loaded"));
  image.src = picture.src;
  image.alt = picture.alt;
  const button = make("button", "picture", image);
  button.type = "button";
  button.addEventListener("click", () => openPicture(picture));
  return button;
}

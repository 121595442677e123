/** Draws one entry as bubbles. All of it is plain text: textContent only, never HTML. */

import { time } from "./dates.js";

const LONG = 320, LONG_LINES = 8; // characters and lines of an own text that is shown whole
const START = /^\/start (\S+)$/; // what a link with a join code says
const BARE = /^(\d{1,2}|[A-D])$/; // a button that only names a line of the text

// What is found in a text: an address; a number of a document or a code, which is never parted at its hyphens.
const ADDRESS = /https:\/\/[^\s<>"“”]*[^\s<>"“”.,;:!?)\]’']/;
const NUMBER = /[\dA-ZĐ]+(?:[/-][\dA-ZĐ]+)*-[\dA-ZĐ]+(?:[/-][\dA-ZĐ]+)*/;
const SPECIAL = new RegExp(`${ADDRESS.source}|${NUMBER.source}`, "g");

let ownWords = { whole: "Xem cả đoạn", folded: "Thu gọn", own_code: "{code}", you: "Đồng chí" };

const POINT = /^(•|\d{1,2}\.|[A-D]\.) /;

/** `make("p", "note", "Text")`: an element with its class and text or children. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** @param {{whole: string, folded: string, own_code: string, you: string}} words of the person's own bubbles */
export function nameOwn(words) {
  ownWords = { ...ownWords, ...words };
}

/** What the person said, at the right. A long text is folded: what the bot says to it must not be far below. */
export function drawOwn(said) {
  const code = said.match(START)?.[1];
  const text = code ? ownWords.own_code.replace("{code}", code) : said;
  if (text.length <= LONG && text.split("\n").length <= LONG_LINES) return byOneself(make("p", "own", text));
  const words = make("p", "own-text", text);
  const toggle = make("button", "own-toggle", ownWords.whole);
  toggle.type = "button";
  toggle.setAttribute("aria-expanded", "false");
  toggle.addEventListener("click", () => {
    const open = words.classList.toggle("open");
    toggle.setAttribute("aria-expanded", open);
    toggle.textContent = open ? ownWords.folded : ownWords.whole;
  });
  return byOneself(make("div", "own", words, toggle));
}

/** Who is listening cannot see which side it stands on. */
function byOneself(bubble) {
  bubble.setAttribute("role", "group");
  bubble.setAttribute("aria-label", ownWords.you);
  return bubble;
}

/**
 * The bot's side of an entry: a bubble for each screen, then the time.
 * @param {(button: HTMLButtonElement, spec: object) => void} press
 * @param {(picture: {src: string, alt: string}) => void} openPicture
 */
export function drawAnswer(entry, press, openPicture) {
  const answer = make("div", "answer");
  answer.tabIndex = -1; // the focus may be put on it, so that reading begins at its beginning
  answer.setAttribute("role", "group");
  answer.setAttribute("aria-label", entry.screens.find((screen) => screen.title)?.title ?? "Tự Soi");
  for (const screen of entry.screens) answer.append(drawScreen(screen, press, openPicture));
  const stamp = make("time", "stamp", time(entry.at));
  stamp.dateTime = entry.at;
  answer.append(stamp);
  return answer;
}

function drawScreen(screen, press, openPicture) {
  const bubble = make("div", "bubble");
  if (screen.picture) bubble.append(drawPicture(screen.picture, openPicture));
  if (screen.hint) bubble.append(make("p", "hint", ...typeset(screen.hint)));
  if (screen.title) bubble.append(make("h2", "title", ...typeset(screen.title)));
  const lines = linesToPress(screen);
  for (const block of screen.text.split(/\n{2,}/)) if (block) bubble.append(drawText(block, lines, press));
  for (const file of screen.files ?? []) bubble.append(drawFile(file));
  if (screen.note) bubble.append(make("p", "note", ...typeset(screen.note)));
  if (screen.rows.length) bubble.append(drawRows(screen, lines, press));
  return bubble;
}

/** A file of the person's own, to be kept. */
function drawFile({ href, name, label }) {
  const link = make("a", "file", label);
  link.href = href;
  link.download = name;
  return link;
}

/**
 * Buttons that carry a number or a letter only, by the line of the text that they stand for: that line is pressed, so
 * that nobody has to look for its number further down. Empty unless each has exactly one line.
 */
function linesToPress(screen) {
  const bare = screen.rows.flat().filter((spec) => BARE.test(spec.text));
  const lines = screen.text.split("\n");
  const found = new Map();
  for (const spec of bare) {
    const own = lines.filter((line) => line.startsWith(`${spec.text}. `));
    if (own.length !== 1 || found.has(own[0])) return new Map();
    found.set(own[0], spec);
  }
  return found;
}

/** A paragraph; the points of a list ("• ", "1. ", "A. ") stand apart, so that each is found at a glance. */
function drawText(block, pressed, press) {
  const lines = block.split("\n");
  if (!lines.some((line) => POINT.test(line))) return make("p", "text", ...typeset(block));
  return make("div", "text", ...lines.map((line) => {
    if (pressed.has(line)) return drawLine(line, pressed.get(line), press);
    const className = POINT.test(line) ? `point${line.startsWith("•") ? " bullet" : ""}` : "";
    return make("p", className, ...typeset(line));
  }));
}

/** A text whose addresses (a document's, a reading's) can be followed, and whose numbers stay in one piece. */
function typeset(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(SPECIAL)) {
    parts.push(text.slice(end, index), found.startsWith("https:") ? linkTo(found) : make("span", "whole", found));
    end = index + found.length;
  }
  return [...parts, text.slice(end)];
}

function linkTo(address) {
  const link = make("a", "", address);
  link.href = address;
  link.target = "_blank"; // the chat stays open behind
  link.rel = "noopener noreferrer";
  return link;
}

/** A line of the text that is pressed itself; its button's label stands before its words. */
function drawLine(line, spec, press) {
  const label = make("span", "label", spec.text);
  return listen(make("button", "line", label, make("span", "words", line.slice(spec.text.length + 2))), spec, press);
}

function drawRows({ rows, typing }, lines, press) {
  // The first button is the way forward; a row of several (A B C D) or a choice to tick recommends nothing, and where
  // text is awaited a single row only leads elsewhere.
  const isForward = rows[0].length === 1 && rows[0][0].chosen === null && !(typing && rows.length === 1);
  const forward = isForward ? rows[0][0] : null;
  const inText = new Set(lines.values());
  const box = make("div", "rows");
  for (const row of rows) {
    const line = make("div", "row");
    for (const spec of row) if (!inText.has(spec)) line.append(drawButton(spec, spec === forward, press));
    if (line.childElementCount) box.append(line);
  }
  return box;
}

function drawButton(spec, isForward, press) {
  return listen(make("button", isForward ? "forward" : "", make("span", "label", spec.text)), spec, press);
}

function listen(button, spec, press) {
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

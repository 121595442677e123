/** The chat page: joins log, composer, outbox and connection, and speaks the protocol of the web channel. */

import { nameOwn } from "./bubbles.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Log } from "./log.js";
import { newId, Outbox } from "./outbox.js";
import { namePictureClose } from "./picture.js";
import { Scroll } from "./scroll.js";
import { fetchCookie, nameLeaving, offerToLeave, renewCookie } from "./session.js";

// Milliseconds.
const BANNER_AFTER = 2_000; // shorter gaps are nobody's business
const DOTS_AFTER = 400; // most answers are quicker, and dots that flash disturb
const SLOW_AFTER = 4_000; // from here on words say that an answer is being worked at

const TEXT_CHARACTERS = 20_000; // bot/web_socket.py takes no more

const START = "go:start"; // what the bot's own buttons to the beginning carry; an empty chat begins by itself
const JOIN_CODE = /^#([0-9A-Z][0-9A-Z-]{2,30})$/i;

const $ = (id) => document.getElementById(id);

// Until the server is there; then it says these and more in the person's language.
let words = {
  reconnecting: "Đang nối lại. Những gì đồng chí gửi vẫn được giữ.",
  offline: "Máy chưa có mạng. Những gì đồng chí gửi vẫn được giữ.",
  waiting: "chờ gửi",
  failed: "chưa gửi được",
  too_long: "Đoạn này dài quá. Đồng chí chia ra, gửi làm nhiều lần giúp nhé.",
  only_text: "Ở đây Tự Soi chỉ đọc được chữ, nên tệp và ảnh không được gửi đi. Đồng chí gõ chữ giúp nhé.",
  blank: "Đồng chí chưa viết gì. Viết vài chữ rồi hãy gửi nhé.",
};

const as = new URLSearchParams(location.search).get("as") ?? "";
const outbox = new Outbox(as);
const ownIds = new Set(outbox.all().map((message) => message.id));
const scroll = new Scroll($("view"), $("column"), $("chip"), askOlder);
const log = new Log($("entries"), $("pending"), scroll, press);
const composer = new Composer($("composer"), as, say, () => log.remark(words.blank));

let epoch = null;
let loaded = false;
let isKnown = false; // on this connection: whose chat it is, and what came before whatever is said now
let isMore = false; // there are entries before those on the page
let isAsking = false; // for them
let bannerTimer = null;
let isAway = false;
let busy = ""; // what the server said when it asked to wait
let dotsTimer = null;
let slowTimer = null;

for (const message of outbox.all()) if (message.type === "say") log.addPending(message);

const address = new URL("/ws", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
if (as) address.searchParams.set("as", as);
const connection = new Connection(address.href, { opened, refused: fetchCookie, received, away, tooBig });

window.addEventListener("hashchange", join);
document.addEventListener("keydown", changeSides);
for (const kind of ["dragover", "drop", "paste"]) document.addEventListener(kind, turnFilesAway);
$("older").addEventListener("click", askOlder);
fitKeyboard();
connection.renew();

function say(text) {
  const message = { type: "say", id: newId(), text };
  if (isTooLong(message)) return giveBack(message, words.too_long);
  log.addPending(message);
  post(message);
}

function press(button, spec, seq) {
  if (button.getAttribute("aria-disabled")) return;
  const message = { type: "press", id: newId(), data: spec.data, label: spec.text, seq };
  log.markPressed(message);
  post(message);
}

function post(message) {
  ownIds.add(message.id);
  outbox.add(message);
  if (isKnown) connection.send(message);
  showState();
}

function opened() {
  connection.send({ type: "hello", after: log.newest });
}

/** What waited goes out, once it is certain that it is for the chat it was meant for. */
function sendWaiting() {
  for (const message of outbox.all()) {
    if (isTooLong(message)) refuse({ id: message.id, text: words.too_long }); // kept by an older page: never taken
    else connection.send(message);
  }
}

function isTooLong(message) {
  return message.type === "say" && message.text.length > TEXT_CHARACTERS;
}

/** The server hung up on one of the messages; only the longest can be meant. */
function tooBig() {
  const size = (message) => JSON.stringify(message).length;
  const [longest] = [...outbox.all()].sort((one, other) => size(other) - size(one));
  if (longest) refuse({ id: longest.id, text: words.too_long });
}

function away() {
  isKnown = isAsking = false;
  bannerTimer ??= setTimeout(() => {
    isAway = true;
    showState();
  }, BANNER_AFTER);
  showState();
}

function received(message) {
  if (message.type === "welcome") welcome(message);
  else if (message.type === "entries") receiveHistory(message);
  else if (message.type === "older") receiveOlder(message);
  else if (message.type === "session") receiveSession(message);
  else if (message.type === "entry") receiveEntries([message.entry]);
  else if (message.type === "error") refuse(message);
  else if (message.type === "words") speak(message);
  else if (message.type === "wait") {
    busy = message.text;
    isAway = true;
  }
  showState();
}

function welcome(message) {
  const left = outbox.begin(message.chat);
  for (const { id } of left) log.settle(id);
  const texts = left.filter(({ type }) => type === "say").map(({ text }) => text);
  if (texts.length) composer.giveBack(texts.join("\n"));
  // Another chat (the person was signed out), or another database behind the same address (the demo was started anew).
  if (epoch !== null && message.epoch !== epoch) return location.reload();
  epoch = message.epoch;
  clearTimeout(bannerTimer);
  bannerTimer = null;
  isAway = false;
  busy = "";
  speak(message);
}

async function receiveSession({ renew }) {
  offerToLeave();
  if (renew && (await renewCookie())) connection.renew();
}

/** From here on the page speaks the person's language. */
function speak(message) {
  words = { ...words, ...message.words };
  document.documentElement.lang = message.locale;
  composer.setWords(words);
  nameOwn(words);
  $("send").textContent = words.send;
  $("chip-text").textContent = words.latest;
  namePictureClose(words.close);
  nameLeaving(words);
  $("older").textContent = words.older;
}

function receiveHistory({ entries, more }) {
  if (loaded && more) return location.reload(); // so much came meanwhile that some of it is missing here
  receiveEntries(entries);
  isKnown = true;
  sendWaiting();
  if (loaded) return;
  showMore(more);
  loaded = true;
  // From here on entries are read out; a whole history at once would be noise.
  requestAnimationFrame(() => $("view").setAttribute("aria-live", "polite"));
  if (!join() && !entries.length && !outbox.all().length) post({ type: "press", id: newId(), data: START, label: "", seq: 0 });
}

function askOlder() {
  if (!isMore || isAsking || !isKnown) return;
  isAsking = true;
  connection.send({ type: "older", before: log.oldest });
}

function receiveOlder({ entries, more }) {
  isAsking = false;
  log.putOlder(entries);
  showMore(more);
  // Many of them may stand in one place.
  if (scroll.isNearTop && entries.length) askOlder();
}

function showMore(more) {
  isMore = more;
  $("older").hidden = !more;
}

function receiveEntries(entries) {
  for (const entry of entries) {
    const message = outbox.remove(entry.id);
    log.settle(entry.id);
    // Before consent the server keeps nothing that was said; on the page that said it it still stands.
    if (message) entry.said ??= message.text ?? message.label;
  }
  const pressed = outbox.all().filter((message) => message.type === "press");
  // The answer to what was sent twice may stand far up, among those that are read when the person goes there.
  const reached = entries.filter(({ seq }) => !isMore || seq >= log.oldest);
  const fresh = log.put(reached, ownIds, pressed);
  // An unasked message changes nothing about the text that the bot waits for.
  const turn = fresh.filter((entry) => !entry.id.startsWith("push:")).at(-1);
  const screen = turn?.screens.at(-1);
  if (!turn) return;
  composer.expect(screen?.typing ?? "", screen?.closed ?? false);
  document.documentElement.classList.toggle("large", turn.screens.some((one) => one.large)); // as the person reads now
}

function refuse({ id, text }) {
  const message = outbox.remove(id);
  log.settle(id);
  if (message) giveBack(message, text || words.failed);
}

function giveBack(message, reason) {
  log.refuse(message, reason);
  if (message.type === "say") composer.giveBack(message.text);
}

/** Shows what follows from the link and the outbox: dot, banner, waiting messages, typing dots. */
function showState() {
  const open = connection.isOpen && !isAway;
  $("dot").classList.toggle("open", open);
  $("banner").textContent = isAway ? busy || (navigator.onLine ? words.reconnecting : words.offline) : "";
  log.markWaiting(isAway ? words.waiting : "");

  const isAsked = open && outbox.all().length > 0;
  if (!isAsked) {
    clearTimeout(dotsTimer);
    dotsTimer = null;
    clearTimeout(slowTimer);
    slowTimer = null;
    $("dots").hidden = true;
    $("slow").textContent = "";
  } else {
    dotsTimer ??= setTimeout(() => ($("dots").hidden = false), DOTS_AFTER);
    slowTimer ??= setTimeout(() => ($("slow").textContent = words.slow), SLOW_AFTER);
  }
}

/** Esc leads from the text box to the newest answer and back. */
function changeSides(event) {
  if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
  if (document.activeElement === $("text")) log.focusNewest();
  else $("text").focus();
}

/** A file dropped beside the chat would otherwise be opened in its place. It never leaves the machine. */
function turnFilesAway(event) {
  const brought = event.dataTransfer ?? event.clipboardData;
  if (!brought?.types.includes("Files") || brought.types.includes("text/plain")) return;
  event.preventDefault();
  if (event.type !== "dragover") log.remark(words.only_text);
}

/** A join code in the address is said once, as if the person had typed it. @returns whether there was one */
function join() {
  const code = location.hash.match(JOIN_CODE)?.[1];
  if (!code || !loaded) return false;
  history.replaceState(null, "", location.pathname + location.search);
  say(`/start ${code.toUpperCase()}`);
  return true;
}

/** iPhones lay the keyboard over the page instead of making it smaller. */
function fitKeyboard() {
  const visible = window.visualViewport;
  visible?.addEventListener("resize", () => {
    if (visible.scale > 1.01) return; // pinched larger, not a keyboard
    document.documentElement.style.setProperty("--height", `${visible.height}px`);
    window.scrollTo(0, 0);
  });
}

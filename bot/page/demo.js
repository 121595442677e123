/** The demo around the chat: the cards to choose a person from, and the bar with people and clock. */

import { make } from "./bubbles.js";
import { shortDate, time, weekday } from "./dates.js";

const REFRESH = 4_000; // milliseconds

const as = new URLSearchParams(location.search).get("as");
const cards = document.getElementById("people");

const tabs = make("nav", "demo-tabs");
tabs.setAttribute("aria-label", "Đổi vai");
const clock = make("p", "demo-clock");
const day = makeButton("demo-day", "+1 ngày", { days: 1 });
const next = makeButton("demo-next", "Đến mốc tiếp theo", { to: "next" });
const nextLabel = make("small", "");
next.append(nextLabel);

if (!cards) {
  const bar = make("aside", "demo-bar", tabs, make("div", "demo-time", clock, day, next));
  bar.setAttribute("aria-label", "Bản dùng thử");
  document.body.prepend(bar);
}
refresh();
setInterval(() => document.hidden || refresh(), REFRESH);

function makeButton(className, text, move) {
  const button = make("button", className, make("span", "", text));
  button.type = "button";
  button.addEventListener("click", () => moveClock(move));
  return button;
}

async function refresh() {
  try {
    show(await ask("/demo/state"));
  } catch {
    // The chat's own banner tells of a server that is away; the cards have no other voice.
    if (cards && !cards.childElementCount) {
      document.getElementById("trouble").textContent = "Chưa đọc được danh sách, đang thử lại…";
    }
  }
}

async function moveClock(move) {
  if (day.getAttribute("aria-disabled")) return;
  setBusy(true);
  try {
    show(await ask("/demo/clock", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(move),
    }));
  } catch {
    await refresh();
  } finally {
    setBusy(false);
  }
}

async function ask(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

function setBusy(isBusy) {
  for (const button of [day, next]) {
    if (isBusy) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

function show(state) {
  if (cards) showCards(state.people);
  else showBar(state);
}

function showCards(people) {
  document.getElementById("trouble").textContent = "";
  redraw(cards, people, (person) => make("a", "card",
    make("span", "card-role", person.role),
    make("strong", "card-name", person.name),
    make("span", "card-about", person.about),
  ));
}

function showBar(state) {
  redraw(tabs, state.people, drawTab);
  clock.replaceChildren(make("span", "", `${weekday(state.clock)},`), " ", make("b", "", `${shortDate(state.clock)} ${time(state.clock)}`));
  next.hidden = state.next === null;
  nextLabel.textContent = state.next ? state.next.label : "";
  next.title = state.next ? `${shortDate(state.next.at)} ${time(state.next.at)}: ${state.next.label}` : "";
}

function drawTab(person) {
  // The end of a Vietnamese name is the name one is called by; the start would be all that fits.
  const called = person.name.split(" ").slice(-2).join(" ");
  const tab = make("a", "demo-tab", make("b", "", person.role), make("small", "", called));
  tab.title = `${person.name}, ${person.role}`;
  return tab;
}

/** Draws the links to the people anew only when something changed, so that a focus stays. */
function redraw(box, people, draw) {
  const state = JSON.stringify(people);
  if (box.dataset.state === state) return;
  box.dataset.state = state;
  box.replaceChildren(...people.map((person) => {
    const link = draw(person);
    link.href = `/chat?as=${encodeURIComponent(person.key)}${person.code ? `#${person.code}` : ""}`;
    if (person.key === as) link.setAttribute("aria-current", "page");
    return link;
  }));
}

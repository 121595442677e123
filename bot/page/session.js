/** Being signed in on this machine: a new cookie when the server asks for it, and signing out. */

const NOT_AGAIN = 3_600_000; // milliseconds: a browser that keeps no cookie must not ask for ever
const CONFLICT = 409;
const others = "BroadcastChannel" in window ? new BroadcastChannel("tusoi") : null; // this browser's other tabs

const $ = (id) => document.getElementById(id);
const button = $("leave");
const dialog = $("leave-dialog");

let renewedAt = -NOT_AGAIN;

/** Fetches the cookie that takes the place of this one. @returns whether to connect anew, which shows it */
export async function renewCookie() {
  if (performance.now() - renewedAt < NOT_AGAIN) return false;
  try {
    const { ok } = await fetch("/session", { method: "POST" });
    if (ok) renewedAt = performance.now();
    return ok;
  } catch {
    return false; // no network just now: the server asks again
  }
}

/** The server has turned the page away: without a cookie, which the page itself brings. */
export async function fetchCookie() {
  await fetch("/chat", { method: "HEAD" }).catch(() => {});
}

/** From now on the person can sign out. */
export function offerToLeave() {
  button.hidden = false;
}

/** The words of the page, in the person's language. */
export function nameLeaving(words) {
  button.textContent = words.leave;
  $("leave-title").textContent = words.leave_title;
  $("leave-text").textContent = words.leave_text;
  $("leave-stay").textContent = words.stay;
  $("leave-go").textContent = words.leave;
  dialog.dataset.failed = words.leave_failed;
}

button.addEventListener("click", () => {
  $("leave-trouble").textContent = "";
  dialog.showModal();
});
$("leave-stay").addEventListener("click", () => dialog.close());
$("leave-go").addEventListener("click", async () => {
  try {
    await signOut();
  } catch {
    $("leave-trouble").textContent = dialog.dataset.failed;
    return;
  }
  others?.postMessage("signed out");
  startOver();
});
if (others) others.onmessage = startOver;

/** Ends the session. Refused as a conflict, the cookie was just replaced by way of another tab: the browser has the next
 *  one by now. Refused once more, there was no session to end. @throws Error without a network or a server */
async function signOut() {
  for (let tries = 0; tries < 2; tries += 1) {
    const { ok, status } = await fetch("/sign-out", { method: "POST" });
    if (ok) return;
    if (status !== CONFLICT) throw new Error("not signed out");
  }
}

/** What was typed here is not for whoever comes next. */
function startOver() {
  for (const storage of [localStorage, sessionStorage]) {
    for (const key of Object.keys(storage)) if (key.startsWith("tusoi:")) storage.removeItem(key);
  }
  location.replace("/");
}

// Signing in, and asking for the numbers again while the page is seen.

import { call, Refused, useToken } from "./api.js";
import { at, say } from "./dom.js";
import { clock } from "./format.js";
import { showBanner, showCounted, showUp } from "./overview.js";
import { showPurges } from "./purges.js";
import { problemNode } from "./said.js";
import { learnStore } from "./store.js";
import "./caller.js";
import "./purge.js";
import "./warm.js";
import "./sessions.js";
import "./key.js";
import "./match.js";

const EVERY_MS = 10_000;

const NOTHING_COUNTED = {
  requests: 0,
  by_status: {},
  limits: { allowed: 0, near: 0, denied: 0, shadow: 0 },
  cache: { hit: 0, stale: 0, revalidated: 0, miss: 0, bypass: 0, bytes_saved: 0 },
  sessions: { created: 0, rotated: 0, ended: 0, ended_user: 0, ended_everyone: 0, refused: 0 },
  store: { calls: 0, commands: 0, failures: 0, lost: 0 },
};

/** What the page knows. Times are ms since the epoch, by the edge's clock. */
const known = {
  /** The last answer of all isolates, and of when it is. */
  complete: null,
  completeAt: null,
  /** The last answer, of one isolate alone where the store is lost. */
  latest: null,
  latestAt: null,
  /** Why there was no answer; null where the last one came. */
  failure: null,
};

/** What no header field can carry: fetch would call it a failure of the network. */
const NO_FIELD_CARRIES = /[^\x20-\xff]/;
const NOT_A_TOKEN = {
  title: "Not a token",
  message: "It has a character that no token has, perhaps one that is not seen. Type it, or copy it again.",
};

let open = false;
let paused = false;
let timer;
let asking = null;

const askOverview = (signal) =>
  call("GET", `/edge/overview?minutes=${at("minutes").value}`, undefined, signal);

/** Asks for all that the page shows. @param answered An answer for the overview that there is already. */
async function refresh(answered = null) {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const [overview, purges] = await Promise.allSettled([
    answered ?? askOverview(mine.signal),
    call("GET", "/edge/cache/purges", undefined, mine.signal),
  ]);
  if (mine !== asking || !open) return;
  asking = null;
  learn(overview);
  if (known.failure?.status === 401) return leave(known.failure);
  show();
  showPurges(purges);
  schedule();
}

function learn({ status, value, reason }) {
  if (status === "rejected") {
    known.failure =
      reason instanceof Refused ? reason : new Refused(0, { title: "No answer", message: String(reason) });
    return;
  }
  known.failure = null;
  // Where nothing is counted, there are no sums.
  learnStore(value.body.health.store.status);
  known.latest = { ...value.body, totals: value.body.totals ?? NOTHING_COUNTED };
  known.latestAt = value.body.now;
  if (!value.body.complete) return;
  known.complete = known.latest;
  known.completeAt = known.latestAt;
}

function show() {
  showBanner(known);
  if (known.latest) {
    showUp(known);
    showCounted(known);
    offerHost(known.latest.api_host);
  }
  say(at("updated"), updated());
}

function updated() {
  if (known.latestAt === null) return "";
  return paused ? `Paused, of ${clock(known.latestAt)}` : `Updated ${clock(known.latestAt)}`;
}

/** The host that paths mean, where the operator has written no other. */
function offerHost(host) {
  say(at("host"), host ?? location.host);
  for (const id of ["purge-host", "warm-host"]) {
    const field = at(id);
    if (host && field.value === "" && document.activeElement !== field) field.value = host;
  }
}

function schedule() {
  clearTimeout(timer);
  if (!open || paused || document.visibilityState !== "visible") return;
  timer = setTimeout(refresh, EVERY_MS);
}

function enter() {
  open = true;
  for (const id of ["console", "nav", "controls"]) at(id).hidden = false;
  at("sign-in").hidden = true;
  at("main").focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Back to where the token is asked for. What was known is forgotten with it. */
function leave(failure = null) {
  open = false;
  clearTimeout(timer);
  asking?.abort();
  useToken("");
  // A question that waits for an answer would lie over the field.
  at("ask").close();
  Object.assign(known, { complete: null, completeAt: null, latest: null, latestAt: null, failure: null });
  for (const id of ["console", "nav", "controls"]) at(id).hidden = true;
  for (const result of document.querySelectorAll(".result")) result.replaceChildren();
  for (const form of document.querySelectorAll("#act form")) form.reset();
  at("banner").replaceChildren();
  at("sign-in").hidden = false;
  at("sign-in-result").replaceChildren(...(failure ? [problemNode(failure)] : []));
  at("token").focus();
}

async function signIn() {
  const field = at("token");
  const token = field.value.trim();
  useToken(token);
  at("sign-in-result").replaceChildren();
  try {
    if (NO_FIELD_CARRIES.test(token)) throw new Refused(0, NOT_A_TOKEN);
    const answered = await askOverview();
    field.value = "";
    enter();
    await refresh(answered);
  } catch (error) {
    useToken("");
    at("sign-in-result").replaceChildren(problemNode(error));
    field.select();
  }
}

at("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void signIn();
});
at("leave").addEventListener("click", () => leave());
at("refresh").addEventListener("click", () => void refresh());
at("minutes").addEventListener("change", () => void refresh());
at("pause").addEventListener("click", () => {
  paused = !paused;
  say(at("pause"), paused ? "Go on" : "Pause");
  say(at("updated"), updated());
  if (paused) clearTimeout(timer);
  else void refresh();
});
document.addEventListener("visibilitychange", () => {
  if (!open || paused) return;
  if (document.visibilityState === "visible") void refresh();
  else clearTimeout(timer);
});
document.addEventListener("signed-out", () =>
  leave(new Refused(401, { title: "Token required", message: "The token no longer counts. Type it again." })),
);
// What an act has changed is shown at once.
document.addEventListener("acted", () => void refresh());

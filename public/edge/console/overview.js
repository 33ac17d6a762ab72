// What the page says first: whether the edge is up, on what, and what cannot be known now.

import { answer, at, facts, make } from "./dom.js";
import { ago, clock, list, ms, number, plural, span, UNKNOWN } from "./format.js";
import { showLimited } from "./limited.js";
import { problemNode } from "./said.js";
import { showSaved } from "./saved.js";
import { edgeNow } from "./time.js";
import { showTraffic } from "./traffic.js";

const SERVICES = { rate_limiting: "Limits", session_storage: "Sessions", response_cache: "Cache" };
const PLACES = { redis: "Redis", memory: "memory", database: "database" };
const IN_MEMORY = "of each isolate";

const MODES = {
  enforce: "everything is enforced",
  observe: "nothing is refused, all is counted",
  bypass: "requests pass as if there were no edge",
};

/** What the banner says now, so that it is said once. */
let said = "";

/** What cannot be known: while Redis is away, and while the edge does not answer. */
export function showBanner({ failure, latest, completeAt, latestAt }) {
  const nodes = failure ? unanswered(failure, latestAt) : latest ? incomplete(latest, completeAt) : [];
  const text = nodes.map((node) => node.textContent).join(" ");
  if (text === said) return;
  said = text;
  at("banner").replaceChildren(...(nodes.length === 0 ? [] : [make("div", { class: "width" }, nodes)]));
}

function unanswered(failure, latestAt) {
  const since =
    latestAt === null
      ? "There is no earlier answer."
      : `What stands here is of ${clock(latestAt)}. What has happened since is not known.`;
  return [make("p", {}, make("strong", {}, "The edge did not answer. "), since), problemNode(failure)];
}

function incomplete({ complete, metrics, health }, completeAt) {
  const counts = metrics === "off" ? null : complete ? "" : countsOf(completeAt);
  const title = TITLES[health.store.status] ?? "Redis answers, and refuses the counts: the log says why. ";
  const isWhole = !counts && health.store.status !== "unavailable";
  return [
    counts === null
      ? make(
          "p",
          {},
          make("strong", {}, "Nothing is counted. "),
          "Neither METRICS_TOKEN nor CONSOLE_HOST is set. The state below and all acts work without them.",
        )
      : null,
    isWhole ? null : make("p", {}, make("strong", {}, title), counts ?? ""),
    isWhole || !(health.store.status in TITLES) ? null : make("p", {}, UNKNOWN_MEANWHILE),
  ].filter((node) => node !== null);
}

/** By `health.store.status`, where that is why something is not known. */
const TITLES = {
  unavailable: "Redis does not answer. ",
  not_configured: "There is no Redis. ",
};

const UNKNOWN_MEANWHILE =
  "Nor is it known who was denied meanwhile, what a caller has left in other isolates, and which purges there were. What you do now takes effect in one isolate and is written later, where the answer says so.";

function countsOf(completeAt) {
  if (completeAt === null)
    return "The numbers below are those of the one isolate that answered; the others' are not known.";
  return `The numbers below are of ${clock(completeAt)}, the last answer of all isolates. What has been counted since is not known.`;
}

/** Is it up, and on what? Of the isolate that answered last. */
export function showUp({ latest, failure }) {
  const { health, mode, version, deployed, isolates, complete, totals } = latest;
  const { store, database, services } = health;
  const [text, how] = failure
    ? ["The edge did not answer the last time it was asked.", "bad"]
    : upAnswer(latest);
  answer("up-answer", text, how);
  at("up-facts").classList.toggle("stale", failure !== null);
  facts(at("up-facts"), [
    ...Object.entries(SERVICES).map(([key, name]) => service(name, services[key], store)),
    redis(store, totals, complete),
    database
      ? ["Database", database.status, database.message ?? null, database.available ? null : "bad"]
      : null,
    ["Mode", mode, MODES[mode] ?? null, mode === "enforce" ? null : "warn"],
    [
      "Isolates",
      complete && Number.isFinite(isolates) ? number(isolates) : UNKNOWN,
      "that have counted lately",
    ],
    ["Version", version, deployed ? `deployed as ${deployed.slice(0, 8)}` : null],
    clockFact(Date.now() - edgeNow()),
  ]);
}

function service(name, place, store) {
  const lost = place === "memory" && store.status === "unavailable";
  return [name, PLACES[place] ?? String(place), place === "memory" ? IN_MEMORY : null, lost ? "warn" : null];
}

/** Redis, with its median and how often an isolate lost it. */
function redis({ status, available, median_ms: median }, { store }, complete) {
  if (status === "not_configured") return ["Redis", "not configured", "all is in each isolate"];
  const near = Number.isFinite(median) ? `half of its replies within ${ms(median)}` : null;
  const lost = complete && store.lost > 0 ? `lost ${plural(store.lost, "time")} by an isolate` : null;
  const notes = [near, lost].filter(Boolean).join("; ");
  return [
    "Redis",
    available ? "answers" : "does not answer",
    notes || null,
    available ? (lost ? "warn" : null) : "bad",
  ];
}

/** @param ahead By how many ms this machine's clock is ahead: the operator's own logs have its times. */
function clockFact(ahead) {
  const apart = Math.abs(ahead);
  if (apart < 10_000) return null;
  const where = ahead > 0 ? "behind" : "ahead of";
  return [
    "The edge's clock",
    clock(edgeNow()),
    `${span(apart)} ${where} this machine's. All times here are by it.`,
    "warn",
  ];
}

function upAnswer({ health, mode }) {
  const { status, store, services } = health;
  const on = Object.entries(SERVICES).map(([key, name]) => [
    name.toLowerCase(),
    PLACES[services[key]] ?? services[key],
  ]);
  const places = [...new Set(on.map(([, place]) => place))];
  const where = places.map((place) => {
    const names = on.filter(([, each]) => each === place).map(([name]) => name);
    return `${list(names)} ${names.length === 1 && names[0] !== "limits" && names[0] !== "sessions" ? "runs" : "run"} on ${place === "memory" ? "each isolate's memory" : place}`;
  });
  const text = capital(list(where));
  const off = mode === "enforce" ? "" : ` Its mode is ${mode}: ${MODES[mode] ?? ""}.`;
  if (store.status === "unavailable") return [`It serves without Redis. ${text}.${off}`, "warn"];
  if (status !== "healthy")
    return [`It serves, and something is wrong: ${health.store.message ?? status}. ${text}.${off}`, "warn"];
  return [`It is up. ${text}.${off}`, mode === "enforce" ? "good" : "warn"];
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * What all isolates have counted. While that is not known, the last numbers stay and are grey; where there are none, those of the one
 * isolate stand there.
 */
export function showCounted({ complete, completeAt, latest, failure }) {
  const shown = complete ?? latest;
  const stale = failure !== null || (latest.metrics !== "off" && !latest.complete);
  at("counted").classList.toggle("stale", stale);
  for (const node of document.querySelectorAll(".as-of")) {
    node.hidden = !stale;
    node.textContent = complete
      ? `As of ${clock(completeAt)}, ${ago(completeAt, edgeNow())}.`
      : "Of one isolate alone.";
  }
  showTraffic(shown);
  showLimited(shown);
  showSaved(shown);
}

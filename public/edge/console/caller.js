// Looks a caller up: each window with what is left, at the tier it belongs to. Resets them.

import { call } from "./api.js";
import { ask } from "./ask.js";
import { at, fill, make, meter } from "./dom.js";
import { clock, number, span, UNKNOWN } from "./format.js";
import { act, notice } from "./said.js";

/** The part of a limit beyond which its caller is near. */
const NEAR = 0.8;

const form = at("lookup-form");
const result = at("lookup-result");

const KINDS = { user: "user", key: "key", address: "address", hash: "caller" };

/** What is looked up, as the body of the request. */
function wanted() {
  const kind = at("lookup-kind").value;
  const value = at("lookup-value").value.trim();
  // The log and the API write a hash with its kind before it.
  return { [kind]: kind === "hash" ? value.replace(/^hash:/, "") : value };
}

/** Looks a hash up, as a table of the page does for a caller in it. */
export function lookUpHash(hash) {
  at("lookup-kind").value = "hash";
  at("lookup-value").value = hash;
  form.scrollIntoView({ block: "center" });
  at("lookup-value").focus();
  form.requestSubmit();
}

async function lookUp() {
  const who = wanted();
  const { body } = await call("POST", "/edge/limits/lookup", who);
  return shown(who, body);
}

async function reset(who) {
  const name = nameOf(who);
  const yes = await ask({
    title: `Reset the limits of ${name}?`,
    does: [
      `The counts of all windows shown for ${name} are deleted in Redis, and in the isolate that answers.`,
      "Its next request is counted from nothing, in an isolate that has just refused it after 5 seconds, or what ISOLATE_MAX_AGE_MS says.",
    ],
    not: [
      "Other callers, sessions and stored answers stay as they are.",
      "A deny list goes on refusing it, and units that another isolate has leased stay with that isolate.",
    ],
    yes: "Reset",
  });
  if (!yes) return null;
  const { body } = await call("POST", "/edge/limits/lookup", { ...who, reset: true });
  form.dispatchEvent(new Event("acted", { bubbles: true }));
  return [notice(`The limits of ${name} were reset.`), ...shown(who, body)];
}

function nameOf(who) {
  const [[kind, value]] = Object.entries(who);
  return `${KINDS[kind]} ${value}`;
}

function shown(who, body) {
  const { caller, tier, limits, address, now } = body;
  const name = nameOf(who);
  const own = limits.filter(({ current }) => current !== false);
  const other = limits.filter(({ current }) => current === false);
  const button = make("button", { type: "button", class: "danger" }, "Reset …");
  button.addEventListener("click", () => void act(form, result, () => reset(who)));
  return [
    make(
      "p",
      {},
      `In the log it is ${caller.replace(/^(?:hash:)?/, "hash:")}. `,
      tierText(tier, limits),
      networkText(who, address),
    ),
    own.length === 0 ? make("p", {}, "No limit counts it.") : table(`Windows of ${name}`, own, now),
    other.length === 0
      ? null
      : make(
          "details",
          {},
          make("summary", {}, "Windows of other tiers, which do not count it"),
          table("Windows of other tiers", other, now),
        ),
    limits.length === 0 ? null : make("div", { class: "buttons" }, button),
  ].filter(Boolean);
}

/** An IPv6 address is counted by its network. */
function networkText(who, address) {
  return address === undefined || address === who.address ? "" : ` It is counted as ${address}.`;
}

function tierText(tier, limits) {
  if (tier) return `Its tier is ${tier}.`;
  if (limits.some(({ current }) => current === null))
    return "Its tier is not known here: each tier's windows are shown.";
  return "It has no tier.";
}

/** @param now The time of the answer, by the edge's clock, as is `resetAt`. */
function table(name, limits, now) {
  const rows = make("tbody");
  fill(
    rows,
    limits.map((limit, index) => rowOf(limit, index, now)),
  );
  const head = ["Limit", "Route", "Tier", "Left", "More is left", "Counted in"].map((text) =>
    make("th", { scope: "col" }, text),
  );
  return make("table", { "aria-label": name }, make("thead", {}, make("tr", {}, head)), rows);
}

function rowOf({ name, route, tier, limit, remaining, resetAt, source, shared }, index, now) {
  const used = limit > 0 ? (limit - remaining) / limit : 1;
  const how = remaining <= 0 ? "bad" : used > NEAR ? "warn" : "";
  return {
    key: String(index),
    cells: [
      { content: name, heading: true },
      { label: "Route", content: shared ? `${route} (shared)` : (route ?? ""), class: "wide mono" },
      { label: "Tier", content: tier ?? "none" },
      {
        label: "Left",
        content: meter(remaining / limit, `${number(remaining)} of ${number(limit)}`, how),
        class: how,
      },
      {
        label: "More is left",
        content: used > 0 ? againText(resetAt, now) : "nothing used",
      },
      { label: "Counted in", content: source === "redis" ? "Redis" : "this isolate" },
    ],
  };
}

/** When more is left. In whole seconds that have begun, so that none is too early. */
function againText(resetAt, now) {
  if (!Number.isFinite(resetAt) || !Number.isFinite(now)) return UNKNOWN;
  const wait = Math.ceil((resetAt - now) / 1000) * 1000;
  return wait > 0
    ? `in ${span(wait)}, ${clock(resetAt, now)}`
    : `now: the wait was over at ${clock(resetAt, now)}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void act(form, result, lookUp);
});

// Purges by address, prefix, tag and user.

import { call } from "./api.js";
import { ask } from "./ask.js";
import { at } from "./dom.js";
import { list, plural } from "./format.js";
import { act, notice } from "./said.js";
import { inOneIsolate } from "./store.js";

const form = at("purge-form");
const EVERYTHING = "purge_everything";
/** Values that the dialog names one by one. */
const MOST_NAMED = 3;

/** By kind: what one value is, an example, and what a purge of it does. */
const KINDS = {
  files: {
    name: "address",
    several: "addresses",
    hint: "https://api.example.com/v1/emissions/factors, or its path.",
    does: "Every stored answer of the address, in all its variants, is withdrawn.",
  },
  prefixes: {
    name: "prefix",
    several: "prefixes",
    hint: "Host and path with a slash at its end: api.example.com/v1/emissions/",
    does: "Every stored answer whose address begins so is withdrawn.",
  },
  tags: {
    name: "tag",
    several: "tags",
    hint: "As in the route's tags, or in your API's Cache-Tag: emissions",
    does: "Every stored answer with the tag is withdrawn.",
  },
  users: {
    name: "user",
    several: "users",
    hint: "User ids. What was stored for them alone ends.",
    does: "Every answer that was stored for the user alone is withdrawn.",
  },
  [EVERYTHING]: { does: "Every stored answer is withdrawn." },
};

function kindChosen() {
  const kind = at("purge-kind").value;
  const all = kind === EVERYTHING;
  at("purge-values").hidden = all;
  at("purge-list").required = !all;
  at("purge-host-field").hidden = kind !== "files";
  at("purge-hint").textContent = KINDS[kind].hint ?? "";
  // Withdrawing a user's own answers is never soft.
  at("purge-soft").disabled = kind === "users";
}

const lines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

function named(kind, values) {
  if (kind === EVERYTHING) return "everything";
  const { name, several } = KINDS[kind];
  if (values.length <= MOST_NAMED) return `the ${values.length === 1 ? name : several} ${list(values)}`;
  return plural(values.length, name, several);
}

async function purge() {
  const kind = at("purge-kind").value;
  const values = kind === EVERYTHING ? [] : lines(at("purge-list").value);
  const soft = at("purge-soft").checked && kind !== "users";
  const host = at("purge-host").value.trim();
  const paths = kind === "files" && values.some((value) => value.startsWith("/"));
  const what = `${named(kind, values)}${paths && host !== "" ? ` on ${host}` : ""}`;
  const yes = await ask({
    title: `Purge ${what}?`,
    does: [
      KINDS[kind].does,
      soft
        ? "What is withdrawn may still be served as stale, where the route allows it, while it is fetched again."
        : "The next request of each goes to your API, which may feel the load.",
      "Every isolate knows of it within 5 seconds, or what ISOLATE_MAX_AGE_MS says.",
    ],
    not: [
      "Copies in browsers and in other caches on the way stay.",
      "Sessions, limits and your API's data stay as they are.",
      "It cannot be taken back.",
    ],
    yes: "Purge",
  });
  if (!yes) return null;
  const { status } = await call("POST", "/edge/cache/purge", {
    ...(kind === EVERYTHING ? { [EVERYTHING]: true } : { [kind]: values }),
    ...(soft && { soft }),
    ...(kind === "files" && host !== "" && { host }),
  });
  form.dispatchEvent(new Event("acted", { bubbles: true }));
  return [told(what, soft, status)];
}

function told(what, soft, status) {
  const title = `Purged ${what}${soft ? ", softly" : ""}`;
  if (status !== 202) return notice(`${title}.`, ["It reaches every isolate within seconds."]);
  return notice(`${title} in one isolate alone.`, inOneIsolate(), "warn");
}

at("purge-kind").addEventListener("change", kindChosen);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void act(form, at("purge-result"), purge);
});
form.addEventListener("reset", () => setTimeout(kindChosen));
kindChosen();

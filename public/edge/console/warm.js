// Requests paths, so that their answers are stored, and shows each as it is done.

import { callLines } from "./api.js";
import { at, fill, make } from "./dom.js";
import { ms, number, plural } from "./format.js";
import { act, notice } from "./said.js";

const form = at("warm-form");
let running = null;

/** What the cache made of a path, in words. */
const WORDS = {
  HIT: "was fresh",
  MISS: "fetched",
  STALE: "was stale",
  REVALIDATED: "confirmed",
  BYPASS: "not stored: the request or the route bypasses the cache",
};

async function warm() {
  const paths = at("warm-list")
    .value.split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const host = at("warm-host").value.trim();
  const done = [];
  let sums = null;
  running = new AbortController();
  progress(done, paths.length);
  at("warm-running").hidden = false;
  try {
    const onLine = (line) => {
      if (line.done) sums = line;
      else done.push(line);
      progress(done, paths.length);
    };
    await callLines("/edge/cache/warm", { paths, ...(host !== "" && { host }) }, onLine, running.signal);
  } catch (error) {
    if (!running.signal.aborted) throw error;
  } finally {
    at("warm-running").hidden = true;
    running = null;
  }
  form.dispatchEvent(new Event("acted", { bubbles: true }));
  return [told(done, paths.length, sums), table(done)];
}

function progress(done, all) {
  at("warm-progress").max = Math.max(1, all);
  at("warm-progress").value = done.length;
  at("warm-count").textContent = `${number(done.length)} of ${plural(all, "path")}`;
}

function told(done, all, sums) {
  const stored = done.filter((line) => line.stored).length;
  const fresh = done.filter(({ cache }) => cache === "HIT").length;
  const failed = done.filter(({ status }) => status >= 400).length;
  const counts = [
    `${plural(stored, "answer")} stored`,
    `${number(fresh)} fresh already`,
    `${number(failed)} failed`,
  ];
  if (sums)
    return notice(`Warmed ${plural(all, "path")}.`, [`${counts.join(", ")}.`], failed > 0 ? "warn" : "");
  return notice(
    `Stopped after ${number(done.length)} of ${plural(all, "path")}.`,
    [`${counts.join(", ")}. Up to six more may be on their way.`],
    "warn",
  );
}

/** Those that were not stored first: they are why somebody looks. */
function table(done) {
  const rows = make("tbody");
  const sorted = [...done].sort((a, b) => Number(a.stored) - Number(b.stored));
  fill(
    rows,
    sorted.map(({ path, status, cache, stored, ms: took }, index) => ({
      key: String(index),
      cells: [
        { content: path, heading: true, class: "wide mono" },
        { label: "Status", content: String(status), class: status >= 400 ? "bad" : "" },
        { label: "Cache", content: wordOf(cache, stored) },
        { label: "Took", content: ms(took), class: "number" },
      ],
    })),
  );
  return make(
    "details",
    { open: done.length <= 10 },
    make("summary", {}, "By path"),
    make(
      "table",
      { "aria-label": "By path" },
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ["Path", "Status", "Cache"].map((text) => make("th", { scope: "col" }, text)),
          make("th", { scope: "col", class: "number" }, "Took"),
        ),
      ),
      rows,
    ),
  );
}

function wordOf(cache, stored) {
  if (stored) return "stored";
  if (cache === null) return "no cache on its route";
  return WORDS[cache] ?? String(cache).toLowerCase();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void act(form, at("warm-result"), warm);
});
at("warm-stop").addEventListener("click", () => running?.abort());

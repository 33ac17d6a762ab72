// What the last purges did.

import { answer, at, fill } from "./dom.js";
import { ago, clock } from "./format.js";
import { problemNode } from "./said.js";
import { hasRedis } from "./store.js";
import { edgeNow } from "./time.js";

/** By kind, what a purge withdraws. */
const KINDS = {
  file: () => "one address",
  prefix: (what) => `all that begins with ${what}`,
  path: (what) => `the path ${what} on every host`,
  tag: (what) => `the tag ${what}`,
  tags: (what) => `all tags that begin with ${what}`,
  user: (what) => (what === "?" ? "all answers of several users" : `all answers of the user ${what}`),
  everything: () => "everything",
};

function reached(reach) {
  if (reach === "everywhere") return "every isolate";
  return hasRedis() ? "one isolate alone, until Redis is back" : "one isolate alone";
}

const words = ({ kind, what }) => KINDS[kind]?.(what ?? "?") ?? String(kind);

/** @param settled Of the question for the purges. */
export function showPurges({ status, value, reason }) {
  const failed = status === "rejected";
  at("purges").classList.toggle("stale", failed || !value.body.complete);
  at("purges-problem").replaceChildren(...(failed ? [problemNode(reason)] : []));
  if (failed) {
    answer("purges-answer", "Not known: the question for the purges was not answered.", "warn");
    return;
  }
  const { purges, complete } = value.body;
  answer("purges-answer", ...purgesAnswer(purges, complete));
  at("purges-table").hidden = purges.length === 0;
  fill(
    at("purges-rows"),
    purges.map((purge, index) => ({
      key: `${purge.at} ${purge.kind} ${purge.what ?? index}`,
      cells: [
        { content: words(purge), heading: true, class: "wide" },
        { label: "When", content: clock(purge.at) },
        { label: "How", content: purge.soft ? "soft: stale from then on" : "removed from use" },
        {
          label: "Reaches",
          content: reached(purge.reach),
          class: purge.reach === "everywhere" ? "" : "warn",
        },
      ],
    })),
  );
}

function purgesAnswer([last], complete) {
  if (!last) {
    if (complete) return ["There was none in the last seven days.", ""];
    return [`Not known ${away()}: the isolate that answered knows of none.`, "warn"];
  }
  const did = last.soft ? "made stale" : "withdrew";
  const reach = last.reach === "everywhere" ? "in every isolate" : `in one isolate alone${written()}`;
  const doubt = complete ? "" : ` ${capital(away())} there may be later ones.`;
  return [
    `${capital(ago(last.at, edgeNow()))} it ${did} ${words(last)}, ${reach}.${doubt}`,
    complete ? "" : "warn",
  ];
}

/** Why not all purges are known. */
const away = () => (hasRedis() ? "while Redis is away" : "without Redis");
const written = () => (hasRedis() ? ", and is written when Redis is back" : "");

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

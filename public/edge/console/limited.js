// Who is being limited, by which policy, and who is near.

import { lookUpHash } from "./caller.js";
import { answer, at, fill, rowButton } from "./dom.js";
import { number, plural } from "./format.js";
import { period, routeName } from "./traffic.js";

/** What decided, by the counts' names. */
const SOURCES = {
  redis: "Redis",
  lease: "units taken in advance",
  block: "a denial remembered",
  local: "the isolate alone",
};

export function showLimited(overview) {
  const { policies, denied_callers: callers } = overview;
  answer("limits-answer", ...limitsAnswer(overview));
  at("policies-none").hidden = policies.length > 0;
  fill(at("policies-rows"), policies.map(policyRow));
  at("callers-none").hidden = callers.length > 0;
  fill(at("callers-rows"), callers.map(callerRow));
}

function limitsAnswer(overview) {
  const { metrics, totals, policies } = overview;
  if (metrics === "off") return ["Not known: nothing is counted.", ""];
  const { denied, near } = totals.limits;
  const close = near === 0 ? "no request came near a limit" : `${number(near)} came near a limit`;
  if (denied === 0)
    return [
      `Nobody: no limit has denied a request ${period(overview)}, and ${close}.`,
      near === 0 ? "good" : "warn",
    ];
  const [most] = [...policies].sort((a, b) => b.denied - a.denied);
  const which = most && most.denied > 0 ? `, most of them by “${most.policy}”` : "";
  const were = denied === 1 ? "was" : "were";
  return [`${plural(denied, "request")} ${were} denied ${period(overview)}${which}; ${close}.`, "warn"];
}

function policyRow({ route, policy, allowed, near, denied, shadow, source }) {
  const by = Object.entries(SOURCES)
    .filter(([name]) => source?.[name] > 0)
    .map(([name, words]) => `${words} ${number(source[name])}`);
  return {
    key: `${route} ${policy}`,
    cells: [
      { content: policy, heading: true },
      { label: "Route", content: routeName(route), class: "wide mono" },
      { label: "Decided by", content: by.join(", "), class: "wide" },
      { label: "Allowed", content: number(allowed), class: "number" },
      { label: "Near", content: number(near), class: near > 0 ? "number warn" : "number" },
      { label: "Denied", content: number(denied), class: denied > 0 ? "number bad" : "number" },
      { label: "Shadow", content: number(shadow), class: "number" },
    ],
  };
}

function callerRow({ caller, denied }) {
  const hash = caller.replace(/^hash:/, "");
  return {
    key: caller,
    cells: [
      { content: hash, heading: true, class: "wide mono" },
      { label: "Denied, about", content: `≈ ${number(denied)}`, class: "number" },
      { content: rowButton("Look up", `Look up caller ${hash}`, () => lookUpHash(hash)) },
    ],
  };
}

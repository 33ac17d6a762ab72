// What the cache saves: the part of answers that came from it, and their bytes.

import { answer, at, facts, fill, meter } from "./dom.js";
import { bytes, number, percent } from "./format.js";
import { period, routeName } from "./traffic.js";

const sum = ({ hit, stale, revalidated, miss, bypass }) => hit + stale + revalidated + miss + bypass;

export function showSaved(overview) {
  const { totals, metrics, routes } = overview;
  const { cache } = totals;
  const all = sum(cache);
  answer("cache-answer", ...savedAnswer(overview, all));
  facts(at("cache-facts"), [
    ["From the cache", percent(cache.hit + cache.stale, all), `of ${number(all)} on routes with a cache`],
    ["Hit", number(cache.hit), "fresh"],
    ["Stale", number(cache.stale), "served while it was fetched anew, or while your API failed"],
    ["Revalidated", number(cache.revalidated), "your API said 304"],
    ["Miss", number(cache.miss), "fetched"],
    ["Bypass", number(cache.bypass), "not looked up"],
    ["Saved", bytes(cache.bytes_saved), "that your API did not send"],
  ]);
  const cached = metrics === "off" ? [] : routes.filter(({ hit }) => hit > 0);
  at("cache-none").hidden = cached.length > 0;
  at("cache-table").hidden = cached.length === 0;
  fill(at("cache-rows"), cached.sort((a, b) => b.hit - a.hit).map(routeRow));
}

function savedAnswer(overview, all) {
  const { metrics, totals } = overview;
  if (metrics === "off") return ["Not known: nothing is counted.", ""];
  if (all === 0) return [`No request of a route with a cache came ${period(overview)}.`, ""];
  const { hit, stale, bytes_saved: saved } = totals.cache;
  return [
    `${percent(hit + stale, all)} of what may be cached came from the cache ${period(overview)}, ${bytes(saved)} in all.`,
    "",
  ];
}

function routeRow({ route, requests, hit }) {
  return {
    key: route,
    cells: [
      { content: routeName(route), heading: true, class: "wide mono" },
      { label: "Of its requests", content: meter(hit / requests, percent(hit, requests)) },
      { label: "From the cache", content: number(hit), class: "number" },
      { label: "Requests", content: number(requests), class: "number" },
    ],
  };
}

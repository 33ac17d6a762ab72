// What is happening: requests, errors and denials, in all, by minute and by route.

import { chart } from "./charts.js";
import { answer, at, facts, fill, meter } from "./dom.js";
import { clock, ms, number, percent, plural, UNKNOWN } from "./format.js";

/** The parts of requests from which the answer is no longer good. */
const ERRORS_WARN = 0.01;
const ERRORS_BAD = 0.05;

/** Since when the totals count, in words. */
export function period({ since, now }) {
  return since === null
    ? "since counting began"
    : `in the last ${plural(Math.max(1, Math.round((now - since) / 60_000)), "minute")}`;
}

export function showTraffic(overview) {
  const { totals, series, metrics } = overview;
  const { requests, by_status: byStatus } = totals;
  const errors = byStatus["5xx"] ?? 0;
  const [text, how] = trafficAnswer(overview, errors);
  answer("traffic-answer", text, how);
  facts(at("traffic-facts"), [
    ["Requests", number(requests), period(overview)],
    ...["2xx", "3xx", "4xx", "5xx"].map((status) => {
      const count = byStatus[status] ?? 0;
      return [
        `Status ${status}`,
        number(count),
        percent(count, requests),
        status === "5xx" && count > 0 ? "bad" : null,
      ];
    }),
    ["Denied by limits", number(totals.limits.denied), percent(totals.limits.denied, requests)],
    [
      "Redis calls",
      number(totals.store.calls),
      callsNote(totals.store, requests),
      totals.store.failures > totals.store.calls * ERRORS_WARN ? "warn" : null,
    ],
    ["Sessions", `${number(totals.sessions.created)} created`, sessionsNote(totals.sessions)],
  ]);
  showSeries(metrics === "off" ? null : series);
  showRoutes(overview);
}

function callsNote({ calls, failures }, requests) {
  const each = requests > 0 ? `${(calls / requests).toFixed(2)} a request` : UNKNOWN;
  return `${each}, ${number(failures)} failed`;
}

/** An end of one user or of everybody counts once, however many sessions it ends. */
function sessionsNote({ rotated, ended, ended_user: user, ended_everyone: everyone, refused }) {
  const ends = number(ended + user + everyone);
  return `${number(rotated)} rotated, ${ends} endings, ${number(refused)} refused`;
}

function trafficAnswer(overview, errors) {
  const { metrics, totals, series } = overview;
  if (metrics === "off") return ["Not known: nothing is counted.", ""];
  const { requests } = totals;
  if (requests === 0) return [`No request has come ${period(overview)}.`, ""];
  const share = errors / requests;
  const how = share >= ERRORS_BAD ? "bad" : share >= ERRORS_WARN ? "warn" : "good";
  const failing = errors === 0 ? "none failed" : `${percent(errors, requests)} failed`;
  const rate = rateOf(series);
  const often = rate === null ? plural(requests, "request") : `${perMinute(rate)} requests a minute`;
  const denied =
    totals.limits.denied === 0 ? "none was denied" : `${percent(totals.limits.denied, requests)} were denied`;
  return [`${often}; ${failing}, ${denied} ${period(overview)}.`, how];
}

/** Requests a minute over the last five minutes that are over; null where there were none. */
function rateOf(series) {
  const over = (series?.requests ?? []).slice(-6, -1);
  const sum = over.reduce((before, each) => before + each, 0);
  return sum === 0 ? null : sum / over.length;
}

function perMinute(rate) {
  return rate >= 10 || rate === 0 ? number(Math.round(rate)) : rate.toFixed(1);
}

/** The series of the last complete answer stays while there is none. */
function showSeries(series) {
  at("numbers").hidden = series === null;
  if (series === null) return;
  // The minute that is not over would look like a fall.
  const over = (values) => values.slice(0, -1);
  const [minute, requests, denied] = [series.minute, series.requests, series.denied].map(over);
  const [errors, hit] = [series.errors, series.hit].map(over);
  chart("requests", minute, [
    { name: "requests", values: requests, colour: "--accent", fill: true },
    { name: "from the cache", values: hit, colour: "--good" },
  ]);
  chart("errors", minute, [{ name: "errors", values: errors, colour: "--bad", fill: true }]);
  chart("denied", minute, [{ name: "denied", values: denied, colour: "--warn", fill: true }]);
  const rows = minute.map((time, index) => ({
    key: String(time),
    cells: [
      { content: clock(time).replace(/:\d\d$/, ""), heading: true },
      { label: "Requests", content: number(requests[index]), class: "number" },
      { label: "From the cache", content: number(hit[index]), class: "number" },
      { label: "Errors", content: number(errors[index]), class: "number" },
      { label: "Denied", content: number(denied[index]), class: "number" },
    ],
  }));
  fill(at("numbers-rows"), rows.reverse());
}

function showRoutes({ routes }) {
  at("routes-none").hidden = routes.length > 0;
  const most = Math.max(1, ...routes.map(({ requests }) => requests));
  fill(
    at("routes-rows"),
    routes.map(({ route, requests, errors, denied, origin_p50_ms: half, origin_p95_ms: most95 }) => ({
      key: route,
      cells: [
        { content: routeName(route), heading: true, class: "wide mono" },
        { label: "Requests", content: meter(requests / most, number(requests)) },
        { label: "Errors", content: number(errors), class: errors > 0 ? "number bad" : "number" },
        { label: "Denied", content: number(denied), class: denied > 0 ? "number warn" : "number" },
        { label: "Your API: half within", content: half === null ? "" : ms(half), class: "number" },
        { label: "95 % within", content: most95 === null ? "" : ms(most95), class: "number" },
      ],
    })),
  );
}

/** `*` is what no route matches, the edge's own paths among it; `other` what is beyond the bound of labels. */
export function routeName(route) {
  if (route === "*") return "* (no route)";
  return route === "other" ? "other routes together" : route;
}

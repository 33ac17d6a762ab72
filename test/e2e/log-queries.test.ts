import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logSink } from "../../src/events/log.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";

interface Query {
  question: string;
  filters: string[];
  show: string;
  groups: string[];
  jq: string;
}
type Line = Record<string, unknown>;

const PAGE = "docs/operating.md";

/** The rows of the table below `<!-- queries -->`. */
async function queries(): Promise<Query[]> {
  const [, after = ""] = (await readFile(PAGE, "utf8")).split("<!-- queries -->");
  const rows = after
    .trimStart()
    .split("\n\n")[0]
    ?.split("\n")
    .slice(2)
    .map((row) => row.split("|").map((cell) => cell.trim()));
  return (rows ?? []).map(([, question = "", filter = "", show = "", groups = "", jq = ""]) => ({
    question,
    filters: codes(filter),
    show: codes(show)[0] ?? "",
    groups: codes(groups),
    jq: codes(jq)[0] ?? "",
  }));
}

function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

/** A filter as the Query Builder has it: a field, an operator, a value. */
function passes(line: Line, filter: string): boolean {
  const [, field = "", operator, value = ""] = /^(\S+) (=|!=|>=|exists)(?: (.+))?$/.exec(filter) ?? [];
  const found = line[field] ?? undefined;
  switch (operator) {
    case "exists":
      return found !== undefined;
    case "=":
      return String(found) === value;
    case "!=":
      return String(found) !== value;
    case ">=":
      return Number(found) >= Number(value);
    default:
      throw new Error(`${filter} is no filter`);
  }
}

const KEY = "key-of-the-log-queries-test";
const ROUTES = [
  { path: "/v1/emissions/factors", cache: { ttl: 60 }, limits: [{ name: "burst", limit: 5, window: "1 d" }] },
  { path: "/v1/user/*", access: "session" },
];

let harness: Harness;
let lines: Line[];
let values: Record<string, string>;
beforeAll(async () => {
  harness = await openHarness({
    vars: {
      ROUTES,
      API_KEYS: `${KEY}:shop:free`,
      CF_VERSION_METADATA: { id: "0a1b2c3d-0000-4000-8000-000000000000", tag: "", timestamp: "" },
    },
  });
  const { edge } = harness;
  const get = (path: string, headers: Record<string, string> = {}) =>
    edge.fetch(path, { headers: { "cf-ray": "8f0e6d2c4b1a3957-FRA", ...headers } });
  for (let at = 0; at < 2; at += 1) await edge.fetch("/v1/emissions/factors", { address: "203.0.113.9" });
  for (let at = 0; at < 7; at += 1) await get("/v1/emissions/factors", { "x-api-key": KEY });
  await get("/v1/user/profile", { authorization: "Bearer es1.forged.token" });
  await get("/v1/user/profile", { authorization: `Bearer ${await harness.token("ada")}` });
  await harness.origin.stop();
  await get("/v1/unreachable");
  await edge.idle();
  lines = edge.log;
  const limited = lines.find(({ verdict }) => verdict === "rate_limit_exceeded") ?? {};
  values = { "<hash>": String(limited.caller), "<request id>": String(limited.request_id) };
});
afterAll(() => harness.stop());

const filled = (text: string) => text.replace(/<[a-z ]+>/, (name) => values[name] ?? name);

function found({ filters }: Query): Line[] {
  return lines.filter((line) => filters.every((filter) => passes(line, filled(filter))));
}

describe(`the queries of ${PAGE}`, () => {
  it("are twelve, and each finds lines with what it shows and groups by", async () => {
    const all = await queries();
    expect(all).toHaveLength(12);
    for (const query of all) {
      const answer = found(query);
      expect(answer.length, query.question).toBeGreaterThan(0);
      const [, shown] = /\((\w+)\)$/.exec(query.show) ?? [];
      for (const field of [...query.groups, ...(shown ? [shown] : [])]) {
        const has = answer.some((line) => line[field] !== undefined && line[field] !== null);
        expect(has, `${query.question} ${field}`).toBe(true);
      }
    }
  });

  it("tell what happened", async () => {
    const all = await queries();
    const grouped = (question: string) => {
      const query = all.find((each) => each.question === question);
      if (!query) throw new Error(`${PAGE} does not ask: ${question}`);
      const counts: Record<string, number> = {};
      for (const line of found(query)) {
        const key = query.groups.map((field) => line[field]).join(" ");
        counts[key] = (counts[key] ?? 0) + 1;
      }
      return counts;
    };
    expect(grouped("What fails, and where?")).toEqual({ "* origin_unreachable": 1 });
    expect(grouped("Who is limited most?")).toEqual({ [`${values["<hash>"]} burst`]: 2 });
    expect(grouped("How often does the cache answer?")).toEqual({
      "/v1/emissions/factors miss": 6,
      "/v1/emissions/factors hit": 1,
    });
    expect(grouped("Why does it not answer?")).toEqual({
      "/v1/emissions/factors uri-miss": 1,
      "/v1/emissions/factors vary-miss": 5,
    });
    expect(grouped("Which API key takes the most?")).toEqual({ shop: 7 });
    expect(grouped("Whose sessions do not count, and why?")).toEqual({ invalid: 1 });
    expect(Object.keys(grouped("Is the new version worse?")).every((key) => /^0a1b2c3d \d+$/.test(key))).toBe(
      true,
    );
  });

  it.skipIf(!hasJq())("find the same lines with jq", async () => {
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    for (const query of await queries()) {
      const output = execFileSync("jq", ["-c", `select(${filled(query.jq)})`], {
        input: text,
        encoding: "utf8",
      });
      const answer = output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);
      expect(answer, query.question).toEqual(found(query));
    }
  });
});

it("the page states the size of a line, and what a million cost", async () => {
  const written: string[] = [];
  const { time: _time, level: _level, event: _event, ...fields } = TYPICAL;
  const sink = logSink({ write: (_, line) => written.push(line) });
  sink.receive({ time: 0, level: "info", event: "request", fields });
  // The typical line has the fields that a real one has.
  const real = lines.find(({ cache, key }) => cache === "miss" && key === "shop") ?? {};
  const usual = Object.keys(real).filter((name) => name !== "colo");
  expect(Object.keys(TYPICAL).filter((name) => name !== "colo")).toEqual(usual);
  const bytes = Buffer.byteLength(written.join(""));
  const gigabytes = bytes / 1000;
  const page = (await readFile(PAGE, "utf8")).replace(/\s+/g, " ");
  expect(page).toContain(`has ${bytes} bytes. A million of them are ${gigabytes.toFixed(2)} GB`);
  expect(page).toContain(`$${(gigabytes * 0.25).toFixed(2)} at the $0.25 per GB`);
  expect(page).toContain(`$${(gigabytes * 0.1).toFixed(2)} for each month`);
});

const TYPICAL = {
  time: "",
  level: "info",
  event: "request",
  request_id: "c".repeat(32),
  ray: "8f0e6d2c4b1a3957",
  colo: "FRA",
  version: "0a1b2c3d",
  method: "GET",
  route: "/v1/emissions/factors",
  status: 200,
  caller: "c".repeat(32),
  caller_kind: "key",
  key: "shop",
  verdict: "allowed",
  limits: "allowed by redis",
  policy: "burst",
  source: "redis",
  session: null,
  cache: "miss",
  cache_reason: "uri-miss",
  store_calls: 1,
  store_ms: 12,
  origin_ms: 48,
  total_ms: 63,
  bytes: 1024,
};

function hasJq(): boolean {
  try {
    execFileSync("jq", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

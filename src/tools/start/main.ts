import { parseArgs } from "node:util";
import { startSampleOrigin } from "../sample-origin/index.ts";
import { startUpstashLocal } from "../upstash-local/index.ts";
import { developmentVars } from "./development-vars.ts";
import { tour } from "./tour.ts";
import { startWranglerDev } from "./wrangler-dev.ts";

/**
 * `npm start`: runs the edge on this machine, without an account. A local Upstash endpoint, the sample origin and
 * `wrangler dev`, with secrets made for the run; Ctrl-C stops all of it.
 */
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: "boolean", default: true },
    port: { type: "string", default: "8787" },
    "upstash-port": { type: "string", default: "0" },
    "origin-port": { type: "string", default: "0" },
    verbose: { type: "boolean", default: false },
  },
  allowNegative: true,
});

const say = (line = "") => console.log(line);
const stops: (() => Promise<unknown>)[] = [];
let stopping = false;

async function stopAll(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const stop of stops.reverse()) await stop().catch(() => {});
  process.exit(code);
}
process.on("SIGINT", () => void stopAll(0));
process.on("SIGTERM", () => void stopAll(0));

try {
  say("Starting Envoyou Edge …");
  const upstash = values.store ? await startUpstashLocal({ port: Number(values["upstash-port"]) }) : null;
  if (upstash) stops.push(() => upstash.stop());
  const origin = await startSampleOrigin({ port: Number(values["origin-port"]) });
  stops.push(() => origin.stop());
  const vars = developmentVars({
    store: upstash && { url: upstash.url, token: upstash.token },
    originUrl: origin.url,
  });

  const recent: string[] = [];
  let ready = false;
  const edge = await startWranglerDev({
    port: Number(values.port),
    vars,
    onLine(line) {
      if (values.verbose || (ready && /"level":"(warn|error)"/.test(line))) say(line);
      else if (recent.push(line) > 40) recent.shift();
    },
    onStart: (stop) => stops.push(stop),
  }).catch((error: unknown) => {
    if (stopping) return new Promise<never>(() => {});
    const issue = configurationIssue(recent);
    if (issue !== null) throw new Error(`${issue}\n\ndocs/configuration.md lists every variable.`);
    for (const line of recent) say(line);
    throw error;
  });
  ready = true;
  void edge.ended.then((code) => stopAll(code));

  const { preamble, stops: tourStops } = tour({
    url: edge.url,
    serviceToken: vars.SERVICE_TOKEN ?? "",
    adminToken: vars.ADMIN_TOKEN ?? "",
  });
  say();
  say(`  edge     ${edge.url}   (wrangler dev)`);
  say(
    `  store    ${upstash ? `${upstash.url}   (Upstash's REST protocol, in front of ${describe(upstash.redis.kind)})` : "none: everything lives in the isolate's Map"}`,
  );
  say(`  origin   ${origin.url}   (the sample emissions API, src/tools/sample-origin)`);
  say(`  routes   src/routes.ts   (edit it: the edge reloads)`);
  say();
  say("A tour. Paste the lines into another terminal, one after the other:");
  say();
  say(`  ${preamble}`);
  for (const [index, stop] of tourStops.entries()) {
    say();
    say(`  # ${index + 1}. ${stop.says}`);
    say(`  ${stop.shell}`);
  }
  say();
  say("Ctrl-C stops everything. Every request's log line: npm start -- --verbose");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stopAll(1);
}

/** The words of the Worker's log where it cannot use its configuration. */
function configurationIssue(lines: readonly string[]): string | null {
  const line = lines.findLast((each) => each.includes('"event":"config.error"'));
  const text = /"message":("(?:[^"\\]|\\.)*")/.exec(line ?? "")?.[1];
  return text === undefined ? null : (JSON.parse(text) as string);
}

function describe(kind: string): string {
  if (kind === "embedded") return "an embedded Redis in JavaScript; install redis-server for the real one";
  return kind === "external" ? "the Redis at LOCAL_REDIS_URL" : "redis-server";
}

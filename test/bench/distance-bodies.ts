import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { startSpeakingOrigin } from "../support/edge/scripted-origin.ts";
import { startEdge } from "../support/edge/start.ts";
import { median, percentile } from "./compare/percentile.ts";
import { connected } from "./compare/wire.ts";
import type { Section } from "./distance.ts";

const RTT_MS = 20;
const BITS_PER_SECOND = 20_000_000;
const ROUNDS = 20;
const SERVICE_TOKEN = "a-service-token-of-the-bench-alone";
const SIZES = [
  ["2 KB", 2000],
  ["1 MB", 1_000_000],
] as const;
/** A check beside long bodies may take so much longer, ms: the head of an entry and the noise of the machine. */
const MARGIN_MS = 5;

/** What a session's check costs where the batch also looks up a long answer, over a slow connection to the store. */
export async function bodiesSection(): Promise<Section> {
  const upstash = await startUpstashLocal({ redis: "auto" });
  const wire = await startSlowWire(upstash.url);
  const origin = await startSpeakingOrigin();
  for (const [name, bytes] of SIZES) {
    for (let n = 0; n < ROUNDS; n += 1) {
      const headers = {
        "content-type": "text/plain",
        etag: `"${name}-${n}"`,
        "cache-control": "max-age=600",
      };
      // As text it shrinks to about two thirds, base64 included.
      origin.say(pathOf(name, n), { headers, body: randomBytes(bytes / 2).toString("hex") });
    }
  }
  const edge = await startEdge({
    vars: {
      UPSTASH_REDIS_REST_URL: wire.url,
      UPSTASH_REDIS_REST_TOKEN: upstash.token,
      ORIGIN_URL: origin.url,
      SESSION_SECRET: "a-session-secret-of-the-bench-alone-0123",
      SERVICE_TOKEN,
      LOG_LEVEL: "error",
      ROUTES: [
        { path: "/plain/*", access: "session" },
        { path: "/cached/*", access: "session", cache: { scope: "shared", ttl: 600 } },
      ],
    },
  });
  try {
    origin.say("/plain/x", { headers: {}, body: "x" });
    const started = await edge.fetch("/auth/sessions", {
      method: "POST",
      headers: { authorization: `Bearer ${SERVICE_TOKEN}` },
      body: JSON.stringify({ user_id: "ada" }),
    });
    const { token } = (await started.json()) as { token: string };
    const authorization = `Bearer ${token}`;
    const timed = async (path: string, status: number, method = "GET") => {
      const since = performance.now();
      const response = await edge.fetch(path, { method, headers: { authorization } });
      await response.arrayBuffer();
      if (response.status !== status) throw new Error(`${path}: ${response.status}`);
      return { ms: performance.now() - since, word: response.headers.get("x-cache") };
    };
    // Twice: of what is asked for once an isolate writes only so many bytes.
    for (const [name] of SIZES)
      for (let n = 0; n < 2 * ROUNDS; n += 1) await timed(pathOf(name, Math.floor(n / 2)), 200);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await edge.restart();
    await timed("/plain/x", 200);
    await timed("/cached/none", 200);
    wire.slow = true;
    const rows: [what: string, times: number[]][] = [];
    const measure = async (
      what: string,
      ask: (n: number) => ReturnType<typeof timed>,
      word: string | null,
    ) => {
      const times: number[] = [];
      for (let n = 0; n < ROUNDS; n += 1) {
        const asked = await ask(n);
        if (asked.word !== word) throw new Error(`${what}: ${asked.word}`);
        times.push(asked.ms);
      }
      rows.push([what, times]);
      return median(times);
    };
    await measure("the check alone, and the origin", () => timed("/plain/x", 200), null);
    const checks: number[] = [];
    for (const [name] of SIZES) {
      const what = `the check, and a HEAD of ${name} that Redis holds`;
      checks.push(await measure(what, (n) => timed(pathOf(name, n), 200, "HEAD"), "HIT"));
    }
    await measure(
      "a hit of 1 MB that only Redis holds, by a call of its own",
      (n) => timed(pathOf("1 MB", n), 200),
      "HIT",
    );
    const [short = 0, long = 0] = checks;
    const failed = long > short + MARGIN_MS;
    return {
      text: [
        "## A session's check beside long bodies",
        "",
        `One client, ${RTT_MS} ms and ${BITS_PER_SECOND / 1e6} Mbit/s to the store, an isolate that holds nothing, ${ROUNDS} requests each. Target: beside 1 MB`,
        `the check takes at most ${MARGIN_MS} ms more than beside 2 KB: ${failed ? "**missed**" : "reached"}, ${long.toFixed(1)} and ${short.toFixed(1)} ms.`,
        "",
        "| request | p50 ms | p90 ms |",
        "|---|---|---|",
        ...rows.map(
          ([what, times]) =>
            `| ${what} | ${median(times).toFixed(1)} | ${percentile(times, 0.9).toFixed(1)} |`,
        ),
      ].join("\n"),
      failures: failed
        ? [`the check beside 1 MB takes ${long.toFixed(1)} ms, beside 2 KB ${short.toFixed(1)}`]
        : [],
    };
  } finally {
    await edge.stop();
    await origin.stop();
    await wire.stop();
    await upstash.stop();
  }
}

const pathOf = (name: string, n: number) => `/cached/${name.replace(" ", "-")}/${n}`;

/** A proxy whose connections have a delay, and share a bandwidth in each direction. */
async function startSlowWire(target: string) {
  const sockets = new Set<Socket>();
  const wire = { url: "", slow: false, stop };
  const server = createServer((near) => {
    const far = connected(near, target, sockets);
    join(near, far, up);
    join(far, near, down);
  });
  const up = { busyUntil: 0 };
  const down = { busyUntil: 0 };
  function join(from: Socket, to: Socket, link: { busyUntil: number }): void {
    from.on("data", (chunk) => {
      if (!wire.slow) return void to.write(chunk);
      const now = performance.now();
      link.busyUntil = Math.max(now, link.busyUntil) + (chunk.length * 8000) / BITS_PER_SECOND;
      setTimeout(() => to.writable && to.write(chunk), link.busyUntil - now + RTT_MS / 2);
    });
    from.on("end", () => setTimeout(() => to.end(), wire.slow ? RTT_MS : 0));
  }
  async function stop(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  wire.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return wire;
}

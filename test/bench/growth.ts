/**
 * `npm run bench -- growth [URLS]`: what a stranger leaves in Redis who asks for 100,000 different URLs of a cached route,
 * each once. It fails where that is more than 2,000 keys or 8 MB (law 5). One isolate; several leave as much each.
 */
import { idle, openHarness } from "./compare/harness.ts";
import { load } from "./compare/load.ts";

const MAX_KEYS = 2000;
const MAX_BYTES = 8_000_000;
const urls = Number(process.argv[3] ?? 100_000);
const STEP = 10_000;

const harness = await openHarness(["edge"]);
const { redis } = harness.upstash;
const keys = async () => Number(await redis.command("DBSIZE"));
const bytes = async () =>
  Number(/^used_memory_dataset:(\d+)/m.exec(String(await redis.command("INFO", "memory")))?.[1]);
try {
  const edge = harness.contestants.get("edge");
  if (!edge) throw new Error("There is no edge");
  const before = { keys: await keys(), bytes: await bytes() };
  const statuses = new Map<number, number>();
  for (let asked = 0; asked < urls; asked += STEP) {
    const requests = Math.min(STEP, urls - asked);
    const answers = await load({
      port: edge.port,
      clients: 8,
      requests,
      request: (n) =>
        `GET /public/page-${asked + n} HTTP/1.1\r\nhost: api.example\r\ncf-connecting-ip: 203.0.113.9\r\n\r\n`,
    });
    for (const [status, count] of answers.statuses) statuses.set(status, (statuses.get(status) ?? 0) + count);
    console.error(`${asked + requests} of ${urls} URLs`);
  }
  await idle(harness);
  const left = { keys: (await keys()) - before.keys, bytes: (await bytes()) - before.bytes };
  const answered = [...statuses].map(([status, count]) => `${count} × ${status}`).join(", ");
  console.log(`${urls} URLs (${answered}) leave ${left.keys} keys and ${(left.bytes / 1e6).toFixed(2)} MB.`);
  if (left.keys > MAX_KEYS || left.bytes > MAX_BYTES) process.exitCode = 1;
} finally {
  await harness.stop();
}

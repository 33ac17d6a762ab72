import { parseArgs } from "node:util";
import { startUpstashLocal } from "./index.ts";

/** `npm run upstash`, and `npx envoyou-edge upstash`. */
const USAGE = `Upstash's REST protocol on this machine, over a Redis, for any client of it.

  --port N         8079; 0 takes any free one
  --token TEXT     default a new one each time
  --redis KIND     auto (redis-server where there is one), required, or embedded; default auto`;

/** The endpoint alone. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8079" },
      token: { type: "string" },
      redis: { type: "string", default: "auto" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const { redis, token } = values;
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new Error(`--port is a number up to 65535, not ${values.port || "nothing"}`);
  }
  if (redis !== "auto" && redis !== "required" && redis !== "embedded") {
    throw new Error(`--redis is auto, required or embedded, not ${redis}`);
  }
  const upstash = await startUpstashLocal({ redis, port, ...(token && { token }) });
  const stop = () => void upstash.stop().then(() => process.exit(0));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  console.log("Upstash's REST protocol, on this machine only. Ctrl-C stops it.");
  console.log(`Behind it: ${upstash.redis.kind} on port ${upstash.redis.port}`);
  console.log();
  console.log(`UPSTASH_REDIS_REST_URL=${upstash.url}`);
  console.log(`UPSTASH_REDIS_REST_TOKEN=${upstash.token}`);
}

main().catch((error: unknown) => {
  if (Object(error).code === "EADDRINUSE")
    console.error(
      `Port ${Object(error).port} is in use by another program. End it, or take another: --port 0`,
    );
  else console.error(error instanceof Error ? error.message : error);
  if (String(Object(error).code).startsWith("ERR_PARSE_ARGS")) console.error(`\n${USAGE}`);
  process.exitCode = 1;
});

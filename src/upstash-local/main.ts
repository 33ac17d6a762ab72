import { parseArgs } from "node:util";
import { startUpstashLocal } from "./index.ts";

/** `npm run upstash`: the endpoint alone, for whatever speaks Upstash's REST protocol. */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8079" },
    token: { type: "string" },
    redis: { type: "string", default: "auto" },
  },
});
const redis = values.redis === "embedded" || values.redis === "required" ? values.redis : "auto";

try {
  const upstash = await startUpstashLocal({
    redis,
    port: Number(values.port),
    ...(values.token && { token: values.token }),
  });
  console.log("Upstash's REST protocol, on this machine only. Ctrl-C stops it.");
  console.log(`Behind it: ${upstash.redis.kind} on port ${upstash.redis.port}`);
  console.log();
  console.log(`UPSTASH_REDIS_REST_URL=${upstash.url}`);
  console.log(`UPSTASH_REDIS_REST_TOKEN=${upstash.token}`);
  const stop = () => void upstash.stop().then(() => process.exit(0));
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

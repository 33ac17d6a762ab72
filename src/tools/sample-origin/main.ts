import { parseArgs } from "node:util";
import { startSampleOrigin } from "./index.ts";

/** The sample origin alone. */
const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const origin = await startSampleOrigin({ port: Number(values.port) });
console.log(`The sample emissions API: ${origin.url}. Ctrl-C stops it.`);
for (const [user, password] of Object.entries(origin.users))
  console.log(`user ${user}, password ${password}`);
const stop = () => void origin.stop().then(() => process.exit(0));
process.on("SIGINT", stop);
process.on("SIGTERM", stop);

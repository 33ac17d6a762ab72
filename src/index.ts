import { createWorker } from "./worker.ts";

/** The Worker's entry: `wrangler.toml` names this file. */
export default createWorker();

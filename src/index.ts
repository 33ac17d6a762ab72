import { createWorker } from "./worker.ts";

/** The Worker: one fetch handler; the plan of the harness is in `app.ts`. */
export default createWorker();

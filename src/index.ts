import { createWorker } from "./worker.ts";

/** The Worker: one fetch handler; the plan of the house is in `app.ts`. */
export default createWorker();

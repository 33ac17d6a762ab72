import { parentPort, workerData } from "node:worker_threads";
import routes from "../../routes.ts";
import { routeRows } from "./routes-table.ts";

/** Runs in a thread of `readRoutesTable`. */
parentPort?.postMessage(routeRows(workerData as Record<string, unknown>, routes));

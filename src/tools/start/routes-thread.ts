import { parentPort } from "node:worker_threads";
import { ConfigError } from "../../config/config-error.ts";
import type { RouteInput } from "../../config/route.ts";
import { type RouteRow, routeRows } from "./routes-table.ts";

/** What a thread of `RoutesReader` is given. */
export interface RoutesThread {
  /** A module whose default export is the list. */
  code: string;
  vars: Readonly<Record<string, unknown>>;
  services: string[];
  databases: string[];
}

/** What it finds: the routes, what the Worker would say of its configuration, or what the module throws. */
export type RoutesReading = { rows: RouteRow[] } | { config: string } | { thrown: string };

const notCalled = () => Promise.reject(new Error("not called by a check"));
const named = (names: string[], binding: object) => Object.fromEntries(names.map((name) => [name, binding]));

async function reading({ code, vars, services, databases }: RoutesThread): Promise<RoutesReading> {
  let routes: readonly RouteInput[];
  try {
    ({ default: routes } = await import(
      `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`
    ));
  } catch (error) {
    return { thrown: String(error) };
  }
  try {
    const bound = {
      ...named(services, { fetch: notCalled }),
      ...named(databases, { prepare: notCalled, batch: notCalled }),
    };
    return { rows: routeRows({ ...bound, ...vars }, routes) };
  } catch (error) {
    if (error instanceof ConfigError) return { config: error.message };
    throw error;
  }
}

// It answers once. Then it is ended, with all that the list has left behind.
parentPort?.once("message", async (input: RoutesThread) => parentPort?.postMessage(await reading(input)));

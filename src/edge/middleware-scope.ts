import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { findTargetHandler } from "hono/utils/handler";
import type { Policy, Route, RouteInput } from "../config/route.ts";
import type { Sink } from "../events/sink.ts";

/**
 * Tells the limits of several `edge()` and `rateLimit()` calls apart: the same name in two of them never shares a count, unless
 * it says `shared`. A scope is the same in every isolate and after a deployment that changes no other limit of these names.
 */
export type LimitScope = (c: Context, self: unknown) => string;

/** By the name of a limit: how many places the calls that have one of it take. */
const calls = new Map<string, number>();
/** The same by path and name, for the wrapped middlewares that a request has run. */
const runs = new WeakMap<Context, Map<string, number>>();

/**
 * The calls with the same names of limits. An app that is built anew for each request makes the same calls each time, and each
 * finds the place of its predecessor. What was made before a middleware ran is one building.
 */
interface Made {
  /** In the order in which the calls of one building are made. */
  places: number[];
  /** The last building that made one of these calls, and how many it has made. */
  building: number;
  done: number;
  /** Buildings that made them, up to {@link MAX_CALLS}. */
  buildings: number;
}
const made = new Map<string, Made>();
let building = 0;
/** Whether a middleware has run since the last call: then the next call begins another building. */
let hasRun = false;
/** Whether a middleware has ever run. */
let everRan = false;

/** More calls than any Worker makes for limits of the same names; those beyond share one scope. Likewise for buildings. */
const MAX_CALLS = 32;
const MAX_NAMES = 1000;

/** As in a process that has made no call yet. For tests, whose files share a process. */
export function forgetCalls(): void {
  calls.clear();
  made.clear();
  lists.clear();
  building = 0;
  hasRun = false;
  everRan = false;
}

interface NamedLimits {
  limits?: readonly { name: string }[];
  tiers?: Readonly<Record<string, readonly { name: string }[]>>;
}

/**
 * The scope of one `edge()` call, by its place among those with a limit of one of its names.
 *
 * Where the middleware is not registered itself but called by another one (`every()` of Hono, a choice by method), it has that
 * place as well if it was made with the app. A function that makes it anew for each request cannot be told from others of its
 * kind: then the scope is the path under which that function is registered, and the place among those that run for the request.
 */
export function limitScope({ limits, tiers }: NamedLimits): LimitScope {
  // What is no list of limits is found when the configuration is read, and is no error here.
  const all: ({ name: string } | undefined)[] = [limits, ...Object.values(tiers ?? {})].flat();
  const names = [...new Set(all.map((limit) => String(limit?.name)))];
  const place = placeOfCall(names);
  const own = place === 0 ? "" : `#${place}`;
  const isEarly = !everRan;
  // What a function makes anew runs at once.
  let isNew = true;
  queueMicrotask(() => {
    isNew = false;
  });
  let madeWithApp: boolean | undefined;

  return function scope(c, self) {
    hasRun = true;
    everRan = true;
    madeWithApp ??= isEarly && !isNew;
    const registered = matchedRoutes(c)[c.req.routeIndex];
    // An app with an `onError` of its own is mounted with its handlers wrapped.
    if (madeWithApp || (registered && findTargetHandler(registered.handler) === self)) return own;
    const path = registered?.path ?? "*";
    const counts = runs.get(c) ?? new Map<string, number>();
    runs.set(c, counts);
    const place = placeAmong(
      counts,
      names.map((name) => `${path} ${name}`),
    );
    return `@${path}#${place}`;
  };
}

/** The place of a call, by how many with the same names its building has made before. */
function placeOfCall(names: readonly string[]): number {
  if (hasRun) building += 1;
  hasRun = false;
  const key = JSON.stringify(names);
  const known = made.get(key) ?? { places: [], building, done: 0, buildings: 1 };
  if (made.size < MAX_NAMES) made.set(key, known);
  if (known.building !== building) {
    Object.assign(known, { building, done: 0, buildings: Math.min(known.buildings + 1, MAX_CALLS) });
  }
  const { places, done, buildings } = known;
  known.done += 1;
  // Two requests that build at the same time look like one building with twice the calls: in the end they share.
  if (done >= places.length && buildings === MAX_CALLS) return places[0] ?? MAX_CALLS;
  const place = places[done] ?? Math.min(placeAmong(calls, names), MAX_CALLS);
  if (done < MAX_CALLS) places[done] = place;
  return place;
}

/** The place of one more call behind all that have one of its names: no two calls with a name in common have the same. */
function placeAmong(counts: Map<string, number>, names: readonly string[]): number {
  const place = Math.max(0, ...names.map((name) => counts.get(name) ?? 0));
  for (const name of names) {
    if (counts.has(name) || counts.size < MAX_NAMES) counts.set(name, place + 1);
  }
  return place;
}

interface List {
  routes: readonly RouteInput[];
  sinks: readonly Sink[];
}

const lists = new Map<string, List[]>();

/**
 * The list itself, or an earlier one that says the same, with the same sinks: a middleware that is made anew for each request
 * then finds the isolate of the last one. Where it makes its sinks anew too, those of the first 32 times receive the events.
 *
 * @param sessions One that reads sessions has a list of its own: another's isolate may have been opened without their secret.
 */
export function sameRoutes(
  routes: readonly RouteInput[],
  sinks: readonly Sink[] = [],
  sessions = false,
): List {
  let text = `${sessions} `;
  try {
    text += JSON.stringify(routes, withoutLoss);
  } catch {
    // JSON has no form for a value: an issue, which the first request finds.
    return { routes, sinks };
  }
  const known = lists.get(text) ?? [];
  // The last to be made is the last to be forgotten.
  lists.delete(text);
  const [oldest = ""] = lists.keys();
  if (lists.size === MAX_NAMES) lists.delete(oldest);
  lists.set(text, known);
  const same = known.find(
    (each) => each.sinks.length === sinks.length && each.sinks.every((sink, index) => sink === sinks[index]),
  );
  const last = known.length === MAX_CALLS ? known.at(-1) : undefined;
  const list = same ?? last ?? { routes, sinks };
  if (!known.includes(list)) known.push(list);
  return list;
}

/** @throws TypeError for what JSON leaves out or writes as null: a rule with it is another than one without. */
function withoutLoss(_: string, value: unknown): unknown {
  const isNumber = typeof value !== "number" || Number.isFinite(value);
  if (typeof value === "function" || typeof value === "symbol" || !isNumber)
    throw new TypeError("JSON has no form for it");
  return value;
}

const scoped = new WeakMap<Route, Map<string, Route>>();

/** The route with counters of this scope; limits that are shared keep theirs. */
export function routeInScope(route: Route, scope: string): Route {
  if (scope === "") return route;
  const known = scoped.get(route) ?? new Map<string, Route>();
  scoped.set(route, known);
  const inScope = known.get(scope) ?? withScope(route, scope.replace(/[\s{}]+/g, "_"));
  known.set(scope, inScope);
  return inScope;
}

function withScope(route: Route, scope: string): Route {
  const counted = (policies: readonly Policy[]) =>
    policies.map((policy) => (policy.shared ? policy : { ...policy, id: `${scope}${policy.id}` }));
  const tiers = new Map([...route.tiers].map(([tier, policies]) => [tier, counted(policies)]));
  return { ...route, limits: counted(route.limits), tiers };
}

import type { Redis } from "@upstash/redis";
import { isObject } from "../config/check-given.ts";
import { ConfigError, described, shown } from "../config/config-error.ts";
import { type EdgeSettings, inOptions, type OptionTable, variablesFrom } from "../config/edge-settings.ts";
import type { Sink } from "../events/sink.ts";
import { type Connection, connectionOf } from "../store/requester.ts";
import { sinksRule } from "./check-options.ts";

/** The host's variables and bindings. */
type Host = Readonly<Record<string, unknown>>;

/** What `createEdge()` and `createLimits()` are given. */
export type GivenOptions = (EdgeSettings & { sinks?: readonly Sink[] }) | ((variables: Host) => EdgeSettings);

/** So many different sets of variables are remembered; a Worker has one. Beyond that each `env` has an isolate of its own. */
const MAX_ENVIRONMENTS = 64;

/**
 * The variables for the host's. Equal ones are one object: an app that is asked without variables, as in a test, gets a new `env` with
 * every request, and its limits count on all the same.
 *
 * @param table The options that there are.
 */
export function environments(options: GivenOptions, usesSessions: () => boolean, table: OptionTable) {
  const byHost = new WeakMap<object, { variables: Record<string, unknown>; sessions: boolean }>();
  const known: Record<string, unknown>[] = [];
  return (host: object): object => {
    const found = byHost.get(host);
    if (found && (found.sessions || !usesSessions())) return found.variables;
    const own = typeof options === "function" ? options(host as Host) : options;
    const sessions = usesSessions();
    const variables = resolved(own, host as Host, sessions, table);
    // The first middleware with sessions came after the first request: what is open for these variables goes on, and their secret is there.
    const same = found
      ? Object.assign(found.variables, variables)
      : (known.find((each) => sameVariables(each, variables)) ?? variables);
    if (same === variables && known.length < MAX_ENVIRONMENTS) known.push(variables);
    byHost.set(host, { variables: same, sessions });
    return same;
  };
}

/**
 * The variables that options stand for.
 *
 * @throws ConfigError
 */
export function resolved(
  options: unknown,
  host: Host,
  sessions: boolean,
  table: OptionTable,
): Record<string, unknown> {
  if (!isObject(options)) throw wrong(table.of, shown(options), "Must be an object.");
  const { sinks, redis, ...settings } = options;
  const fix = sinks === undefined ? null : sinksRule.fix(sinks);
  if (fix !== null) throw wrong(`${table.of}: sinks`, shown(sinks), fix);
  const address = redis === undefined ? undefined : addressOf(redis, `${table.of}: redis`);
  return variablesFrom({ ...settings, ...(address && { redis: address }) }, host, { sessions, table });
}

/** An error in terms of the options. */
export function inTermsOf(table: OptionTable) {
  return (error: unknown): unknown => (error instanceof ConfigError ? inOptions(error, table) : error);
}

function addressOf(redis: unknown, place: string): Connection {
  const given = Object(redis) as Partial<Connection> & { pipeline?: unknown };
  const { url = "", token = "" } = given;
  const address = "url" in given || "token" in given ? { url, token } : connectionOf(given as Redis);
  if (address) return address;
  const found = given.pipeline
    ? "a client that repeats what may have been applied, and waits without end"
    : described(redis);
  throw wrong(place, found, "Write new Redis(createRequester({ url, token })), or redis: { url, token }.");
}

function wrong(place: string, found: string, fix: string): ConfigError {
  return new ConfigError([{ place, found, fix }]);
}

function sameVariables(one: Record<string, unknown>, other: Record<string, unknown>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

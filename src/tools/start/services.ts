import type { Unstable_Config } from "wrangler";
import { startSampleOrigin } from "../sample-origin/index.ts";
import { startUpstashLocal } from "../upstash-local/index.ts";
import type { StartOptions } from "./options.ts";
import { ownOrigin, unreachable } from "./origin.ts";
import type { OwnVars } from "./own-vars.ts";
import type { SessionDatabase } from "./session-database.ts";

/** Something the edge uses: where it is, and what the terminal says of it. */
export interface Service {
  url: string;
  says: string;
  stop?(): Promise<void>;
}

export interface Store extends Service {
  token: string;
}

const STORE_NAMES = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"] as const;

/** Whether the developer's file says which store there is, or that there is none. */
function namesStore(own: OwnVars): boolean {
  return STORE_NAMES.some((name) => name in own.values);
}

/** The local store; null where there is none, or where the developer's file names one. */
export async function startStore(options: StartOptions, own: OwnVars): Promise<Store | null> {
  if (!options.store || namesStore(own)) return null;
  const upstash = await startUpstashLocal({ port: options.upstashPort });
  return {
    url: upstash.url,
    token: upstash.token,
    says: `Upstash's REST protocol, in front of ${behind(upstash.redis.kind)}`,
    stop: () => upstash.stop(),
  };
}

/** What the terminal says of the store that the Worker uses. */
export function storeText(
  options: StartOptions,
  own: OwnVars,
  { store, database }: { store: Store | null; database: SessionDatabase | null },
): string {
  const url = own.values.UPSTASH_REDIS_REST_URL?.trim();
  if (options.store && url) return `${url}   (${own.file})`;
  if (store && !namesStore(own)) return `${store.url}   (${store.says})`;
  return `none: everything${database ? " but sessions" : ""} lives in the isolate's memory`;
}

function behind(kind: string): string {
  if (kind === "embedded") return "an embedded Redis in JavaScript; install redis-server for the real one";
  return kind === "external" ? "the Redis at LOCAL_REDIS_URL" : "redis-server";
}

export interface Origin extends Service {
  /** Whether it is the sample API, which the tour's paths are of. */
  sample: boolean;
  /** Whether the Worker asks it at its address, not over a binding. */
  isAsked: boolean;
}

/** The developer's API; null where none is named. */
export function namedOrigin(
  options: StartOptions,
  own: OwnVars,
  config: Pick<Unstable_Config, "services">,
): Origin | null {
  const named = ownOrigin({
    option: options.origin,
    environment: process.env.ORIGIN_URL,
    own: own.values.ORIGIN_URL,
    file: own.file,
  });
  const bound = config.services?.find(({ binding }) => binding === "ORIGIN");
  if (bound) {
    const url = named?.url ?? "http://origin";
    return { url, says: boundText(bound.service), sample: false, isAsked: false };
  }
  if (!named) return null;
  return { url: named.url, says: `your API, from ${named.from}`, sample: false, isAsked: true };
}

/** Bindings whose data `wrangler dev` keeps in `.wrangler/state`. */
const STATEFUL = [
  "d1_databases",
  "kv_namespaces",
  "r2_buckets",
  "workflows",
  "secrets_store_secrets",
] as const;

/** Whether what a run leaves in wrangler's local state is wanted in the next one. Else each run has a state of its own. */
export function keepsState(
  config: Pick<Unstable_Config, (typeof STATEFUL)[number] | "durable_objects" | "queues">,
): boolean {
  return (
    STATEFUL.some((name) => (config[name] ?? []).length > 0) ||
    config.durable_objects.bindings.length > 0 ||
    (config.queues.producers ?? []).length > 0
  );
}

function boundText(service: string): string {
  return `the service binding ORIGIN: ${service}, which wrangler dev runs in another terminal`;
}

/** What is to be known of an origin, in up to two seconds; null: it answers. */
export async function originWarning({ url, sample, isAsked }: Origin): Promise<string | null> {
  if (sample || !isAsked) return null;
  const reason = await unreachable(url);
  return reason && `${url} does not answer (${reason}). Requests to it get 502 or 504 until it does.`;
}

/** The sample API. */
export async function sampleOrigin(options: StartOptions): Promise<Origin> {
  const sample = await startSampleOrigin({ port: options.originPort });
  return {
    url: sample.url,
    says: "the sample emissions API, src/tools/sample-origin; your own: --origin URL",
    sample: true,
    isAsked: true,
    stop: () => sample.stop(),
  };
}

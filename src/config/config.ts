import type { LogLevel } from "../events/level.ts";
import type { CredentialNames } from "../http/credential-fields.ts";
import type { CallerLists } from "./caller-lists.ts";
import type { Route } from "./route.ts";

/** A configured API key. The key itself stays in this object: everywhere else it is a hash or its name. */
export interface ConfiguredKey {
  key: string;
  name: string;
  tier: string;
}

export interface JwtConfig {
  /** HS256 secrets, newest first. */
  secrets: string[];
  /** RS256 to RS512, PS256 to PS512, ES256 to ES512, EdDSA. */
  jwksUrl: string | null;
  /** What tokens of the key set must name. */
  forKeySet: TokenIssuer;
  /** What HS256 tokens must name. */
  forSecrets: TokenIssuer;
  /** The claim that names the tier, or null. With dots it may be a path. */
  tierClaim: string | null;
  /** The cookie that may hold a JWT, or null. */
  cookie: string | null;
}

/** The issuer that tokens must name (null: any), and the audiences of which they must name one (empty: any or none). */
export interface TokenIssuer {
  issuer: string | null;
  audiences: readonly string[];
}

/** Anything that answers a Request: a service binding. */
export interface OriginBinding {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** The binding of the static files: it answers a request by the path of a file. */
export interface AssetsBinding {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/**
 * What of a D1 binding the edge uses: `env.SESSION_DB`. It names no type of the platform: an app without these types has none to give.
 *
 * @example
 * import { createEdge, type DatabaseBinding } from "envoyou-edge";
 *
 * const { session } = createEdge((env: { SESSION_DB: DatabaseBinding }) => ({ sessions: { database: env.SESSION_DB } }));
 */
export interface DatabaseBinding {
  /** A statement of SQL, with places for values. */
  prepare(query: string): DatabaseStatement;
  /** Runs statements in one transaction. Resolves to the rows of each, in their order. */
  batch<Row = unknown>(
    statements: DatabaseStatement[],
  ): Promise<
    {
      /** The rows. */
      results: Row[];
    }[]
  >;
}

/**
 * A prepared statement of a {@link DatabaseBinding}. The edge makes them; an app only hands on the binding.
 *
 * @example
 * import type { DatabaseBinding, DatabaseStatement } from "envoyou-edge";
 *
 * const one = (database: DatabaseBinding): DatabaseStatement => database.prepare("SELECT ?").bind(1);
 */
export interface DatabaseStatement {
  /** The statement with values in its places, in their order. */
  bind(...values: unknown[]): DatabaseStatement;
}

export type OriginConfig = { kind: "url"; url: URL } | { kind: "binding"; binding: OriginBinding; url: URL };

/** The environment, read once per isolate. Seconds and milliseconds are in the names. */
export interface Config {
  mode: "enforce" | "observe" | "bypass";
  store: { url: string; token: string } | null;
  storeDeadlineMs: number;
  isolateMaxAgeMs: number;
  prefixes: { cache: string; rateLimit: string; session: string };
  /** Which capabilities may use Redis. */
  redisFor: { rateLimit: boolean; sessions: boolean; cache: boolean };
  origin: OriginConfig | null;
  originToken: string | null;
  originDeadlineMs: number;
  session: {
    /** Newest first; empty = session paths answer 503. */
    secrets: string[];
    idleSeconds: number;
    absoluteSeconds: number;
    offlineGraceSeconds: number;
    maxPerUser: number;
  };
  /** The D1 database that has sessions too, or null. */
  sessionDatabase: DatabaseBinding | null;
  /** The static files of `public/`, or null. */
  assets: AssetsBinding | null;
  /** The first eight digits of the deployed version's id, or null where the binding is absent. */
  deployedVersion: string | null;
  /** HMAC keys for callers, newest first. None: one is derived from the store's token, or random where there is no store. */
  identitySecrets: string[];
  serviceTokens: string[];
  adminTokens: string[];
  /** The host name of the operators' console, and of nothing else; null: there is none. */
  consoleHost: string | null;
  /** The host, perhaps with a port, that a path means in what the console asks for. */
  apiHost: string | null;
  /** Empty = `/edge/metrics` answers 404, and without a console nothing is counted. */
  metricsTokens: string[];
  apiKeys: ConfiguredKey[];
  jwt: JwtConfig | null;
  /** Origins, `https://*.` patterns among them, or null: CORS is the origin's business. */
  corsOrigins: string[] | null;
  /** Those of them whose pages may also send unsafe requests with a session's cookie. */
  trustedOrigins: string[];
  /** Which fields and parameters are credentials. */
  credentials: CredentialNames;
  /** Response fields that pages may read beside the edge's own and those that the origin exposes. */
  corsExposed: string[];
  cache: { ttlSeconds: number; maxBodyBytes: number; isolateBytes: number };
  /** Callers that are never limited, or always refused. */
  /** Bits of the network that an IPv6 address counts as. */
  ipv6Prefix: number;
  lists: CallerLists;
  authBasePath: string;
  healthPath: string;
  logLevel: LogLevel;
  routes: Route[];
  /** Said once in the log: aliases used, capabilities kept in the isolate, identity headers withheld. */
  warnings: string[];
}

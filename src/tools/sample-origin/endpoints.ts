import { calculate, factors, type Language, units } from "./emissions.ts";
import { bodyJson, type Exchange, headerJson, json } from "./reply.ts";

export interface SampleState {
  /** Requests by path. Cache hits do not reach the origin and are not counted. */
  hits: Map<string, number>;
  /** Users and their passwords. */
  users: ReadonlyMap<string, string>;
  /** API keys that `/v1/keys/check` accepts, with the user and tier it names for them. */
  keys: ReadonlyMap<string, { user_id: string; tier: string }>;
}

export type Endpoint = (exchange: Exchange, state: SampleState) => void | Promise<void>;

/** The API, by method and path. */
export const endpoints: Record<string, Endpoint> = {
  "GET /v1/emissions/factors": (exchange) => {
    const language: Language = /^\s*id\b/.test(String(exchange.request.headers["accept-language"] ?? ""))
      ? "id"
      : "en";
    const body = { factors: factors.map(({ name, ...rest }) => ({ ...rest, name: name[language] })) };
    json(exchange, 200, body, {
      "cache-control": "max-age=60",
      vary: "Accept-Language",
      "content-language": language,
    });
  },
  "GET /v1/emissions/units": (exchange) =>
    json(exchange, 200, { units }, { "cache-control": "public, max-age=3600" }),
  "GET /v1/emissions/plain": (exchange, state) =>
    json(exchange, 200, { hit: state.hits.get("/v1/emissions/plain") }),
  "GET /v1/emissions/slow": async (exchange) => {
    const ms = Math.min(10_000, Number(exchange.url.searchParams.get("ms") ?? 500));
    await new Promise((resolve) => setTimeout(resolve, ms));
    json(exchange, 200, { waited_ms: ms }, { "cache-control": "max-age=10" });
  },
  "POST /v1/emissions/calculate": async (exchange) => {
    const kilograms = calculate((await bodyJson(exchange.request)) ?? {});
    if (kilograms === null) return json(exchange, 422, { error: "Unknown factor or amount" });
    json(exchange, 200, { kg_co2e: kilograms });
  },
  // A framework with strict slashes redirects to its own host name.
  "GET /v1/emissions": ({ request, response }) => {
    response.writeHead(307, { location: `http://${request.headers.host}/v1/emissions/` }).end();
  },
  "GET /v1/emissions/": (exchange) => json(exchange, 200, { see: ["factors", "units", "slow", "calculate"] }),
  "GET /v1/user/profile": (exchange) => {
    const user = exchange.request.headers["x-user-id"];
    if (typeof user !== "string") return json(exchange, 401, { error: "Not signed in" });
    const tier = exchange.request.headers["x-user-tier"] ?? null;
    json(exchange, 200, { user_id: user, tier }, { "cache-control": "private, max-age=60" });
  },
  "POST /v1/auth/login": async (exchange, { users }) => {
    const { user, password, carry } = (await bodyJson(exchange.request)) ?? {};
    if (typeof user !== "string" || typeof password !== "string" || users.get(user) !== password) {
      return json(exchange, 401, { error: "Wrong user or password" });
    }
    const session = {
      user_id: user,
      tier: "premium",
      user_data: { name: user },
      device_info: {},
      carry: carry === "bearer" ? "bearer" : "cookie",
    };
    json(exchange, 200, { user }, { "x-edge-session": headerJson(session), "cache-control": "no-store" });
  },
  "POST /v1/auth/logout": (exchange) => json(exchange, 200, { signed_out: true }),
  "GET /v1/keys/check": (exchange, { keys }) => {
    const bearer = /^Bearer (.+)$/.exec(exchange.request.headers.authorization ?? "")?.[1];
    const known = keys.get(bearer ?? String(exchange.request.headers["x-api-key"] ?? ""));
    if (!known) return json(exchange, 401, { error: "Unknown key" });
    json(
      exchange,
      200,
      { valid: true },
      { "x-edge-caller": JSON.stringify(known), "cache-control": "no-store" },
    );
  },
  "GET /v1/cookie": (exchange) => {
    const host = (exchange.request.headers.host ?? "").replace(/:\d+$/, "");
    json(
      exchange,
      200,
      { set: true },
      { "set-cookie": [`theme=dark; Domain=${host}; Path=/`, "lang=en; Path=/"] },
    );
  },
  // Server-sent events: each is sent when it happens.
  "GET /v1/live": async ({ response, url }) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const events = Number(url.searchParams.get("events") ?? 3);
    const pause = Number(url.searchParams.get("pause") ?? 200);
    for (let event = 1; event <= events && !response.destroyed; event += 1) {
      response.write(`data: ${event}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    response.end();
  },
  "GET /v1/hits": (exchange, { hits }) =>
    json(exchange, 200, Object.fromEntries(hits), { "cache-control": "no-store" }),
};

/** The answer to any method at `/v1/echo…`: the request as it arrived. */
export async function echo(exchange: Exchange): Promise<void> {
  const { request, url } = exchange;
  let body = "";
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString();
  json(
    exchange,
    200,
    { method: request.method, path: url.pathname, search: url.search, headers: request.headers, body },
    { "cache-control": "no-store" },
  );
}

/** `/v1/status/503` and its like. */
export function statusOf(path: string): number | null {
  const status = Number(/^\/v1\/status\/(\d{3})$/.exec(path)?.[1]);
  return status >= 200 && status <= 599 ? status : null;
}

import { afterEach, expect, it, vi } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import type { Sink } from "../../../src/events/sink.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

type Fields = Record<string, string>;

const ADMIN_TOKEN = "admin-token-of-this-test-only";
const ENV = {
  ORIGIN_URL: "http://origin.example",
  IDENTITY_SECRET: "identity-secret-of-this-test-only",
  SESSION_SECRET: "session-secret-of-this-test-only-0123",
  ADMIN_TOKEN,
};
const LIMITS = [{ name: "all", limit: 2, window: "1 m" }] as const;
const ROUTES = [
  { path: "/cached/*", cache: { ttl: 60 }, limits: [...LIMITS] },
  { path: "/login", methods: ["POST" as const], session: "start" as const },
  { path: "/*", limits: [...LIMITS] },
];

afterEach(() => void vi.restoreAllMocks());

/** What the edge logs, says and reports for a list of requests, where every answer of the origin has these fields. */
async function observed(fields: Fields, status: number, mode = "enforce") {
  const events: unknown[] = [];
  for (const level of ["log", "info", "warn", "error"] as const) vi.spyOn(console, level).mockReturnValue();
  const platform = testPlatform({
    fetch: async () => new Response("x", { status, headers: { "cache-control": "max-age=60", ...fields } }),
  });
  const sink: Sink = {
    receive({ event, level, fields }) {
      const { request_id: _, ...rest } = fields;
      events.push({ event, level, ...rest });
    },
  };
  const answer = edgeAnswer(openIsolate({ ...ENV, EDGE_MODE: mode }, ROUTES, platform, [sink]));
  const background: Promise<unknown>[] = [];
  const context = {
    waitUntil: (work: Promise<unknown>) => void background.push(work),
    passThroughOnException() {},
    props: {},
  } as unknown as ExecutionContext;
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await answer(new Request(`https://edge.example${path}`, init), context);
    const text = new TextDecoder().decode(await response.arrayBuffer());
    const body = text.replaceAll(response.headers.get("x-request-id") ?? " ", "");
    await platform.settle(background);
    return { path, status: response.status, headers: response.headers, body };
  };
  const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const answers = [
    await ask("/edge/cache/warm", {
      method: "POST",
      headers: admin,
      body: '{"paths":["/cached/w","/plain/w"]}',
    }),
    await ask("/cached/x"),
    await ask("/cached/x"),
    await ask("/cached/x"),
    await ask("/plain/x"),
    await ask("/login", { method: "POST" }),
  ];
  return { events, answers };
}

/** Fields that `finish` writes, without what an origin may say beside it: `Cache-Status` names each cache. */
function edgeFields(headers: Headers): Fields {
  const own = /^(x-cache|cache-status|ratelimit.*|x-ratelimit-.*|x-session-token)$/;
  const all = [...headers].filter(([name]) => own.test(name));
  return Object.fromEntries(all.map(([name, value]) => [name, value.replace(/^Origin;[^,]*(, |$)/, "")]));
}

/** Any cookie keeps an answer out of shared caches: the session's is compared with another one. */
const CLAIMS: readonly (readonly [says: string, fields: Fields, instead: Fields])[] = [
  ["X-Cache", { "x-cache": "HIT" }, {}],
  ["Cache-Status", { "cache-status": "Origin;hit;stored" }, {}],
  [
    "Set-Cookie: session=…",
    { "set-cookie": "session=es1.a.b; Path=/" },
    { "set-cookie": "theme=dark; Path=/" },
  ],
  ["Set-Cookie: __Host-session=…", { "set-cookie": "__Host-session=es1.a" }, { "set-cookie": "theme=dark" }],
  ["Retry-After", { "retry-after": "77" }, {}],
];

const cases = CLAIMS.flatMap(([says, fields, instead]) =>
  [200, 429, 503].map((status) => [says, status, fields, instead] as const),
);

it.each(cases)(
  "an origin's %s with a %i changes nothing that the edge logs, warms or decides",
  async (says, status, fields, instead) => {
    const said = await observed(fields, status);
    const plain = await observed(instead, status);
    expect(said.events).toEqual(plain.events);
    expect(said.events).toContainEqual(expect.objectContaining({ event: "request", route: "/cached/*" }));
    for (const [index, { path, status: got, headers, body }] of said.answers.entries()) {
      const expected = plain.answers[index];
      expect([path, got, body]).toEqual([path, expected?.status, expected?.body]);
      const own = edgeFields(headers);
      if (own["cache-status"] === "") delete own["cache-status"];
      expect(own, path).toEqual(edgeFields(expected?.headers ?? new Headers()));
    }
    const refused = said.answers[3];
    expect(refused?.status, "the third request within a minute").toBe(429);
    expect(refused?.headers.get("retry-after"), `the edge's own, not the origin's ${says}`).toMatch(/^\d+$/);
    expect(refused?.headers.get("retry-after")).not.toBe("77");
  },
);

it("an origin's Retry-After reaches the client where a limit is only observed", async () => {
  const { answers } = await observed({ "retry-after": "77" }, 503, "observe");
  const { headers, status } = answers[3] ?? { headers: new Headers() };
  expect([status, headers.get("retry-after")]).toEqual([503, "77"]);
  expect(headers.has("x-ratelimit-remaining"), "a 503 has the origin's fields alone").toBe(false);
  const plain = (await observed({}, 200, "observe")).answers[3]?.headers;
  expect(plain?.get("x-ratelimit-remaining"), "the limit is used up").toBe("0");
  expect(plain?.get("retry-after")).toBeNull();
});

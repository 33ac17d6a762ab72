import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ClientOptions, createClient } from "../../../src/client/index.ts";

const ID = "0123456789abcdef0123456789abcdef";
const base64url = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
/** A token as the edge writes it: of this session, confirmed then. */
const tokenOf = (id: string, confirmedAt = 0) =>
  `es1.${base64url(JSON.stringify({ i: id, u: "ada", c: confirmedAt }))}.signature`;

const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(
    JSON.stringify({
      type: "about:blank",
      title: "T",
      error: "T",
      status,
      code,
      message: "m",
      request_id: ID,
    }),
    { status, headers: { "content-type": "application/problem+json", "x-request-id": ID, ...headers } },
  );
const fine = (headers: Record<string, string> = {}) => new Response("fine", { headers });

type Step = Response | Error | ((request: Request) => Response | Promise<Response>);

/** A client whose requests get these answers in turn, and whose clock stands still but for its waits. */
function openClient(steps: Step[], options: Partial<ClientOptions> = {}) {
  const sent: Request[] = [];
  const waits: number[] = [];
  const told: (string | null)[] = [];
  const client = createClient({
    baseUrl: "https://edge.example",
    onToken: (token) => void told.push(token),
    clock: {
      now: () => 1_000_000 + waits.reduce((sum, ms) => sum + ms, 0),
      random: () => 0.5,
      async sleep(ms, signal) {
        signal?.throwIfAborted();
        waits.push(ms);
      },
    },
    ...options,
    fetch: async (input) => {
      const request = new Request(input);
      sent.push(request);
      const step = steps.shift() ?? fine();
      if (step instanceof Error) throw step;
      return typeof step === "function" ? step(request) : step;
    },
  });
  const bearers = () => sent.map((request) => request.headers.get("authorization"));
  return { client, sent, waits, told, bearers };
}

describe("the session", () => {
  it("of any answer is kept, sent with each request to the edge, and told of", async () => {
    const token = tokenOf("a");
    const { client, bearers, told } = openClient([fine({ "x-session-token": token })]);
    await client.fetch("/login", { method: "POST" });
    await client.fetch("/profile");
    await client.fetch(new URL("https://edge.example/other"));
    await client.fetch(new Request("https://edge.example/third"));
    const bearer = `Bearer ${token}`;
    expect(bearers()).toEqual([null, bearer, bearer, bearer]);
    expect(told).toEqual([token]);
  });

  it.each([
    "https://other.example/",
    "https://edge.example.evil.example/",
    "https://edge.example:8443/",
    "http://edge.example/",
    "//other.example/path",
    "https://edge.example@other.example/",
  ])("is not sent to %s, and nothing of its answer is taken", async (url) => {
    const { client, bearers } = openClient([fine({ "x-session-token": tokenOf("evil") })], {
      token: tokenOf("a"),
    });
    await client.fetch(url);
    expect(bearers()).toEqual([null]);
    expect(client.token).toBe(tokenOf("a"));
  });

  it("is not taken from another origin to which the edge's address led", async () => {
    const redirected = fine({ "x-session-token": tokenOf("evil") });
    Object.defineProperty(redirected, "url", { value: "https://other.example/" });
    const { client } = openClient([redirected]);
    await client.fetch("/away");
    expect(client.token).toBeNull();
  });

  it("leaves an Authorization alone that the request has", async () => {
    const { client, bearers } = openClient(
      [fine({ "x-session-token": tokenOf("other") }), problem(401, "SESSION_INVALID")],
      { token: tokenOf("a") },
    );
    await client.fetch("/x", { headers: { authorization: `Bearer ${tokenOf("other")}` } });
    await client.fetch("/x", { headers: { authorization: "Bearer key-0123456789abcdef" } });
    expect(bearers()).toEqual([`Bearer ${tokenOf("other")}`, "Bearer key-0123456789abcdef"]);
    expect(client.token).toBe(tokenOf("a"));
  });

  /** Two requests are sent with the first token; the answers arrive in this order. */
  it.each([
    ["a newer renewal last", [tokenOf("a", 1), tokenOf("a", 2)], tokenOf("a", 2)],
    ["an older renewal last", [tokenOf("a", 2), tokenOf("a", 1)], tokenOf("a", 2)],
    ["a rotation, then a renewal of the old id", [tokenOf("a~b", 3), tokenOf("a", 4)], tokenOf("a~b", 3)],
    ["a renewal, then a rotation", [tokenOf("a", 4), tokenOf("a~b", 3)], tokenOf("a~b", 3)],
    ["another's sign-in, then a renewal of the old", [tokenOf("z", 1), tokenOf("a", 9)], tokenOf("z", 1)],
    ["what is no token of the edge, then a renewal", ["opaque", tokenOf("a", 9)], "opaque"],
  ])("is right after %s", async (_, tokens, last) => {
    const gates = tokens.map(() => Promise.withResolvers<Response>());
    const { client } = openClient(
      gates.map(
        ({ promise }) =>
          () =>
            promise,
      ),
      { token: tokenOf("a", 0) },
    );
    const answers = gates.map((_gate, index) => client.fetch(`/${index}`));
    for (const [index, gate] of gates.entries()) {
      gate.resolve(fine({ "x-session-token": tokens[index] ?? "" }));
      await answers[index];
    }
    expect(client.token).toBe(last);
  });

  it("that was signed out is not brought back by the answer to an older request", async () => {
    const gate = Promise.withResolvers<Response>();
    const { client, told } = openClient([() => gate.promise, Response.json({ status: "success" })], {
      token: tokenOf("a"),
    });
    const old = client.fetch("/slow");
    expect(await client.sessions.signOut()).toEqual({ kind: "done" });
    gate.resolve(fine({ "x-session-token": tokenOf("a", 5) }));
    await old;
    expect(client.token).toBeNull();
    expect(told).toEqual([null]);
  });

  it("that is over is forgotten, where the edge says so of the token that is current", async () => {
    const over = openClient([problem(401, "SESSION_INVALID")], { token: tokenOf("a") });
    await over.client.fetch("/x");
    expect([over.client.token, over.told]).toEqual([null, [null]]);
    const gate = Promise.withResolvers<Response>();
    const late = openClient([() => gate.promise], { token: tokenOf("a") });
    const old = late.client.fetch("/slow");
    late.client.setToken(tokenOf("b"));
    gate.resolve(problem(401, "SESSION_INVALID"));
    await old;
    expect(late.client.token).toBe(tokenOf("b"));
    for (const other of [
      new Response("", { status: 401 }),
      problem(401, "TOKEN_INVALID"),
      problem(503, "IDENTITY_UNAVAILABLE"),
    ]) {
      const kept = openClient([other, other.clone(), other.clone()], { token: tokenOf("a"), retry: false });
      await kept.client.fetch("/x");
      expect(kept.client.token).toBe(tokenOf("a"));
    }
  });
});

describe("retries", () => {
  const status = (code: number, headers = {}) => new Response(null, { status: code, headers });

  it.each<[string, Step[], number, number]>([
    ["GET", [status(503), status(502)], 3, 200],
    ["HEAD", [status(504)], 2, 200],
    ["PUT", [new TypeError("lost"), status(503)], 3, 200],
    ["GET", [status(522), status(530)], 3, 200],
    ["GET", [status(529)], 1, 529],
    ["DELETE", [new TypeError("lost")], 2, 200],
    ["OPTIONS", [status(502)], 2, 200],
    ["POST", [status(503)], 1, 503],
    ["PATCH", [status(502)], 1, 502],
    ["GET", [status(500)], 1, 500],
    ["GET", [status(404)], 1, 404],
    ["GET", [status(429)], 1, 429],
    ["GET", [status(503), status(503), status(503)], 3, 503],
    ["GET", [status(503, { "retry-after": "11" })], 1, 503],
    ["GET", [status(503, { "retry-after": "2" })], 2, 200],
  ])("%s", async (method, steps, attempts, answered) => {
    const { client, sent } = openClient(steps);
    const body = method === "PUT" || method === "POST" || method === "PATCH" ? { body: "content" } : {};
    expect((await client.fetch("/x", { method, ...body })).status).toBe(answered);
    expect(sent.length).toBe(attempts);
    for (const request of sent) expect(await request.text()).toBe(body.body ?? "");
  });

  it("are no more than the budget, however many requests fail", async () => {
    const { client, sent } = openClient(Array.from({ length: 400 }, () => status(503)));
    for (let i = 0; i < 100; i += 1) await client.fetch("/x");
    expect(sent.length).toBe(100 + 10 + 9);
  });

  it("send no stream twice, and throw what the network threw", async () => {
    const lost = new TypeError("lost");
    const { client, sent } = openClient([lost]);
    const body = new Blob(["content"]).stream();
    await expect(client.fetch("/x", { method: "PUT", body, duplex: "half" } as RequestInit)).rejects.toBe(
      lost,
    );
    expect(sent.length).toBe(1);
  });

  // Safari before 17, React Native and jsdom.
  it.each<[string, () => void]>([
    ["ReadableStream", () => vi.stubGlobal("ReadableStream", undefined)],
    ["structuredClone", () => vi.stubGlobal("structuredClone", undefined)],
    ["URL.canParse", () => void Reflect.deleteProperty(URL, "canParse")],
    ["URL.parse", () => void Reflect.deleteProperty(URL, "parse")],
    ["AbortSignal.any", () => void Reflect.deleteProperty(AbortSignal, "any")],
    ["AbortSignal.timeout", () => void Reflect.deleteProperty(AbortSignal, "timeout")],
    ["Promise.withResolvers", () => void Reflect.deleteProperty(Promise, "withResolvers")],
    ["Array.prototype.toSorted", () => void Reflect.deleteProperty(Array.prototype, "toSorted")],
    ["Object.groupBy", () => void Reflect.deleteProperty(Object, "groupBy")],
  ])("are made where there is no %s", async (_name, remove) => {
    const owners = [URL, AbortSignal, Promise, Object, Array.prototype];
    const before = owners.map((owner) => Object.getOwnPropertyDescriptors(owner));
    remove();
    onTestFinished(() => {
      vi.unstubAllGlobals();
      for (const [index, owner] of owners.entries()) {
        for (const [name, property] of Object.entries(before[index] ?? {}))
          if (!Object.hasOwn(owner, name)) Object.defineProperty(owner, name, property);
      }
    });
    const { client, sent } = openClient([status(503)]);
    const response = await client.fetch("/x", { method: "PUT", body: "content" });
    expect([response.status, sent.length]).toEqual([200, 2]);
  });

  it("end when the caller aborts", async () => {
    const aborter = new AbortController();
    const { client, sent } = openClient([
      () => {
        aborter.abort(new Error("gone"));
        return status(503);
      },
    ]);
    await expect(client.fetch("/x", { signal: aborter.signal })).rejects.toThrow("gone");
    expect(sent.length).toBe(1);
  });
});

describe("the paths of sessions", () => {
  const page = () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } });

  it.each<[string, () => Response]>([
    ["a page for every path", page],
    ["an empty text", () => new Response("")],
    ["JSON that is no object", () => Response.json(null)],
    ["nothing", () => new Response(null, { status: 204 })],
    ["an API's own 404", () => Response.json({ error: "no" }, { status: 404 })],
    ["a problem of an API", () => Response.json({ title: "no", status: 503 }, { status: 500 })],
  ])("that have %s are an error that says so, and the session goes on", async (_what, answer) => {
    const token = tokenOf("a");
    const { client } = openClient([answer(), answer(), answer(), answer(), answer()], {
      token,
      retry: false,
    });
    const { list, rotate, signOut, endOthers, end } = client.sessions;
    for (const call of [list, rotate, signOut, endOthers, () => end("b")])
      await expect(call()).rejects.toThrow("is no answer of the edge: is the address right?");
    expect(client.token).toBe(token);
  });
});

describe("a 429", () => {
  const limited = (retryAfter: string, code = "RATE_LIMIT_EXCEEDED") =>
    problem(429, code, { "retry-after": retryAfter });
  const apis = (retryAfter: string) =>
    new Response("", { status: 429, headers: { "retry-after": retryAfter } });

  it.each<[string, string, Step[], number, number[], number]>([
    ["is an answer where nothing was asked", "GET", [limited("1")], 0, [], 429],
    ["is waited out", "GET", [limited("3")], 5, [3000], 200],
    ["is waited out once", "GET", [limited("3"), limited("1")], 5, [3000], 429],
    ["that asks for more is an answer", "GET", [limited("6")], 5, [], 429],
    ["with a date is waited out", "GET", [limited(new Date(1_004_000).toUTCString())], 5, [4000], 200],
    ["without a time is an answer", "GET", [problem(429, "RATE_LIMIT_EXCEEDED")], 5, [], 429],
    ["of the edge is waited out for a POST too", "POST", [limited("1")], 5, [1000], 200],
    ["of the API is an answer to a POST", "POST", [apis("1")], 5, [], 429],
    ["of the API is waited out for a GET", "GET", [apis("1")], 5, [1000], 200],
    ["is waited out at once where its date is over", "GET", [apis(new Date(0).toUTCString())], 5, [0], 200],
    ["is waited out however long, where all is", "GET", [apis("86400")], Infinity, [86_400_000], 200],
    ["longer than a timer lasts is an answer", "GET", [apis("2147484")], Infinity, [], 429],
    ["of a century is an answer", "GET", [apis("3155760000")], Infinity, [], 429],
    ["is an answer where the time is no number", "GET", [apis("1")], Number.NaN, [], 429],
    ["with a negative time is an answer", "GET", [apis("-1")], 5, [], 429],
  ])("%s", async (_, method, steps, waitSeconds, waited, answered) => {
    const { client, waits } = openClient(steps, { waitSeconds });
    expect((await client.fetch("/x", { method })).status).toBe(answered);
    expect(waits).toEqual(waited);
  });

  it("is waited out as long as the request says", async () => {
    const { client, waits } = openClient([limited("8")], { waitSeconds: 1 });
    expect((await client.fetch("/x", { waitSeconds: 10 })).status).toBe(200);
    expect(waits).toEqual([8000]);
  });
});

describe("in a page", () => {
  const page = () => {
    vi.stubGlobal("location", { href: "https://app.example/shop/cart?x=1#y" });
    onTestFinished(() => void vi.unstubAllGlobals());
  };

  it.each([
    "api.example.com",
    "api.example.com/v1",
    "localhost:8787",
    "undefined",
    "null",
    "v1",
    "./v1",
    "ftp://api.example.com",
    "javascript:alert(1)",
    "wss://api.example.com",
    "data:text/plain,x",
  ])("%j as the address, which the page would be asked by, is an error that says what to give", (baseUrl) => {
    page();
    expect(() => createClient({ baseUrl })).toThrow("baseUrl, such as https://api.example.com");
  });

  it.each<[baseUrl: string | undefined, origin: string]>([
    [undefined, "https://app.example"],
    ["", "https://app.example"],
    ["/", "https://app.example"],
    ["/v1/", "https://app.example"],
    ["//api.example.com", "https://api.example.com"],
    ["HTTPS://API.example.com", "https://api.example.com"],
    [" https://api.example.com\n", "https://api.example.com"],
    ["http://localhost:8787/v1/x", "http://localhost:8787"],
  ])("of the address %j paths begin at the root", async (baseUrl, origin) => {
    page();
    const { client, sent } = openClient([], { ...(baseUrl !== undefined && { baseUrl }) });
    const own = openClient([], { baseUrl: baseUrl as never });
    for (const path of ["/v1/a", "v1/a", "./v1/a", "../v1/a"]) {
      await own.client.fetch(path);
      if (baseUrl !== undefined) await client.fetch(path);
    }
    expect(new Set([...own.sent, ...sent].map(({ url }) => url))).toEqual(new Set([`${origin}/v1/a`]));
  });
});

it.each(["/auth", "auth", "/auth/", "auth//"])(
  "the sessions are at /auth for authPath %j",
  async (authPath) => {
    const { client, sent } = openClient([Response.json({ status: "success", sessions: [] })], {
      authPath,
      baseUrl: "https://edge.example/v1/x",
    });
    await client.sessions.list();
    expect(sent[0]?.url).toBe("https://edge.example/auth/sessions");
  },
);

it.each([undefined, null, "", "null", "undefined"])(
  "a token %j, as storage and cookies have it, is none",
  async (none) => {
    const { client, bearers } = openClient([], { token: none as never });
    await client.fetch("/a");
    expect(client.token).toBeNull();
    client.setToken(tokenOf("a"));
    client.setToken(none as never);
    await client.fetch("/a");
    expect([client.token, ...bearers()]).toEqual([null, null, null]);
  },
);

it.each<[object, RegExp]>([
  [{ retry: 3 }, /retry is an object, or false/],
  [{ retry: { times: 2 } }, /no option times/],
  [{ retry: { perrequest: 0 } }, /no option perrequest/],
  [{ waitSecond: 5 }, /no option waitSecond/],
  [{ retries: 2 }, /no option retries/],
  [{ BaseUrl: "https://api.example.com" }, /no option BaseUrl/],
  [{ headers: {} }, /no option headers/],
])("the option of another name in %j is an error that names it", (options, message) => {
  expect(() => createClient({ baseUrl: "https://api.example.com", ...options })).toThrow(message);
});

it.each([
  undefined,
  "",
  "/",
  "api.example.com",
  "api.example.com/v1",
  "//api.example.com",
  "https://",
  "http://a b",
])("without a page, %j as the address is an error that says what to give", (baseUrl) => {
  expect(() => createClient({ ...(baseUrl !== undefined && { baseUrl }) })).toThrow(
    "baseUrl, such as https://api.example.com",
  );
});

import { request } from "node:http";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type SpeakingOrigin, startSpeakingOrigin } from "../support/edge/scripted-origin.ts";

const ROUTES = [
  { path: "/mine/*", access: "session", cache: { scope: "caller", ttl: 60 } },
  { path: "/*", cache: { ttl: 60, scope: "shared" } },
];
const TEXT = JSON.stringify(Array.from({ length: 300 }, (_, n) => ({ n, row: `row ${n}` })));

describe("the response cache of the built Worker", () => {
  let harness: Harness;
  let origin: SpeakingOrigin;
  beforeAll(async () => {
    origin = await startSpeakingOrigin();
    harness = await openHarness({ vars: { ROUTES, ORIGIN_URL: origin.url } });
  });
  afterAll(async () => {
    await harness.stop();
    await origin.stop();
  });
  const operator = () => ({ authorization: `Bearer ${harness.secrets.admin}` });
  const post = (path: string, body: unknown) =>
    harness.edge.fetch(path, { method: "POST", headers: operator(), body: JSON.stringify(body) });
  const fresh = async () => {
    await harness.counting(async () => {});
    await harness.edge.restart();
  };

  describe("a hit, on the wire, is what the miss was", () => {
    const OWN = ["age", "x-cache", "cache-status", "x-request-id", "connection", "keep-alive"];
    const lasting = (headers: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.includes(name)));
    const large = Buffer.from(TEXT.repeat(20));
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, n) => (n * n * 31 + (n >> 7)) & 255));
    // What goes before the Worker compresses JSON itself, as Cloudflare does, and leaves other types alone.
    const [json, bytes] = ["application/json", "application/octet-stream"];

    it.each<[what: string, type: string, coding: string | null, body: Buffer]>([
      ["JSON", json, null, Buffer.from(TEXT)],
      ["gzip", bytes, "gzip", gzipSync(TEXT)],
      ["brotli", bytes, "br", brotliCompressSync(TEXT)],
      ["a coding that nobody knows", bytes, "x-own", Buffer.from("own")],
      ["long gzip", bytes, "gzip", gzipSync(noise)],
      ["long bytes", bytes, null, large],
    ])("%s", async (what, type, coding, body) => {
      const path = `/wire/${what.replaceAll(" ", "-")}`;
      for (const transform of ["", ", no-transform"]) {
        for (const [at, asked] of ["gzip, br", "gzip", "identity", ""].entries()) {
          const url = `${path}/${at}${transform.length}`;
          const headers = {
            "content-type": type,
            etag: '"v"',
            "cache-control": `max-age=60${transform}`,
            "content-length": String(body.length),
            ...(coding && { "content-encoding": coding }),
          };
          origin.say(url, { headers, body });
          const ask = () => raw(harness.edge.url, url, asked === "" ? {} : { "accept-encoding": asked });
          const miss = await ask();
          const hit = await ask();
          expect([miss.headers["x-cache"], hit.headers["x-cache"]]).toEqual(["MISS", "HIT"]);
          expect(lasting(hit.headers), url).toEqual(lasting(miss.headers));
          expect(hit.body.equals(miss.body), url).toBe(true);
          if (type === bytes) {
            expect(hit.body.equals(body), "byte for byte what the origin sent").toBe(true);
            expect(hit.headers).toMatchObject({ etag: '"v"', "content-length": String(body.length) });
            expect(hit.headers["content-encoding"]).toBe(coding ?? undefined);
          }
        }
      }
    });

    it("from Redis too", async () => {
      const fields = { "cache-control": "max-age=60", etag: '"r"', "accept-ranges": "none" };
      const answers = { "/r/plain": Buffer.from(TEXT), "/r/gzip": gzipSync(TEXT) };
      const ask = () =>
        Promise.all(
          Object.keys(answers).map((path) => raw(harness.edge.url, path, { "accept-encoding": "gzip" })),
        );
      for (const [path, body] of Object.entries(answers)) {
        const coding = path === "/r/gzip" ? { "content-encoding": "gzip" } : {};
        origin.say(path, { headers: { ...fields, "content-type": bytes, ...coding }, body });
      }
      const misses = await ask();
      await fresh();
      for (const [at, hit] of (await ask()).entries()) {
        expect(hit.headers["x-cache"]).toBe("HIT");
        expect({ ...lasting(hit.headers), "content-length": "" }).toEqual({
          ...lasting(misses[at]?.headers ?? {}),
          "content-length": "",
          "transfer-encoding": undefined,
        });
        expect(hit.body.equals(misses[at]?.body ?? Buffer.from(""))).toBe(true);
      }
    });
  });

  describe("POST /edge/cache/purge", () => {
    it("reaches an isolate that has never heard of it, and the one that took it", async () => {
      origin.say("/p/1", { headers: { "cache-tag": "one" } });
      const before = await (await harness.edge.fetch("/p/1")).text();
      const answer = await post("/edge/cache/purge", { tags: ["ONE"] });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ success: true, reach: "everywhere" });
      await harness.edge.restart();
      const after = await harness.edge.fetch("/p/1");
      expect(after.headers.get("x-cache")).toBe("MISS");
      expect(await after.text()).not.toBe(before);
    });

    it.each([
      [{}],
      [{ files: "/x" }],
      [{ files: ["ftp://x"] }],
      [{ prefixes: ["host/path"] }],
      [{ everything: true }],
      [[]],
      [null],
      [{ tags: Array.from({ length: 501 }, () => "x") }],
    ])("refuses %j", async (body) => {
      const answer = await post("/edge/cache/purge", body);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "BAD_PURGE" });
    });
  });

  describe("what makes an entry go, through the wire", () => {
    const word = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
      const response = await harness.edge.fetch(path, { headers, method });
      await response.text();
      return response.headers.get("x-cache");
    };

    it("PUT, PATCH, DELETE and a method nobody knows: here at once, and in an isolate that starts later", async () => {
      for (const method of ["PUT", "PATCH", "DELETE"]) {
        await word("/written");
        expect(await word("/written"), method).toBe("HIT");
        await harness.edge.fetch("/written", { method });
        expect(await word("/written"), `here, after ${method}`).toBe("MISS");
        await harness.edge.fetch("/written", { method });
        await fresh();
        expect(await word("/written"), `there, after ${method}`).toBe("MISS");
      }
    });

    it("what Location of the same host names, and no error", async () => {
      origin.say("/create", { status: 201, headers: { location: `${origin.url}/created` } });
      origin.say("/refuse", { status: 403, headers: { location: "/kept" } });
      for (const path of ["/created", "/kept"]) await word(path);
      for (const path of ["/create", "/refuse"]) await harness.edge.fetch(path, { method: "POST" });
      expect(await word("/created"), "rewritten to the edge's address").toBe("MISS");
      expect(await word("/kept")).toBe("HIT");
    });

    it("a prefix, at its slash; and softly: stale, and served while it is validated", async () => {
      for (const path of ["/pre/a", "/prefix"]) await word(path);
      const { host } = new URL(harness.edge.url);
      await post("/edge/cache/purge", { prefixes: [`${host}/pre/`] });
      expect(await word("/pre/a")).toBe("MISS");
      expect(await word("/prefix"), "no slash").toBe("HIT");
      origin.say("/soft", {
        headers: {
          "cache-control": "max-age=60, stale-while-revalidate=60",
          etag: '"s"',
          "cache-tag": "soft",
        },
      });
      await word("/soft");
      await post("/edge/cache/purge", { tags: ["soft"], soft: true });
      expect(await word("/soft")).toBe("STALE");
      await harness.counting(async () => {});
      expect(await word("/soft"), "validated meanwhile").toBe("HIT");
    });

    it("a HEAD that disagrees with it", async () => {
      origin.say("/head", { headers: { etag: '"1"', "cache-control": "max-age=60" } });
      await word("/head");
      origin.say("/head", { headers: { etag: '"2"', "cache-control": "max-age=60" } });
      await word("/head", { "cache-control": "no-cache" }, "HEAD");
      expect(await word("/head"), "fetched anew").toBe("MISS");
    });

    it("nothing that a client asks for itself alone", async () => {
      origin.say("/steady", { headers: { etag: '"x"', "cache-control": "max-age=60" } });
      await word("/steady");
      await word("/steady", { "cache-control": "no-store, no-cache" });
      await word("/steady", { "cache-control": "no-cache" }, "HEAD");
      expect(await word("/steady")).toBe("HIT");
    });
  });

  describe("an origin that says too much", () => {
    it("Connection cannot take away what forbids to store (RFC 9110 §7.6.1)", async () => {
      origin.say("/connection", {
        headers: { connection: "cache-control, vary", "cache-control": "no-store", vary: "accept" },
      });
      for (const count of [1, 2]) {
        const { headers } = await raw(harness.edge.url, "/connection", {});
        expect(headers["x-cache"]).toBe("MISS");
        expect(headers["cache-control"], "and the client is told").toBe("no-store");
        expect(origin.asked("/connection")).toHaveLength(count);
      }
    });

    it("a coding in another spelling is passed on and stored as it came, bytes and all", async () => {
      const bytes = gzipSync(TEXT);
      origin.say("/shouted", {
        headers: { "content-type": "text/plain", "content-encoding": "GZIP" },
        body: bytes,
      });
      for (const expected of ["MISS", "HIT"]) {
        const { headers, body } = await raw(harness.edge.url, "/shouted", { "accept-encoding": "gzip" });
        expect(headers["x-cache"]).toBe(expected);
        const coded = /gzip/i.test(String(headers["content-encoding"]));
        expect((coded ? gunzipSync(body) : body).toString(), expected).toBe(TEXT);
      }
    });
  });

  describe("POST /edge/cache/warm", () => {
    it("fetches each path once, tells of each, and then they are hits", async () => {
      const paths = Array.from({ length: 20 }, (_, n) => `/w/${n}?page=${n}`);
      for (const path of paths) origin.say(path, { headers: {} });
      origin.say("/w/missing", { status: 404, headers: { "cache-control": "no-store" } });
      const answer = await post("/edge/cache/warm", { paths: [...paths, "/w/missing"] });
      expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
      const lines = (await answer.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines.at(-1)).toEqual({ done: true, paths: 21, stored: 20, fresh: 0, failed: 1 });
      expect(lines).toContainEqual(
        expect.objectContaining({ path: "/w/3?page=3", status: 200, cache: "MISS", stored: true }),
      );
      expect(lines).toContainEqual(
        expect.objectContaining({ path: "/w/missing", status: 404, stored: false }),
      );
      await fresh();
      for (const path of paths)
        expect((await harness.edge.fetch(path)).headers.get("x-cache"), path).toBe("HIT");
      const again = await post("/edge/cache/warm", { paths });
      expect((await again.text()).trim().split("\n").at(-1)).toContain('"fresh":20');
      for (const path of paths) expect(origin.asked(path), path).toHaveLength(1);
    });

    it("says STALE of what is served while it is fetched anew, and then it is a hit", async () => {
      const headers = { "cache-control": "max-age=60, stale-while-revalidate=60", "cache-tag": "w-stale" };
      origin.say("/w/stale", { headers });
      await (await harness.edge.fetch("/w/stale")).text();
      await post("/edge/cache/purge", { tags: ["w-stale"], soft: true });
      const answer = await post("/edge/cache/warm", { paths: ["/w/stale"] });
      expect(await answer.text()).toContain('"cache":"STALE","stored":false');
      await harness.counting(async () => {});
      expect((await harness.edge.fetch("/w/stale")).headers.get("x-cache")).toBe("HIT");
      expect(origin.asked("/w/stale")).toHaveLength(2);
    });

    it("believes no field of the origin's: what it says it stored, or had", async () => {
      const lies = {
        "x-cache": "HIT",
        "cache-status": "EnvoyouEdge;hit;stored",
        "cache-control": "no-store",
      };
      origin.say("/w/liar", { headers: lies });
      const answer = await (await post("/edge/cache/warm", { paths: ["/w/liar"] })).text();
      expect(answer).toContain('"cache":"MISS","stored":false');
      expect(answer).toContain('"stored":0,"fresh":0,"failed":0');
      const response = await harness.edge.fetch("/w/liar");
      expect(response.headers.get("x-cache")).toBe("MISS");
      expect(response.headers.get("cache-status")).toBe("EnvoyouEdge;hit;stored, EnvoyouEdge;fwd=uri-miss");
    });

    it("asks for six at a time, and tells of each as it is done", async () => {
      const release = origin.hold("/held/");
      const paths = ["/quick/1", ...Array.from({ length: 20 }, (_, n) => `/held/${n}`)];
      const answer = await post("/edge/cache/warm", { paths });
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      const first = await reader?.read();
      expect(first?.value, "before the others are answered").toContain('"path":"/quick/1"');
      const waiting = () =>
        paths.filter((path) => path.startsWith("/held/") && origin.asked(path).length > 0);
      await expect.poll(() => waiting().length).toBeGreaterThanOrEqual(6);
      // Time for one too many: a request of its own passes the Worker, its store and the origin.
      await (await harness.edge.fetch("/quick/2")).text();
      expect(waiting(), "asked for at the same time").toHaveLength(6);
      release();
      let rest = "";
      for (let each = await reader?.read(); each && !each.done; each = await reader?.read())
        rest += each.value;
      expect(rest).toContain('"done":true,"paths":21');
    });

    it("asks for nobody: what needs a session stays closed", async () => {
      const answer = await post("/edge/cache/warm", { paths: ["/mine/x"] });
      expect(await answer.text()).toContain('"status":401');
      expect(origin.asked("/mine/x")).toHaveLength(0);
    });

    it.each([
      [{ paths: [] }],
      [{ paths: ["https://elsewhere.example/"] }],
      [{ paths: ["//elsewhere.example/"] }],
      [{ paths: ["/\\elsewhere.example/"] }],
      [{ paths: ["relative"] }],
      [{ paths: Array.from({ length: 301 }, () => "/x") }],
      [{ paths: ["/x"], host: "https://elsewhere.example/" }],
      [null],
    ])("refuses %j", async (body) => {
      const answer = await post("/edge/cache/warm", body);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "BAD_WARM" });
    });

    it("is the operator's alone", async () => {
      const answer = await harness.edge.fetch("/edge/cache/warm", {
        method: "POST",
        body: '{"paths":["/x"]}',
      });
      expect(answer.status).toBe(401);
    });
  });

  it("keeps what is larger than its bound out, and streams it", async () => {
    const body = "x".repeat(2_000_000);
    origin.say("/huge", { headers: { "content-type": "text/plain" }, body });
    for (const count of [1, 2]) {
      const response = await harness.edge.fetch("/huge");
      expect((await response.text()).length).toBe(body.length);
      expect(origin.asked("/huge"), "not stored").toHaveLength(count);
    }
  });

  it("gives nobody another's entry on a caller's route", async () => {
    origin.say("/mine/data", { headers: { "cache-control": "private, max-age=60" } });
    const [ada, bea] = [await harness.token("ada"), await harness.token("bea")];
    const get = async (token: string) => {
      const response = await harness.edge.fetch("/mine/data", {
        headers: { authorization: `Bearer ${token}` },
      });
      return { word: response.headers.get("x-cache"), text: await response.text() };
    };
    const first = await get(ada);
    expect(await get(ada)).toEqual({ word: "HIT", text: first.text });
    expect((await get(bea)).text).not.toBe(first.text);
  });

  it("lets no header change an answer unseen: what is in no key never reaches the origin", async () => {
    const poison = {
      "x-forwarded-host": "evil.example",
      "x-host": "evil.example",
      "x-original-url": "/admin",
      "x-http-method-override": "DELETE",
      x_forwarded_proto: "http",
      "x-forwarded-scheme": "http",
      forwarded: "host=evil.example",
    };
    await harness.edge.fetch("/poison", { headers: poison });
    const [seen] = origin.asked("/poison");
    expect(JSON.stringify(seen?.headers)).not.toContain("evil.example");
    for (const name of Object.keys(poison).filter((name) => !name.includes("forwarded-host"))) {
      expect(seen?.headers[name], name).toBeUndefined();
    }
  });
});

/** Uses node:http, because undici decodes bodies and adds `Accept-Encoding` by itself. */
function raw(base: string, path: string, headers: Record<string, string>) {
  return new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
    request(`${base}${path}`, { headers: { ...headers, "cf-connecting-ip": "203.0.113.9" } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    })
      .on("error", reject)
      .end();
  });
}

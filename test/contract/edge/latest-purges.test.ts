import { describe, expect, it, test } from "vitest";
import { freshPrefix } from "../../support/limits.ts";
import { ADMIN_TOKEN, meteredEdge } from "../../support/metered-edge.ts";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
type Edge = ReturnType<typeof meteredEdge>;
interface Told {
  complete: boolean;
  purges: { at: number; kind: string; what: string | null; soft: boolean; reach: string }[];
}

const open = (prefix = freshPrefix(), env: Record<string, unknown> = {}) =>
  meteredEdge({ prefix, env: { METRICS_TOKEN: "", LOG_LEVEL: "error", ...env } });

async function purge(edge: Edge, body: object): Promise<number> {
  const init = { method: "POST", headers: admin, body: JSON.stringify(body) };
  const { status } = await edge.ask("/edge/cache/purge", init);
  edge.platform.advance(1000);
  return status;
}

async function latest(edge: Edge): Promise<Told> {
  const response = await edge.ask("/edge/cache/purges", { headers: admin });
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  return response.json();
}

const shown = ({ purges }: Told) =>
  purges.map(({ kind, what, soft, reach }) => [kind, what, soft, reach].map(String).join(" "));

describe("the latest purges", () => {
  it("are those of every isolate, newest first, by one call", async () => {
    const prefix = freshPrefix();
    const [one, other] = [open(prefix), open(prefix)];
    expect(await latest(one)).toEqual({ complete: true, purges: [] });
    await purge(one, { files: ["/cached"] });
    await purge(one, { tags: ["Items"], soft: true });
    other.platform.advance(2000);
    await purge(other, { prefixes: ["edge.example/v1/"] });
    one.platform.advance(1000);
    await purge(one, { purge_everything: true });
    for (const edge of [one, other, open(prefix)]) {
      const before = edge.wire.calls.length;
      const told = await latest(edge);
      expect(edge.wire.calls.slice(before)).toEqual([["zrange"]]);
      expect(told.complete).toBe(true);
      expect(shown(told)).toEqual([
        "everything null false everywhere",
        "prefix edge.example/v1/ false everywhere",
        "tag items true everywhere",
        "file null false everywhere",
      ]);
      expect(told.purges.map(({ at }) => at)).toEqual(told.purges.map(({ at }) => at).sort((a, b) => b - a));
    }
  });

  it("of users are told by the hash that the log has of the caller, never by the id", async () => {
    const prefix = freshPrefix();
    const seen: { event: string; fields: object }[] = [];
    const one = meteredEdge({ prefix, sinks: [{ receive: (event) => void seen.push(event) }] });
    await purge(one, { users: ["ada.of@example.com"] });
    await purge(one, { users: ["b/ob", "eve"], tags: ["items"] });
    const init = { method: "POST", headers: admin, body: JSON.stringify({ user: "mallory" }) };
    expect((await one.ask("/edge/users/delete", init)).status).toBe(200);
    const hashOf = async (user: string) => {
      const body = JSON.stringify({ user });
      const answer = await one.ask("/edge/limits/lookup", { method: "POST", headers: admin, body });
      return (await answer.json<{ caller: string }>()).caller;
    };
    const of = async (user: string) => `user ${await hashOf(user)} false everywhere`;
    for (const edge of [one, open(prefix)]) {
      const told = await latest(edge);
      expect(shown(told)[0]).toBe(await of("mallory"));
      expect(shown(told).slice(1, 4).sort()).toEqual(
        [await of("b/ob"), await of("eve"), "tag items false everywhere"].sort(),
      );
      expect(shown(told)[4]).toBe(await of("ada.of@example.com"));
      expect(JSON.stringify(told)).not.toMatch(/ada|b\/ob|eve"|mallory/);
    }
    const events = seen.filter(({ event }) => event === "cache.purged").map(({ fields }) => fields);
    expect(events).toMatchObject([
      { users: 1, user: (await hashOf("ada.of@example.com")).slice(5) },
      { users: 2, tags: 1 },
      { users: 1, user: (await hashOf("mallory")).slice(5) },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/example\.com|mallory|"eve"/);
  });

  it("of users withdraw nobody else's, and of too many become one", async () => {
    const routes = [{ path: "/mine", cache: { ttl: 600, scope: "shared" as const } }];
    const edge = meteredEdge({ prefix: freshPrefix(), routes });
    await edge.ask("/mine");
    const users = (from: number) => Array.from({ length: 500 }, (_, index) => `u${from + index}`);
    for (const from of [0, 500, 1000, 1500]) await purge(edge, { users: users(from) });
    expect((await edge.ask("/mine")).headers.get("x-cache"), "it is no purge of everything").toBe("HIT");
    const told = await latest(edge);
    expect(told.purges).toHaveLength(50);
    expect(shown(told)[0]).toBe("user null false everywhere");
    expect(shown(told).filter((text) => text.startsWith("everything"))).toEqual([]);
  });

  it("that requests have caused are among them", async () => {
    const prefix = freshPrefix();
    const routes = [{ path: "/items/:id", invalidates: { tags: ["item:{id}"], prefixes: ["/lists"] } }];
    const edge = meteredEdge({ prefix, routes, env: { METRICS_TOKEN: "", LOG_LEVEL: "error" } });
    await edge.ask("/items/7", { method: "PUT" });
    expect(shown(await latest(edge)).sort()).toEqual([
      "path /lists false everywhere",
      "tag item:7 false everywhere",
    ]);
  });

  it("are fifty at most", async () => {
    const edge = open();
    for (let each = 0; each < 6; each += 1)
      await purge(edge, { tags: Array.from({ length: 10 }, (_, index) => `t${each}-${index}`) });
    const { purges } = await latest(edge);
    expect(purges).toHaveLength(50);
    expect(purges[0]?.what).toMatch(/^t5-/);
    expect(purges.at(-1)?.what).toMatch(/^t1-/);
  });

  it("while Redis is away are those that the isolate knows, and what it has yet to write says so", async () => {
    const prefix = freshPrefix();
    const [one, other] = [open(prefix), open(prefix)];
    await purge(one, { tags: ["before"] });
    await purge(other, { tags: ["elsewhere"] });
    one.wire.cut = true;
    expect(await purge(one, { tags: ["during"] })).toBe(202);
    const lost = await latest(one);
    expect(lost.complete).toBe(false);
    expect(shown(lost)).toEqual(["tag during false this isolate", "tag before false everywhere"]);
    one.wire.cut = false;
    one.platform.advance(61_000);
    await one.ask("/cached");
    one.platform.advance(61_000);
    await one.ask("/cached");
    const again = await latest(one);
    expect(again.complete).toBe(true);
    expect(shown(again).sort()).toEqual([
      "tag before false everywhere",
      "tag during false everywhere",
      "tag elsewhere false everywhere",
    ]);
  });

  test.each<[what: string, env: Record<string, unknown>]>([
    ["USE_REDIS_CACHE=false", { USE_REDIS_CACHE: "false" }],
    ["no store", { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" }],
  ])("with %s are this isolate's alone", async (_what, env) => {
    const edge = open(freshPrefix(), env);
    await purge(edge, { tags: ["a"] });
    const told = await latest(edge);
    expect([told.complete, shown(told)]).toEqual([false, ["tag a false this isolate"]]);
  });

  it("needs an ADMIN_TOKEN", async () => {
    expect((await open().ask("/edge/cache/purges")).status).toBe(401);
  });
});

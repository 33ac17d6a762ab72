import { describe, expect, it, test } from "vitest";
import { signToken } from "../../../src/identity/session-token.ts";
import {
  ADMIN_TOKEN,
  type Answer,
  KEY,
  keyWorld,
  SESSION_SECRET,
  withKey,
} from "../../support/edge/key-world.ts";
import { claims, NOW } from "../../support/session-samples.ts";
import { until } from "../../support/until.ts";

describe("an answer of the origin verifies a key, or does not", () => {
  const basic = `Basic ${btoa("me:mine")}`;
  test.each<[what: string, path: string, init: RequestInit, answer: Answer, verified: boolean]>([
    ["X-Edge-Caller in a 200", "/keys/x", withKey(), {}, true],
    ["in a 204", "/keys/x", withKey(), { status: 204 }, true],
    ["to a HEAD", "/keys/x", { ...withKey(), method: "HEAD" }, {}, true],
    ["to a POST", "/keys/x", { ...withKey(), method: "POST", body: "x" }, {}, true],
    ["that names nobody", "/keys/x", withKey(), { caller: "{}" }, true],
    ["for a bearer", "/keys/x", { headers: { authorization: `bearer ${KEY}` } }, {}, true],
    ["for a query", `/keys/x?api_key=${KEY}`, {}, {}, true],
    [
      "for the same key three times",
      `/keys/x?api_key=${KEY}`,
      withKey({ authorization: `Bearer ${KEY}` }),
      {},
      true,
    ],
    ["to a cached route's miss", "/cached/x", withKey(), {}, true],
    ["a 200 without it", "/keys/x", withKey(), { caller: null }, false],
    ["one that is malformed", "/keys/x", withKey(), { caller: "acme" }, false],
    ["one that is null", "/keys/x", withKey(), { caller: "null" }, false],
    ["to an OPTIONS", "/keys/x", { ...withKey(), method: "OPTIONS" }, {}, false],
    ["a redirect", "/keys/x", withKey(), { status: 302 }, false],
    ["a 304", "/keys/x", withKey({ "if-none-match": '"a"' }), { status: 304 }, false],
    ["a 404", "/keys/x", withKey(), { status: 404 }, false],
    ["a 401", "/keys/x", withKey(), { status: 401 }, false],
    ["another route", "/elsewhere", withKey(), {}, false],
    ["beside HTTP Basic", "/keys/x", withKey({ authorization: basic }), {}, false],
    ["beside a bearer of two words", "/keys/x", withKey({ authorization: "Bearer a b" }), {}, false],
    ["beside a cookie", "/keys/x", withKey({ cookie: "sid=1" }), {}, false],
    ["beside another credential's field", "/keys/x", withKey({ "x-access-token": "1" }), {}, false],
    ["beside one in another spelling", "/keys/x", withKey({ x_api_key: "another" }), {}, false],
    ["beside a credential's parameter", "/keys/x?access_token=1", withKey(), {}, false],
    ["that was taken out on the way", "/keys/x", withKey({ connection: "x-api-key" }), {}, false],
  ])("%s", async (_what, path, init, answer, verified) => {
    const { here, state } = keyWorld();
    state.answer = answer;
    await here(path, init);
    state.answer = {};
    expect((await here("/guarded", withKey())).status).toBe(verified ? 200 : 401);
    expect((await here("/known", withKey())).status).toBe(verified ? 200 : 401);
  });

  test.each(["signed", "forged"])(
    "not beside a %s session, though the origin does not see it",
    async (kind) => {
      const { here } = keyWorld();
      const token = kind === "signed" ? await signToken(claims(), SESSION_SECRET) : "es1.forged.token";
      for (const init of [
        withKey({ authorization: `Bearer ${token}` }),
        withKey({ cookie: `__Host-session=${token}` }),
      ]) {
        await here("/keys/x", init);
        expect((await here("/guarded", withKey())).status).toBe(401);
      }
    },
  );

  it("but never one of two different keys", async () => {
    const { here, state } = keyWorld();
    expect((await here(`/keys/x?api_key=another-key`, withKey())).status).toBe(400);
    expect(state.asked).toEqual([]);
  });
});

describe("a verified key", () => {
  it("has the user and tier that the origin named, which it is sent", async () => {
    const { here, state } = keyWorld();
    await here("/keys/x", withKey());
    await here("/guarded", withKey());
    expect(state.asked.at(-1)?.headers.get("x-user-id")).toBe("acme");
    expect(state.asked.at(-1)?.headers.get("x-user-tier")).toBe("gold");
  });

  it("is verified in every isolate, at its first request there", async () => {
    const { here, there } = keyWorld();
    await here("/keys/x", withKey());
    expect((await there("/guarded", withKey())).status).toBe(200);
  });

  it("holds 300 s, however often it is used, unless the origin says so again", async () => {
    const { here, platform } = keyWorld();
    await here("/keys/x", withKey());
    for (let i = 0; i < 29; i += 1) {
      platform.advance(10_000);
      expect((await here("/guarded", withKey())).status).toBe(200);
    }
    platform.advance(10_000);
    expect((await here("/guarded", withKey())).status).toBe(401);
    await here("/keys/x", withKey());
    platform.advance(299_000);
    expect((await here("/guarded", withKey())).status).toBe(200);
  });

  it.each<[what: string, answer: Answer]>([
    ["a 401", { status: 401, caller: null }],
    ["a 403", { status: 403, caller: null }],
    ["a 401 that would verify it", { status: 401 }],
    ["X-Edge-Caller: null", { caller: "null" }],
    ["the same in base64url", { caller: "bnVsbA" }],
    ["the same in a 404", { status: 404, caller: "null" }],
  ])("is ended by %s, here at once and elsewhere within ISOLATE_MAX_AGE_MS", async (_what, answer) => {
    const { here, there, state, platform } = keyWorld();
    await here("/keys/x", withKey());
    expect((await there("/guarded", withKey())).status).toBe(200);
    state.answer = answer;
    await here("/keys/x", withKey());
    state.answer = {};
    expect((await here("/guarded", withKey())).status).toBe(401);
    platform.advance(5001);
    expect((await there("/guarded", withKey())).status, "the first request after that time").toBe(401);
  });

  it("is ended by a refusal on a route that verifies none", async () => {
    const { here, state } = keyWorld();
    await here("/keys/x", withKey());
    state.answer = { status: 401, caller: null };
    await here("/elsewhere", withKey());
    expect((await here("/guarded", withKey())).status).toBe(401);
  });

  it("is given no stored answer once it has ended elsewhere", async () => {
    const { here, there, state, platform } = keyWorld();
    await here("/keys/x", withKey());
    await there("/cached/x", withKey());
    expect((await there("/cached/x", withKey())).status).toBe(200);
    state.answer = { status: 401, caller: null };
    await here("/keys/x", withKey());
    platform.advance(5001);
    expect((await there("/cached/x", withKey())).status, "the origin's own answer").toBe(401);
  });

  it("is not verified by a hit", async () => {
    const { here, platform, state } = keyWorld();
    await here("/keys/x", withKey());
    await here("/cached/x", withKey());
    platform.advance(50_000);
    const asked = state.asked.length;
    expect((await here("/cached/x", withKey())).status).toBe(200);
    expect(state.asked.length, "it was a hit").toBe(asked);
    platform.advance(251_000);
    expect((await here("/guarded", withKey())).status).toBe(401);
  });

  it("made up, is given no stored answer: the origin decides", async () => {
    const { here, state } = keyWorld();
    await here("/keys/x", withKey());
    await here("/cached/x", withKey());
    state.answer = { status: 401, caller: null };
    expect((await here("/cached/x", withKey())).status, "it is stored").toBe(200);
    expect((await here("/cached/x", { headers: { "x-api-key": "made-up-key" } })).status).toBe(401);
    expect((await here("/cached/x")).status, "none at all").toBe(401);
    expect(state.asked.length).toBe(3);
  });
});

type Does = (world: ReturnType<typeof lateWorld>) => Promise<unknown>;

/** Two isolates of which the one that answers late knows nothing of what the other hears. */
function lateWorld() {
  const made = keyWorld();
  const { state, platform } = made;
  const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const body = JSON.stringify({ key: KEY, end: true });
  return {
    ...made,
    /** The origin says this of the key, in the isolate that is not late. */
    async says(answer: Answer, path = "/keys/x") {
      platform.advance(1);
      const { answer: before, gate } = state;
      Object.assign(state, { answer, gate: Promise.resolve() });
      await made.here(path, withKey());
      Object.assign(state, { answer: before, gate });
      platform.advance(1);
    },
    async operatorEnds() {
      platform.advance(1);
      expect((await made.here("/edge/keys/lookup", { method: "POST", headers: admin, body })).status).toBe(
        200,
      );
      platform.advance(1);
    },
  };
}

describe("an answer of another isolate that comes after the end of its key", () => {
  const accepts: Does = ({ says }) => says({});
  const refuses: Does = ({ says }) => says({ status: 401, caller: null });
  test.each<[what: string, before: Does[], meanwhile: Does[], verified: boolean]>([
    ["verifies a key that nobody ended", [], [], true],
    ["or that was accepted meanwhile", [], [accepts], true],
    ["or that ended before it was asked for", [accepts, refuses], [], true],
    ["not one that a 401 ended", [accepts], [refuses], false],
    ["nor one that only a 401 has ever met", [], [refuses], false],
    ["nor one that a 403 ended", [accepts], [({ says }) => says({ status: 403, caller: null })], false],
    ["nor one that X-Edge-Caller: null ended", [accepts], [({ says }) => says({ caller: "null" })], false],
    [
      "nor one that a 401 ended on another route",
      [accepts],
      [({ says }) => says({ status: 401 }, "/elsewhere")],
      false,
    ],
    ["nor one that an operator ended", [accepts], [({ operatorEnds }) => operatorEnds()], false],
    [
      "nor one that an operator ended before anybody verified it",
      [],
      [({ operatorEnds }) => operatorEnds()],
      false,
    ],
    ["nor one that ended twice", [accepts], [refuses, ({ operatorEnds }) => operatorEnds()], false],
    ["nor one that was accepted meanwhile and ended then", [], [accepts, refuses], false],
    ["but a new acceptance since the end does", [accepts], [refuses, accepts], true],
    ["with nothing before it too", [], [({ operatorEnds }) => operatorEnds(), accepts], true],
  ])("%s", async (_what, before, meanwhile, verified) => {
    for (const seconds of [0, 20]) {
      const late = lateWorld();
      for (const step of before) await step(late);
      late.platform.advance(1);
      const release = late.hold();
      const asked = late.state.asked.length;
      const answer = late.there("/keys/x", withKey());
      await until(() => late.state.asked.length > asked);
      for (const step of meanwhile) await step(late);
      late.platform.advance(seconds * 1000);
      release();
      expect((await answer).status).toBe(200);
      const status = verified ? 200 : 401;
      for (const isolate of [late.there, late.another(), late.here])
        expect((await isolate("/guarded", withKey())).status).toBe(status);
      late.platform.advance(100_000);
      for (const isolate of [late.here, late.there, late.another()])
        expect((await isolate("/guarded", withKey())).status, "100 s later").toBe(status);
    }
  });

  it("verifies nothing while Redis is lost where this isolate knows of the end", async () => {
    const { here, hold, state, platform } = keyWorld();
    await here("/keys/x", withKey());
    state.down = true;
    platform.advance(1);
    const release = hold();
    const asked = state.asked.length;
    const answer = here("/keys/x", withKey());
    await until(() => state.asked.length > asked);
    state.gate = Promise.resolve();
    platform.advance(1);
    state.answer = { status: 401 };
    await here("/keys/x", withKey());
    release();
    await answer;
    expect((await here("/guarded", withKey())).status).toBe(503);
  });
});

describe("while Redis is lost", () => {
  it("a key that is verified here stays so, and one that is not known is 503, not 401", async () => {
    const { here, there, state, platform } = keyWorld();
    await here("/keys/x", withKey());
    state.down = true;
    platform.advance(60_000);
    expect((await here("/guarded", withKey())).status).toBe(200);
    expect((await there("/guarded", withKey())).status).toBe(503);
    expect((await there("/for-people", withKey())).status, "no key opens it").toBe(401);
    platform.advance(240_001);
    expect((await here("/guarded", withKey())).status).toBe(503);
  });

  it("an end is kept here, and written when Redis is back", async () => {
    const { here, there, stored, state, platform } = keyWorld();
    await here("/keys/x", withKey());
    state.down = true;
    state.answer = { status: 401, caller: null };
    await here("/keys/x", withKey());
    state.answer = {};
    state.down = false;
    expect(await stored(), "Redis still has it").toEqual([expect.stringContaining("acme")]);
    expect((await here("/guarded", withKey())).status).toBe(401);
    for (let i = 0; i < 10; i += 1) {
      platform.advance(10_000);
      await here("/guarded", withKey());
    }
    expect(await stored()).toEqual([`${NOW} 0 `]);
    expect((await there("/guarded", withKey())).status).toBe(401);
  });
});

describe("an operator", () => {
  const admin = (method: string, body?: object): RequestInit => ({
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  type Told = {
    key: string;
    verified: boolean;
    reach?: string;
    user_id?: string;
    tier?: string;
    code?: string;
  };
  const told = (text: string) => JSON.parse(text) as Told;

  it("sees who has verified a key and ends it everywhere, by the key or by its hash", async () => {
    const { here, there, another, platform } = keyWorld();
    await here("/keys/x", withKey());
    const seen = told((await there("/edge/keys/lookup", admin("POST", { key: KEY }))).text);
    expect(seen).toMatchObject({ verified: true, user_id: "acme", tier: "gold" });
    expect(told((await another()(`/edge/keys/${seen.key}`, admin("GET"))).text)).toEqual(seen);

    const ended = await there("/edge/keys/lookup", admin("POST", { key: KEY, end: true }));
    expect([ended.status, told(ended.text)]).toEqual([
      200,
      { key: seen.key, verified: false, reach: "everywhere" },
    ]);
    platform.advance(5001);
    expect((await here("/guarded", withKey())).status).toBe(401);

    await here("/keys/x", withKey());
    expect((await here("/guarded", withKey())).status, "the origin accepts it again").toBe(200);
    expect((await here(`/edge/keys/${seen.key}`, admin("DELETE"))).status).toBe(200);
    expect((await here("/guarded", withKey())).status).toBe(401);
  });

  it("is told where the end has not reached Redis", async () => {
    const { here, state } = keyWorld();
    await here("/keys/x", withKey());
    state.down = true;
    const ended = await here("/edge/keys/lookup", admin("POST", { key: KEY, end: true }));
    expect([ended.status, told(ended.text).reach]).toEqual([202, "this isolate"]);
    expect((await here("/edge/keys/lookup", admin("POST", { key: KEY }))).status).toBe(503);
  });

  test.each<[method: string, path: string, body: object | undefined, status: number]>([
    ["GET", "hash:abc", undefined, 400],
    ["DELETE", KEY, undefined, 400],
    ["POST", "lookup", {}, 400],
    ["POST", "lookup", { key: "" }, 400],
    ["POST", "lookup", { key: KEY, ended: true }, 400],
    ["POST", "lookup", { key: "a-key-of-the-configuration" }, 400],
    ["PUT", `hash:${"0".repeat(32)}`, undefined, 405],
  ])("%s /edge/keys/%s %j: %i", async (method, path, body, status) => {
    const { here } = keyWorld({ API_KEYS: "a-key-of-the-configuration:tester" });
    expect((await here(`/edge/keys/${path}`, admin(method, body))).status).toBe(status);
  });

  it("alone may do it", async () => {
    const { here } = keyWorld();
    expect((await here(`/edge/keys/hash:${"0".repeat(32)}`, { method: "DELETE" })).status).toBe(401);
  });
});

it("a key of API_KEYS is the configuration's alone: the origin neither verifies nor ends it", async () => {
  const { here, stored, state } = keyWorld({ API_KEYS: `${KEY}:tester` });
  await here("/keys/x", withKey());
  state.answer = { status: 401, caller: "null" };
  await here("/keys/x", withKey());
  expect(await stored()).toEqual([]);
  state.answer = {};
  expect((await here("/guarded", withKey())).status).toBe(200);
});

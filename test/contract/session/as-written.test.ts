import { describe, expect, it } from "vitest";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { ODD_RECORDS, oddRecord } from "../../support/odd-records.ts";
import { openSessions } from "../../support/sessions.ts";

/** A session whose record another program has written over. */
async function overwritten(name: string) {
  const isolate = openSessions();
  const { sessions, platform, keys, store } = isolate;
  const { claims, token } = await sessions.create({ userId: "ada" });
  const times = { id: claims.id, userId: "ada", createdAt: claims.issuedAt, expiresAt: claims.expiresAt };
  const batch = store.batch();
  const text = oddRecord(name, times, platform.now());
  void batch.queue((pipeline) => pipeline.set(keys.session(claims.id), text, { px: 90_000_000 }));
  await batch.send();
  async function stored(id: string): Promise<string | null> {
    const reading = store.batch();
    const reply = reading.read(keys.session(id));
    await reading.send();
    return reply;
  }
  return { ...isolate, id: claims.id, token, times, stored };
}

describe.each(ODD_RECORDS)("a record with %s", (name) => {
  it("is as it was written after a touch by a request, a rotation and a listing", async () => {
    const { sessions, platform, present, id, token, times, stored } = await overwritten(name);
    platform.advance(61_000);
    const verdict = await present(token);
    await verdict.settle();
    expect(await stored(id)).toBe(oddRecord(name, times, platform.now()));

    platform.advance(1000);
    expect(await sessions.touch(id)).toBe(true);
    expect(await stored(id)).toBe(oddRecord(name, times, platform.now()));

    platform.advance(1000);
    const active = await present(token);
    const rotated = active.kind === "active" ? await sessions.rotate(active) : null;
    if (!rotated) throw new Error("it lives");
    const text = oddRecord(name, { ...times, id: rotated.claims.id }, platform.now());
    expect(await stored(rotated.claims.id)).toBe(text);
    expect((await sessions.service.list("ada")).records.map((kept) => kept.text)).toEqual([text]);
  });
});

const USER_DATA = [
  "null",
  "[]",
  "0",
  '"text"',
  '{"discord_id":175928847299117063,"price":1.0}',
  '{"big":1e400,"small":-0.0}',
  '{"__proto__":{"x":1},"10":1,"9":2}',
  '{ "a" : 1,\n "a" : 2 }',
  '{"lone":"\\ud800","nul":"\\u0000","text":"日本"}',
  "",
];

describe.each(USER_DATA)("user data %s", (text) => {
  const userData = text === "" ? undefined : new JsonText(text);
  const member = `,"user_data":${text || "{}"},"device_info":`;
  const input = { userId: "ada", userData };

  it("is in the record as it was given", async () => {
    const { sessions } = openSessions();
    const { claims } = await sessions.create(input);
    expect(await sessions.get(claims.id)).toMatchObject({ text: expect.stringContaining(member) });
  });

  it("survives an outage, in the isolate that made the session and by its token in another", async () => {
    const here = openSessions();
    await here.lose();
    const [waits, carried] = [await here.sessions.create(input), await here.sessions.create(input)];
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const verdict = await there.present(carried.token);
    await verdict.settle();
    await here.recover();
    for (const { claims } of [waits, carried])
      expect(await there.sessions.get(claims.id)).toMatchObject({ text: expect.stringContaining(member) });
  });

  it("survives a rotation in the outage", async () => {
    const here = openSessions();
    await here.lose();
    const active = await here.present((await here.sessions.create(input)).token);
    const rotated = active.kind === "active" ? await here.sessions.rotate(active) : null;
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const verdict = await there.present(String(rotated?.token));
    await verdict.settle();
    expect(await there.sessions.get(String(rotated?.claims.id))).toMatchObject({
      text: expect.stringContaining(member),
    });
  });
});

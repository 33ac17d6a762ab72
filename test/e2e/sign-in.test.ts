import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type SpeakingOrigin, startSpeakingOrigin } from "../support/edge/scripted-origin.ts";

let harness: Harness;
let origin: SpeakingOrigin;
beforeAll(async () => {
  origin = await startSpeakingOrigin();
  harness = await openHarness({
    vars: { ORIGIN_URL: origin.url, ROUTES: [{ path: "/login", methods: ["POST"], session: "start" }] },
  });
});
afterAll(async () => {
  await harness.stop();
  await origin.stop();
});

/** A field's value whose bytes are these of UTF-8: Node writes a character as a byte. */
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

describe("X-Edge-Session over the wire", () => {
  it.each([
    ["JSON", (json: string) => json, "ada"],
    ["JSON with bytes of UTF-8", utf8, "Ärger 日本"],
    ["base64url", (json: string) => Buffer.from(json).toString("base64url"), "Ärger 日本"],
  ])("as %s starts a session of that user, with its numbers as they are", async (_, written, user) => {
    const json = `{"user_id":"${user}","user_data":{"id":175928847299117063,"f":1.0},"carry":"bearer"}`;
    origin.say("/login", { status: 303, headers: { location: "/", "x-edge-session": written(json) } });
    const answer = await harness.edge.fetch("/login", { method: "POST", redirect: "manual" });
    expect(answer.status).toBe(303);
    const token = String(answer.headers.get("x-session-token"));
    const mine = await harness.edge.fetch("/auth/sessions", {
      headers: { authorization: `Bearer ${token}` },
    });
    const { sessions } = (await mine.json()) as { sessions: { user_id: string; session_id: string }[] };
    expect(sessions.map(({ user_id }) => user_id)).toContain(user);
    const reply = await fetch(harness.upstash.url, {
      method: "POST",
      headers: { authorization: `Bearer ${harness.upstash.token}` },
      body: JSON.stringify(["GET", `envoyou:sessions:${sessions[0]?.session_id}`]),
    });
    expect(((await reply.json()) as { result: string }).result).toContain(
      '"user_data":{"id":175928847299117063,"f":1.0}',
    );
  });

  it("starts none where its bytes are no UTF-8: two users would be one", async () => {
    origin.say("/login", { headers: { "x-edge-session": '{"user_id":"Ärger","carry":"bearer"}' } });
    const answer = await harness.edge.fetch("/login", { method: "POST" });
    expect(answer.status).toBe(200);
    expect(answer.headers.has("x-session-token")).toBe(false);
  });
});

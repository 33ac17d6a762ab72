import { describe, expect, it } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { admit } from "../../../src/edge/pipeline.ts";
import { receive } from "../../../src/edge/receive.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const API_KEY = "key-of-this-test-only";
const ENV = {
  UPSTASH_REDIS_REST_URL: "https://store.example",
  UPSTASH_REDIS_REST_TOKEN: "a-token-of-the-test",
  ORIGIN_URL: "https://origin.example",
  LOG_LEVEL: "error",
  SESSION_SECRET,
  API_KEYS: `${API_KEY}:tester:premium`,
};

/** Requests whose session cannot be checked: the store is lost and the grace is over. */
async function ask(path: string, headers: Record<string, string> = {}): Promise<string> {
  const platform = testPlatform({ now: NOW, fetch: () => Promise.reject(new TypeError("cut")) });
  const isolate = openIsolate(
    ENV,
    [
      { path: "/identified", access: "identified" },
      { path: "/verifies", access: "identified", verifiesKeys: true },
      { path: "/session", access: "session" },
    ],
    platform,
  );
  const token = await signToken(claims({ confirmedAt: NOW - 3_600_000 }), SESSION_SECRET);
  const request = new Request(`https://edge.example${path}`, {
    headers: { cookie: `__Host-session=${token}`, ...headers },
  });
  const admission = await admit(
    isolate,
    receive(isolate, request, () => {}),
  );
  return admission.kind === "admitted" ? admission.session.kind : (admission.error as { code: string }).code;
}

describe("while a session cannot be checked, a route with access: identified", () => {
  it("accepts a verified key, because one verified credential is enough", async () => {
    expect(await ask("/identified", { "x-api-key": API_KEY })).toBe("unknown");
  });

  it("forwards an unverified key to the origin", async () => {
    expect(await ask("/verifies", { "x-api-key": "a-key-of-the-origin" })).toBe("unknown");
  });

  it("answers 503, never 401, where there is no other credential", async () => {
    expect(await ask("/identified")).toBe("IDENTITY_UNAVAILABLE");
    expect(await ask("/identified", { "x-api-key": "a-key-of-nobody" })).toBe("IDENTITY_UNAVAILABLE");
    expect(await ask("/session", { "x-api-key": API_KEY }), "a session is a session").toBe(
      "IDENTITY_UNAVAILABLE",
    );
  });
});

import { Hono } from "hono/tiny";
import { expect, test } from "vitest";
import { tokenGate } from "../../../src/endpoints/token-gate.ts";
import { Problem } from "../../../src/http/problem.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";

const RIGHT = "right-token-right-token-1";
const SECOND = "older-token-older-token-2";

interface Attempt {
  bearer?: string;
  /** The whole field, where it is no bearer. */
  authorization?: string;
  address?: string;
  times?: number;
}

function gate(platform: TestPlatform = testPlatform(), tokens = [RIGHT, SECOND]) {
  const app = new Hono().use("*", tokenGate({ tokens, platform })).get("*", (c) => c.text("in"));
  app.onError((error) => {
    if (!(error instanceof Problem)) throw error;
    const { status, retryAfter } = error.facts;
    return new Response(String(retryAfter ?? ""), { status });
  });
  return async ({ bearer, authorization, address = "192.0.2.44" }: Attempt) => {
    const headers = new Headers({ "cf-connecting-ip": address });
    const field = authorization ?? (bearer === undefined ? null : `Bearer ${bearer}`);
    if (field !== null) headers.set("authorization", field);
    return app.fetch(new Request("https://edge.example/edge/x", { headers }));
  };
}

const wrong: Attempt = { bearer: "wrong-token-wrong-token-1", times: 22 };

test.each<[string, Attempt[], Attempt, number]>([
  ["the right token", [], { bearer: RIGHT }, 200],
  ["the second token of the list", [], { bearer: SECOND }, 200],
  ["the right token after 22 wrong ones from its address", [wrong], { bearer: RIGHT }, 200],
  ["the second token after 22 wrong ones", [wrong], { bearer: SECOND }, 200],
  ["a wrong token after 22 wrong ones", [wrong], { bearer: "x" }, 429],
  ["a wrong token after ten", [{ ...wrong, times: 10 }], { bearer: "x" }, 429],
  ["a wrong token after nine", [{ ...wrong, times: 9 }], { bearer: "x" }, 401],
  ["a wrong token after 50 requests without any", [{ times: 50 }], { bearer: "x" }, 401],
  [
    "a wrong token after 50 with another scheme",
    [{ authorization: "Basic eDp5", times: 50 }],
    { bearer: "x" },
    401,
  ],
  ["a wrong token after 50 right ones", [{ bearer: RIGHT, times: 50 }], { bearer: "x" }, 401],
  ["no token after 22 wrong ones", [wrong], {}, 401],
  ["a wrong token from another address", [wrong], { bearer: "x", address: "192.0.2.45" }, 401],
  ["the right token in other letters", [], { bearer: RIGHT.toUpperCase() }, 401],
])("%s", async (_, before, last, status) => {
  const ask = gate();
  for (const attempt of before) for (let i = 0; i < (attempt.times ?? 1); i += 1) await ask(attempt);
  expect((await ask(last)).status).toBe(status);
});

test("the wait is over after a minute, however many wrong tokens came meanwhile", async () => {
  const platform = testPlatform();
  const ask = gate(platform);
  for (let i = 0; i < 10; i += 1) await ask(wrong);
  platform.advance(20_000);
  expect(await (await ask(wrong)).text()).toBe("40");
  platform.advance(40_001);
  expect((await ask(wrong)).status).toBe(401);
});

test("without tokens there is nothing to find", async () => {
  expect((await gate(testPlatform(), [])({ bearer: RIGHT })).status).toBe(404);
});

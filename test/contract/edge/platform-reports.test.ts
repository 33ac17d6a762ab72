import { expect, it } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

/** Settings of Cloudflare's that users of other Workers and gateways have reported on, each with what is right here. */

function edgeWith(vars: Record<string, unknown>) {
  const reached: Headers[] = [];
  const platform = testPlatform({
    fetch: async (input, init) => {
      reached.push(new Request(input, init).headers);
      return new Response("x");
    },
  });
  const env = { ORIGIN_URL: "https://api.internal", LOG_LEVEL: "error", ...vars };
  const answer = edgeAnswer(openIsolate(env, [], platform));
  const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
  const ask = (headers: Record<string, string>) =>
    answer(new Request("https://edge.example/x", { headers }), context);
  return { ask, reached };
}

it("Pseudo IPv4 hides an IPv6 address (ietf-tools/datatracker#8319): lists and the API have the real one", async () => {
  const { ask, reached } = edgeWith({ DENY_LIST: "2001:db8::/32" });
  const behind = (real: string) => ({ "cf-connecting-ip": "240.16.0.1", "cf-connecting-ipv6": real });
  expect((await ask(behind("2001:db8:7:42::1"))).status).toBe(403);
  expect((await ask(behind("2a00:1450::9"))).status).toBe(200);
  const [headers] = reached;
  expect(headers?.get("x-forwarded-for")).toBe("2a00:1450::9");
  expect(headers?.get("cf-connecting-ipv6"), "what a client sends of it").toBeNull();
  const forged = { "cf-connecting-ip": "192.0.2.7", "cf-connecting-ipv6": "2001:db8::1" };
  expect((await ask(forged)).status, "whoever has another address cannot take one").toBe(200);
  expect(reached[1]?.get("x-forwarded-for")).toBe("192.0.2.7");
});

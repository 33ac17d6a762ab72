import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const ISSUER = { JWT_ISSUER: "https://id.example", JWT_AUDIENCE: "edge" };

/** The edge, whose key set is loaded once it is let. */
async function open(env: Record<string, string>) {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const keySet = { keys: [{ ...(await exportJWK(publicKey)), alg: "RS256" }] };
  const { promise: isLet, resolve: letLoad } = Promise.withResolvers<void>();
  const asked: string[] = [];
  const platform = testPlatform({
    now: Date.now(),
    async fetch(input) {
      asked.push(String(input));
      if (!String(input).endsWith("/jwks")) return new Response("whose?");
      await isLet;
      return Response.json(keySet);
    },
  });
  const isolate = openIsolate(
    { ORIGIN_URL: "https://origin.example", LOG_LEVEL: "error", ...env },
    [{ path: "/*", access: ["jwt"] }],
    platform,
  );
  const edge = edgeAnswer(isolate);
  const works: Promise<unknown>[] = [];
  const context = { waitUntil: (work: Promise<unknown>) => void works.push(work) };
  const token = await new SignJWT({ sub: "ada", iss: "https://id.example", aud: "edge" })
    .setProtectedHeader({ alg: "RS256" })
    .setExpirationTime("1h")
    .sign(privateKey);
  const ask = (headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    edge(new Request("https://edge.example/x", { headers }), context as unknown as ExecutionContext);
  return { ask, asked, letLoad, works };
}

/** Whether a promise has settled. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  const open = Symbol();
  return (await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 0, open))])) !== open;
}

it("a client that goes away does not end the loading of the key set, which is for all", async () => {
  const { ask, asked, letLoad, works } = await open({ JWT_JWKS_URL: "https://id.example/jwks", ...ISSUER });
  const answering = Promise.resolve(ask());
  await expect.poll(() => asked).toEqual(["https://id.example/jwks"]);
  // Cloudflare ends what is not in waitUntil with the client.
  const waited = Promise.all(works);
  expect(works).not.toEqual([]);
  expect(await isDone(waited)).toBe(false);
  letLoad();
  await waited;
  expect((await answering).status).toBe(200);
});

it("where there is no key set, nobody waits", async () => {
  const { ask, works } = await open({ JWT_SECRET_KEY: "a-secret-of-this-test-alone-0123456789" });
  await ask();
  expect(works).toEqual([]);
});

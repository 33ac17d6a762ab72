import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { readVariables } from "../../../../src/config/read-variables.ts";
import { variables } from "../../../../src/config/variables-table.ts";
import { lookAtOrigin } from "../../../../src/tools/doctor/origin.ts";
import {
  nobody,
  saying,
  serve,
  serveSockets,
  serveUntrusted,
  type TestServer,
} from "../../../support/servers.ts";

const TOKEN = "origin-token-of-the-test";

async function look(
  vars: { ORIGIN_URL?: string | undefined; ORIGIN_TOKEN?: string },
  {
    boundOrigin = null,
    path = "/",
    // Long enough for a busy machine.
    deadlineMs = 20_000,
  }: { boundOrigin?: string | null; path?: string; deadlineMs?: number } = {},
) {
  const values = readVariables(variables, vars, [], []);
  const sources = new Map(Object.keys(vars).map((name) => [name, "wrangler.toml"]));
  const findings = await lookAtOrigin({ values, sources, boundOrigin }, path, deadlineMs);
  expect(JSON.stringify(findings)).not.toContain(TOKEN);
  return findings;
}

/** An API whose status depends on the token that comes. */
const api = (status: (token: string | undefined, request: IncomingMessage) => number) => () =>
  serve((request, response) => {
    const token = request.headers["x-edge-token"];
    response.writeHead(status(typeof token === "string" ? token : undefined, request)).end();
  });

const right = (token: string | undefined) => token === TOKEN;

it.each<[string, () => Promise<TestServer>, boolean[], RegExp]>([
  [
    "refuses with 403",
    api((token) => (right(token) ? 200 : 403)),
    [true, true],
    /without X-Edge-Token \(403\)/,
  ],
  ["refuses with 401", api((token) => (right(token) ? 200 : 401)), [true, true], /\(401\)/],
  ["refuses as if nothing were there", api((token) => (right(token) ? 200 : 404)), [true, true], /\(404\)/],
  [
    "has nothing at that path, and refuses",
    api((token) => (right(token) ? 404 : 403)),
    [true, true],
    /\(403\)/,
  ],
  [
    "is open to anybody",
    api(() => 200),
    [true, false],
    /answers 200 without X-Edge-Token, as it does with it/,
  ],
  ["has nothing there for anybody", api(() => 404), [true, false], /answers 404 without X-Edge-Token, as/],
  ["takes any token", api((token) => (token ? 200 : 403)), [true, false], /takes any X-Edge-Token/],
  ["has another token", api(() => 403), [true, false], /answers 403 with ORIGIN_TOKEN too/],
  [
    "fails without the token",
    api((token) => (right(token) ? 200 : 500)),
    [true, false],
    /a failure, not a refusal/,
  ],
  ["fails always", api(() => 503), [false, false], /answers, with 503|as it does with it/],
  [
    "sends on to another address",
    () => saying(301, "", { location: "https://www.example.com/?key=1" }),
    [false, false],
    /to https:\/\/www\.example\.com$|as it does/,
  ],
  ["is silent", () => serveSockets(), [false], /no answer within 1.5 s/],
  [
    "never ends its header fields",
    () => serveSockets((socket) => socket.write("HTTP/1.1 200 OK\r\n")),
    [false],
    /no answer/,
  ],
  ["breaks the connection", () => serveSockets((socket) => socket.destroy()), [false], /connection broke/],
  ["has a certificate of nobody", serveUntrusted, [false], /TLS/],
])("an API that %s", async (_, start, well, says) => {
  const server = await start();
  try {
    // Those that do not answer are not waited for long.
    const deadlineMs = says.source.startsWith("no answer") ? 1500 : 20_000;
    const findings = await look({ ORIGIN_URL: server.url, ORIGIN_TOKEN: TOKEN }, { deadlineMs });
    expect(findings.map(({ state }) => state === "well")).toEqual(well);
    expect(findings.at(-1)?.says).toMatch(says);
    for (const { state, fix } of findings) if (state === "wrong") expect(fix).toBeTruthy();
    expect(JSON.stringify(findings)).not.toContain("key=1");
  } finally {
    await server.stop();
  }
});

it("is asked for the path, below the address's own", async () => {
  const asked = new Set<string | undefined>();
  const server = await serve((request, response) => {
    asked.add(request.url);
    response.writeHead(right(request.headers["x-edge-token"]?.toString()) ? 200 : 403).end();
  });
  const findings = await look(
    { ORIGIN_URL: `${server.url}/base/`, ORIGIN_TOKEN: TOKEN },
    { path: "status?x=1" },
  );
  await server.stop();
  expect(findings.map(({ state }) => state)).toEqual(["well", "well"]);
  expect([...asked]).toEqual(["/base/status?x=1"]);
});

it("without ORIGIN_TOKEN is wrong where it answers anybody", async () => {
  const server = await serve((_request, response) => response.end());
  const findings = await look({ ORIGIN_URL: server.url });
  await server.stop();
  expect(findings.map(({ state }) => state)).toEqual(["well", "wrong"]);
});

it.each([
  ["no address", {}, {}, "wrong", /not set/],
  ["no http", { ORIGIN_URL: "ftp://x" }, {}, "wrong", /is no address/],
  ["a bound Worker", {}, { boundOrigin: "my-api" }, "note", /my-api is bound/],
  ["no such host", { ORIGIN_URL: "https://no-such-host.invalid" }, {}, "wrong", /resolve/],
] as const)("%s", async (_, vars, more, state, says) => {
  const [finding] = await look(vars, more);
  expect(finding?.state).toBe(state);
  expect(finding?.says).toMatch(says);
});

it("nobody there", async () => {
  const [finding] = await look({ ORIGIN_URL: await nobody(), ORIGIN_TOKEN: TOKEN });
  expect(finding).toMatchObject({ state: "wrong", says: expect.stringMatching(/nothing listens/) as string });
});

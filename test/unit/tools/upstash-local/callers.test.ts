import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "../../../support/upstash-local.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness("embedded");
});
afterAll(() => harness.stop());

/** Fields as they are given: `fetch` would not send some of them. */
async function statusWith(headers: Record<string, string>): Promise<number | undefined> {
  const sent = request(`${harness.url}/set/reached/1`, {
    headers: { authorization: `Bearer ${harness.token}`, ...headers },
  }).end();
  const [response] = (await once(sent, "response")) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

describe("a request that a page in a browser may have sent", () => {
  it.each([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost:5173" },
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "none" },
    { host: "rebound.example:8079" },
    { host: "localhost.evil.example" },
    { host: "127.0.0.1.evil.example" },
    { host: "1127.0.0.1" },
  ])("is refused, and nothing runs: %j", async (headers) => {
    expect(await statusWith(headers)).toBe(403);
    expect(await harness.ask("GET", "reached")).toBeNull();
  });

  it.each([
    {},
    { "sec-fetch-mode": "cors" },
    { host: "localhost:8079" },
    { host: "LOCALHOST" },
    { host: "localhost." },
    { host: "upstash.localhost:1" },
    { host: "127.0.0.1" },
    { host: "127.9.9.9:80" },
    { host: "[::1]:8079" },
  ])("is served where a program sent it: %j", async (headers) => {
    expect(await statusWith(headers)).toBe(200);
    await harness.ask("DEL", "reached");
  });
});

it.each([
  "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\nSET reached 1\r\n*3\r\n$3\r\nSET\r\n$7\r\nreached\r\n$1\r\n1\r\n",
  "GET /?x HTTP/1.1\r\n\r\n",
  "SET reached 1\r\n",
  "\r\n*3\r\n$3\r\nSET\r\n$7\r\nreached\r\n$1\r\n1\r\n",
])("the embedded Redis closes a connection that is no Redis client's: %j", async (text) => {
  const socket = connect(harness.redis.port, "127.0.0.1");
  socket.on("error", () => {});
  let replied = "";
  socket.on("data", (chunk) => {
    replied += chunk;
  });
  socket.write(text);
  await once(socket, "close");
  expect(replied).toBe("");
  expect(await harness.ask("GET", "reached")).toBeNull();
  expect(await harness.ask("PING")).toBe("PONG");
});

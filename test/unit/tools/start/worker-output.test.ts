import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { WorkerOutput } from "../../../../src/tools/start/worker-output.ts";

function output(verbose = false) {
  const said: string[] = [];
  const issues: string[] = [];
  const made = new WorkerOutput({
    say: (text) => said.push(text),
    verbose,
    onIssue: (text) => issues.push(text),
  });
  return { made, said, issues };
}
const warning = JSON.stringify({ level: "warn", event: "config.warning", message: "X is not set." });
const request = (id: string, status = 200) =>
  JSON.stringify({
    level: status >= 500 ? "warn" : "info",
    event: "request",
    request_id: id,
    method: "GET",
    route: "*",
    status,
    total_ms: 1,
  });

it("says a warning of the configuration once, as a plain line, and a failed request each time", () => {
  const { made, said } = output();
  for (const text of [warning, warning, request("a"), request("b", 502), request("c", 502)])
    made.logged(text, 1);
  expect(said).toEqual([
    "warning: X is not set.",
    "warning: GET * → 502 undefined",
    "warning: GET * → 502 undefined",
  ]);
  expect(made.feed.entries.map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

it("prints what a handler writes as it is", () => {
  const { made, said } = output();
  for (const text of ["hello", "{not json", '{"my":"object"}']) made.logged(text, 1);
  expect(said).toEqual(["hello", "{not json", '{"my":"object"}']);
});

it("prints every line where it is asked for", () => {
  const { made, said } = output(true);
  made.logged(request("a"), 1);
  made.logged(warning, 1);
  made.served("[wrangler:info] Ready", 1);
  expect(said).toEqual([request("a"), warning, "[wrangler:info] Ready"]);
});

it("hands the configuration's issue over", () => {
  const { made, said, issues } = output();
  made.logged(
    JSON.stringify({ level: "error", event: "config.error", message: "The configuration has an issue" }),
    1,
  );
  expect(issues).toEqual(["The configuration has an issue"]);
  expect(said).toEqual([]);
});

it("its own request is not shown, and those beside it are", async () => {
  const { made } = output();
  const server = createServer((_, response) => {
    for (const id of ["own", "other"]) made.logged(request(id), Date.now());
    response.writeHead(200, { "x-request-id": "own" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health/live`;
  expect(await made.own(url, 50_000)).toBe(200);
  expect(made.feed.entries.map(({ id }) => id)).toEqual(["other"]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await made.own(url, 50_000)).toBeNull();
});

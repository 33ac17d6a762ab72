import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const ROUTES = [
  { path: "/v1/auth/login", methods: ["POST"], session: "start" },
  { path: "/v1/auth/logout", methods: ["POST"], session: "end" },
];

describe("without SESSION_SECRET", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ vars: { ROUTES, SESSION_SECRET: "" } });
  });
  afterAll(() => harness.stop());

  it.each(["/v1/auth/login", "/v1/auth/logout"])(
    "%s is 503 before the origin is asked, and the log names the variable once",
    async (path) => {
      const body = JSON.stringify({ user: "ada", password: harness.origin.users.ada, carry: "bearer" });
      const { result, calls } = await harness.counting(() =>
        Promise.all([1, 2].map(() => harness.edge.fetch(path, { method: "POST", body }))),
      );
      for (const response of result) {
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({ code: "SESSIONS_NOT_CONFIGURED" });
      }
      expect(harness.origin.requests, "nobody was signed in or out there").toEqual([]);
      expect(calls, "and nothing was written").toEqual([]);
      expect(harness.edge.log.filter(({ event }) => event === "session.secret_missing")).toMatchObject([
        { message: expect.stringContaining("SESSION_SECRET") as string },
      ]);
    },
  );
});

describe("without SESSION_SECRET, where nothing is refused", () => {
  it.each(["observe", "bypass"])("a login passes, and starts no session here: %s", async (mode) => {
    const harness = await openHarness({ vars: { ROUTES, SESSION_SECRET: "", EDGE_MODE: mode } });
    try {
      const body = JSON.stringify({ user: "ada", password: harness.origin.users.ada, carry: "bearer" });
      const { result, calls } = await harness.counting(() =>
        harness.edge.fetch("/v1/auth/login", { method: "POST", body }),
      );
      expect(result.status).toBe(200);
      expect(result.headers.has("x-session-token")).toBe(false);
      expect(calls.flat(), "no record is written that nobody could carry").toEqual([]);
    } finally {
      await harness.stop();
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";

/** docs/examples/handlers.ts as a Worker of its own: that it does what it shows, and gives nobody what is another's. */
describe("the handlers' example", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ entry: "docs/examples/handlers.ts" });
  });
  afterAll(() => harness.stop());
  const signIn = async (password = "correct horse", address = "203.0.113.1") =>
    harness.edge.fetch("/login", {
      method: "POST",
      body: JSON.stringify({ user: "ada", password }),
      address,
    });
  const tokenOf = async (response: Response) => ((await response.json()) as { token: string }).token;
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  it("gives everybody one report, with nobody's token or name in it", async () => {
    const token = await tokenOf(await signIn("correct horse", "198.51.100.1"));
    const first = await harness.edge.fetch("/report", bearer(token));
    expect(first.headers.get("x-cache")).toBe("MISS");
    const second = await harness.edge.fetch("/report");
    expect(second.headers.get("x-cache")).toBe("HIT");
    const text = await second.text();
    expect(text).toBe(await first.text());
    expect(Object.keys(JSON.parse(text) as object)).toEqual(["made_at"]);
  });

  it("gives a token to who signed in, stored by nobody, and counts the guesses", async () => {
    const signedIn = await signIn("correct horse", "198.51.100.2");
    expect(signedIn.status).toBe(201);
    expect(signedIn.headers.get("cache-control")).toBe("no-store");
    expect(signedIn.headers.get("x-cache")).toBeNull();
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) statuses.push((await signIn("wrong", "198.51.100.3")).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it("names the user of a living session, and no one else", async () => {
    const token = await tokenOf(await signIn("correct horse", "198.51.100.4"));
    const profile = await harness.edge.fetch("/me/profile", bearer(token));
    expect(await profile.json()).toEqual({ user: "ada" });
    expect(profile.headers.get("cache-control")).toBe("no-store");
    expect((await harness.edge.fetch("/me/profile")).status).toBe(401);
    expect((await harness.edge.fetch("/me/profile", bearer("es1.forged"))).status).toBe(401);
  });

  it("limits what one user sends, wherever the user is", async () => {
    const token = await tokenOf(await signIn("correct horse", "198.51.100.5"));
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const sent = await harness.edge.fetch("/me/mail", {
        method: "POST",
        address: `192.0.2.${i}`,
        ...bearer(token),
      });
      statuses.push(sent.status);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });
});

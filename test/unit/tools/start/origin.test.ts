import { afterEach, describe, expect, it } from "vitest";
import { ownOrigin, unreachable } from "../../../../src/tools/start/origin.ts";
import { nobody, saying, serve, type TestServer } from "../../../support/servers.ts";

describe("ownOrigin", () => {
  it.each([
    { sources: {}, is: null },
    { sources: { option: "http://localhost:4000" }, is: { url: "http://localhost:4000", from: "--origin" } },
    { sources: { option: "localhost:4000" }, is: { url: "http://localhost:4000", from: "--origin" } },
    { sources: { option: "127.0.0.1:4000/api" }, is: { url: "http://127.0.0.1:4000/api", from: "--origin" } },
    {
      sources: { option: "https://api.example.com" },
      is: { url: "https://api.example.com", from: "--origin" },
    },
    {
      sources: { environment: "http://b", own: "http://c", file: ".dev.vars" },
      is: { url: "http://b", from: "ORIGIN_URL in the environment" },
    },
    { sources: { option: "http://a", environment: "http://b" }, is: { url: "http://a", from: "--origin" } },
    {
      sources: { own: "http://c", file: ".dev.vars.staging" },
      is: { url: "http://c", from: ".dev.vars.staging" },
    },
    {
      sources: { environment: " ", own: " http://c\n", file: ".env" },
      is: { url: "http://c", from: ".env" },
    },
    { sources: { own: "" }, is: null },
  ])("$sources", ({ sources, is }) => {
    expect(ownOrigin(sources)).toEqual(is);
  });

  it.each([
    { sources: { option: "ftp://files" }, says: /--origin: found "ftp:\/\/files"\. Must be an address/ },
    { sources: { option: "http://" }, says: /--origin/ },
    { sources: { option: "http://user:secret@host" }, says: /Leave only scheme, host, port and path/ },
    {
      sources: { environment: "localhost:4000" },
      says: /ORIGIN_URL in the environment: found "localhost:4000"\./,
    },
    { sources: { own: "http://host/?key=secret", file: ".dev.vars" }, says: /from \.dev\.vars/ },
    // As the Worker and npm run check refuse it.
    { sources: { own: '"http://c"', file: ".dev.vars" }, says: /from \.dev\.vars: found "\\"http:\/\/c\\""/ },
    { sources: { environment: "'http://user:secret@host'" }, says: /an address with a user in it/ },
    { sources: { option: "“http://c”" }, says: /--origin: found/ },
  ])("refuses $sources", ({ sources, says }) => {
    expect(() => ownOrigin(sources)).toThrow(says);
    expect(() => ownOrigin(sources)).not.toThrow(/secret/);
  });
});

describe("unreachable", () => {
  let server: TestServer | null = null;
  afterEach(async () => {
    await server?.stop();
    server = null;
  });

  it.each([200, 404, 500, 302])("an origin that answers %i answers", async (status) => {
    server = await saying(status, "", { location: "http://127.0.0.1:1" });
    expect(await unreachable(server.url)).toBeNull();
  });

  it("says that nobody listens", async () => {
    const url = await nobody();
    expect(await unreachable(url)).toMatch(/ECONNREFUSED/);
    expect(await unreachable(url.replace("127.0.0.1", "localhost"))).toMatch(/ECONNREFUSED/);
  });

  it("says that it does not answer in time", async () => {
    server = await serve(() => {});
    expect(await unreachable(server.url, 50)).toBe("no answer within 0.05 s");
  });

  it("says that its name is unknown", async () => {
    expect(await unreachable("http://no-such-host.invalid")).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });
});

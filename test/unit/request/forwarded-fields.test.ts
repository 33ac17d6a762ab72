import { describe, expect, it } from "vitest";
import { ForwardedFields } from "../../../src/request/forwarded-fields.ts";

const TOKEN = "es1.token";
const fieldsOf = (headers: Record<string, string>, ignoreCookies: string[] = []) =>
  new ForwardedFields(new Headers(headers), { ignoreCookies });

describe("a field as the origin is sent it", () => {
  it.each<[string, string, Record<string, string>, string | null]>([
    ["one that Connection names", "x-tenant", { "x-tenant": "acme", connection: "close, X-Tenant" }, null],
    ["another than Connection names", "x-tenant", { "x-tenant": "acme", connection: "x-other" }, "acme"],
    ["a name in Connection with a no-break space", "x-a", { "x-a": "1", connection: "\u00a0x-a" }, "1"],
    ["a field of the connection", "te", { te: "trailers" }, null],
    ["Expect", "expect", { expect: "100-continue" }, null],
    ["an override of the method", "x-http-method-override", { "x-http-method-override": "PUT" }, null],
    ["another spelling of the edge's own", "x_user_id", { x_user_id: "eve" }, null],
    ["another spelling of a condition", "if_none_match", { if_none_match: '"x"' }, null],
    ["Apache's other name of a range", "request-range", { "request-range": "bytes=0-9" }, null],
    ["a wish for a delta (RFC 3229)", "a-im", { "a-im": "feed" }, null],
    ["another spelling of that", "a_im", { a_im: "feed" }, null],
    ["a condition", "if-none-match", { "if-none-match": '"x"' }, '"x"'],
    ["the session's bearer", "authorization", { authorization: `Bearer ${TOKEN}` }, null],
    ["another bearer", "authorization", { authorization: "Bearer abc" }, "Bearer abc"],
    ["an empty credential", "authorization", { authorization: "" }, ""],
    ["cookies without the session's", "cookie", { cookie: `session=${TOKEN}; a=1` }, "a=1"],
    ["nothing but the session's cookie", "cookie", { cookie: `session=${TOKEN}` }, null],
    ["cookies without the ignored", "cookie", { cookie: "_ga=1; a=1; _ga_X=2" }, "a=1"],
    ["nothing but ignored cookies", "cookie", { cookie: "_ga=1" }, null],
    ["an ignored name without a value", "cookie", { cookie: "_ga; a" }, "a"],
    ["a value with blanks only Unicode knows", "x-a", { "x-a": "\u00a01" }, "\u00a01"],
  ])("%s", (_, name, headers, expected) => {
    const fields = fieldsOf(headers, ["_ga*"]);
    expect(fields.get(name)).toBe(expected);
    expect([...fields.entries()].some(([each]) => each === name)).toBe(expected !== null);
    expect(fields.toHeaders(true).get(name)).toBe(expected);
    expect(fields.toHeaders(false).get(name)).toBe(expected);
  });

  it("is as it came where nothing is cached", () => {
    const fields = new ForwardedFields(new Headers({ if_none_match: '"x"', "a-im": "feed" }), null);
    expect([fields.get("if_none_match"), fields.get("a-im")]).toEqual(['"x"', "feed"]);
  });

  it("is the session's too for the app's own handlers", () => {
    const headers = new Headers({ authorization: `Bearer ${TOKEN}`, cookie: `session=${TOKEN}; _ga=1` });
    const fields = new ForwardedFields(headers, { ignoreCookies: ["*"] }, true);
    expect([fields.get("authorization"), fields.get("cookie")]).toEqual([
      `Bearer ${TOKEN}`,
      `session=${TOKEN}`,
    ]);
  });

  it("is one line where several came, as it is told apart", () => {
    const headers = new Headers({ "x-a": "1" });
    headers.append("x-a", "2");
    expect([...new ForwardedFields(headers, { ignoreCookies: [] }).toHeaders(true)]).toEqual([
      ["x-a", "1, 2"],
    ]);
  });
});

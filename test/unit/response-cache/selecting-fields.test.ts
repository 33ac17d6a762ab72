import { describe, expect, it } from "vitest";
import { ForwardedFields } from "../../../src/request/forwarded-fields.ts";
import { SelectingFields } from "../../../src/response-cache/selecting-fields.ts";

/** A hash that shows what was hashed. */
function hashing() {
  const hashed: string[] = [];
  const hash = async (kind: string, value: string) => {
    hashed.push(value);
    return `hash(${kind}, ${value})`;
  };
  return { hash, hashed };
}

const credentialsOf = (fields: Record<string, string>, search = "") => {
  const headers = new Headers(fields);
  const url = new URL(`https://edge.example/x${search}`);
  const forwarded = new ForwardedFields(headers, null);
  return new SelectingFields(forwarded, hashing().hash).credentials({ request: { headers }, url });
};

describe("the hash over a request's credentials", () => {
  it.each<[title: string, one: [Record<string, string>, string?], other: [Record<string, string>, string?]]>([
    [
      "another field that is none",
      [{ authorization: "a", accept: "x" }],
      [{ authorization: "a", accept: "y" }],
    ],
    ["another parameter that is none", [{ cookie: "a" }, "?page=1"], [{ cookie: "a" }, "?page=2"]],
    [
      "another secret that names nobody",
      [{ cookie: "a", "x-csrf-token": "1" }],
      [{ cookie: "a", "x-csrf-token": "2" }],
    ],
    ["no parameter and an empty query", [{ cookie: "a" }, "?"], [{ cookie: "a" }]],
    ["none at all", [{}], [{ accept: "x" }]],
  ])("is the same with %s", async (_, one, other) => {
    expect(await credentialsOf(...one)).toBe(await credentialsOf(...other));
  });

  it.each<[title: string, one: [Record<string, string>, string?], other: [Record<string, string>, string?]]>([
    ["another value", [{ authorization: "a" }], [{ authorization: "b" }]],
    ["the same value in another field", [{ authorization: "a" }], [{ "x-api-key": "a" }]],
    ["one more field", [{ authorization: "a" }], [{ authorization: "a", cookie: "b" }]],
    [
      "the values of two fields swapped",
      [{ authorization: "a", cookie: "b" }],
      [{ authorization: "b", cookie: "a" }],
    ],
    ["one more parameter", [{ authorization: "a" }], [{ authorization: "a" }, "?token=b"]],
    ["another parameter", [{}, "?token=a"], [{}, "?token=b"]],
    [
      "another session's token, which goes to no origin",
      [{ authorization: "Bearer es1.a" }],
      [{ authorization: "Bearer es1.b" }],
    ],
    ["no credential", [{ authorization: "a" }], [{}]],
  ])("differs with %s", async (_, one, other) => {
    expect(await credentialsOf(...one)).not.toBe(await credentialsOf(...other));
  });

  it("is the one that selects, where there is a single credential: no second hash is made", async () => {
    const { hash, hashed } = hashing();
    const headers = new Headers({ authorization: "a", accept: "x" });
    const fields = new SelectingFields(headers, hash);
    await fields.hide();
    const asked = { request: { headers }, url: new URL("https://edge.example/x") };
    expect(await fields.credentials(asked)).toBe(fields.get("authorization"));
    expect(hashed).toEqual(["authorization: a"]);
  });
});

it("fields are the same before and after they are hidden, but for secrets and long ones", async () => {
  const headers = new Headers({
    accept: "x",
    authorization: "a",
    "x-long": "l".repeat(513),
    "x-edge-y": "1",
  });
  headers.append("x-two", "1");
  headers.append("x-two", "2");
  const fields = new SelectingFields(headers, hashing().hash);
  const read = () => ["accept", "x-two", "x-edge-y", "x-absent"].map((name) => fields.get(name));
  expect(read()).toEqual(["x", "1, 2", null, null]);
  expect(fields.canTell(["accept", "x-absent"])).toBe(true);
  expect([fields.canTell(["authorization"]), fields.canTell(["x-long"])]).toEqual([false, false]);
  await fields.hide();
  expect(read()).toEqual(["x", "1, 2", null, null]);
  expect(fields.canTell(["authorization", "x-long"])).toBe(true);
  expect(fields.get("authorization")).toBe("hash(field, authorization: a)");
  expect(fields.get("x-long")).toMatch(/^hash\(field, x-long: l/);
  expect(fields.asArguments().filter((_, index) => index % 2 === 0)).toEqual([
    "accept",
    "authorization",
    "x-long",
    "x-two",
  ]);
});

import { expect, it } from "vitest";
import { createRedact, well, withinDeadline } from "../../../../src/tools/doctor/report.ts";

const redact = createRedact([
  ["SERVICE_TOKEN", "pa$s/w?rd=="],
  ["ADMIN_TOKEN", 'quo"te-of-the-admin'],
  ["ORIGIN_TOKEN", "abcdef"],
  ["SESSION_SECRET", "abcdefghijklmnop"],
  ["API_KEYS", "a"],
]);

it.each([
  ["as it is", "token pa$s/w?rd== refused", "token [SERVICE_TOKEN] refused"],
  ["in an address", "https://x/?t=pa%24s%2Fw%3Frd%3D%3D", "https://x/?t=[SERVICE_TOKEN]"],
  ["in JSON", String.raw`{"t":"quo\"te-of-the-admin"}`, '{"t":"[ADMIN_TOKEN]"}'],
  ["in base64", `Basic ${Buffer.from("abcdefghijklmnop").toString("base64")}`, "Basic [SESSION_SECRET]"],
  ["where one begins another", "abcdefghijklmnop abcdef", "[SESSION_SECRET] [ORIGIN_TOKEN]"],
  ["more than once", "abcdef abcdef", "[ORIGIN_TOKEN] [ORIGIN_TOKEN]"],
  ["not where it is a letter", "a letter", "a letter"],
  ["not where nothing is secret", "https://api.example.com", "https://api.example.com"],
])("a secret is not shown %s", (_, text, shown) => {
  expect(redact(text)).toBe(shown);
});

it("a look that hangs, and one that fails, are lines of their own", async () => {
  expect(await withinDeadline("the store", 20, () => new Promise(() => {}))).toEqual([
    { state: "wrong", says: "the store: gave up after 0.02 s" },
  ]);
  expect(await withinDeadline("the store", 1000, () => Promise.reject(new Error("broken")))).toEqual([
    { state: "wrong", says: "the store: broken" },
  ]);
  expect(await withinDeadline("the store", 1000, async () => [well("fine")])).toEqual([well("fine")]);
});

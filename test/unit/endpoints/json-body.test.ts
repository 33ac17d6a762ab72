import { describe, expect, it, test } from "vitest";
import * as z from "zod/mini";
import { readJson } from "../../../src/endpoints/json-body.ts";
import { Problem } from "../../../src/http/problem.ts";
import { testPlatform } from "../../support/platform.ts";
import { until } from "../../support/until.ts";

const schema = z.strictObject({
  name: z.string().check(z.minLength(2), z.maxLength(5)),
  list: z.optional(z.array(z.string()).check(z.maxLength(2))),
  count: z.optional(z.int().check(z.positive())),
  flag: z.optional(z.nullable(z.boolean())),
  own: z.optional(z.string().check(z.refine((text) => text === "x", "must be x"))),
});
const MAX = 200;

type Read = { data: unknown } | { code: string; status: number; errors: unknown; message: string };

async function read(
  body: BodyInit | null,
  headers: Record<string, string> = {},
  platform = testPlatform(),
): Promise<Read> {
  const request = new Request("https://edge.example/x", { method: "POST", body, headers });
  if (!("content-type" in headers)) request.headers.delete("content-type");
  try {
    const { data } = await readJson(request, { schema, code: "BAD_PURGE", maxBytes: MAX, platform });
    return { data };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, status, members, message } = error.facts;
    return { code, status, errors: members?.errors, message };
  }
}

const inBody = (field: string, reason: string) => ({ in: "body", field, reason });

test.each<[body: string, ...issues: ReturnType<typeof inBody>[]]>([
  ["{", inBody("body", "must be JSON")],
  ["", inBody("body", "must be JSON")],
  ["[]", inBody("body", "must be an object")],
  ["null", inBody("body", "must be an object")],
  ["{}", inBody("name", "is required")],
  ['{"name":1}', inBody("name", "must be a text")],
  ['{"name":null}', inBody("name", "must be a text")],
  ['{"name":"a"}', inBody("name", "must have 2 or more characters")],
  ['{"name":"abcdef"}', inBody("name", "must be at most 5 characters")],
  ['{"name":"ab","list":"x"}', inBody("list", "must be a list")],
  ['{"name":"ab","list":["a",1]}', inBody("list[1]", "must be a text")],
  ['{"name":"ab","list":["a","b","c"]}', inBody("list", "must be at most 2 entries")],
  ['{"name":"ab","count":1.5}', inBody("count", "must be a whole number")],
  ['{"name":"ab","count":0}', inBody("count", "must be more than 0")],
  ['{"name":"ab","count":"1"}', inBody("count", "must be a number")],
  ['{"name":"ab","flag":"yes"}', inBody("flag", "must be true or false")],
  ['{"name":"ab","own":"y"}', inBody("own", "must be x")],
  ['{"name":"ab","nmae":1}', inBody("nmae", "is not a member that this knows")],
  [
    '{"list":[1],"flag":0}',
    inBody("name", "is required"),
    inBody("list[0]", "must be a text"),
    inBody("flag", "must be true or false"),
  ],
])("%s is refused with the field and the reason", async (body, ...issues) => {
  const [first] = issues;
  expect(await read(body)).toEqual({
    code: "BAD_PURGE",
    status: 400,
    errors: issues,
    message: `${first?.field}: ${first?.reason}.`,
  });
});

it("of many issues ten are listed, and no name is longer than 100 characters", async () => {
  const members = Array.from({ length: 30 }, (_, at) => [`m${at}`, 1]);
  const many = await read(JSON.stringify(Object.fromEntries(members)).slice(0, MAX));
  expect(many).toMatchObject({ code: "BAD_PURGE" });
  const long = await read(JSON.stringify({ name: "ab", ["n".repeat(150)]: 1 }));
  expect(long).toMatchObject({ errors: [inBody("n".repeat(100), "is not a member that this knows")] });
});

const GOOD = '{"name":"ab"}';

test.each([
  ["application/json", 200],
  ["application/json; charset=utf-8", 200],
  ["APPLICATION/JSON ;charset=UTF-8", 200],
  ["application/merge-patch+json", 200],
  ["text/json", 200],
  // What curl -d and fetch say where nobody has chosen a type.
  ["application/x-www-form-urlencoded", 200],
  ["text/plain;charset=UTF-8", 200],
  ["text/plain", 415],
  ["text/html", 415],
  ["application/xml", 415],
  ["application/jsonp", 415],
  ["application/json-seq", 415],
  ["application/octet-stream", 415],
  ["multipart/form-data; boundary=x", 415],
  ["json", 415],
  ["", 415],
])("Content-Type: %s is %i", async (type, status) => {
  const answer = await read(GOOD, { "content-type": type });
  if (status === 200) expect(answer).toEqual({ data: { name: "ab" } });
  else
    expect(answer).toMatchObject({
      code: "UNSUPPORTED_CONTENT",
      status,
      errors: [{ in: "header", field: "Content-Type", reason: "must be application/json" }],
    });
});

test.each([
  ["gzip", 415],
  ["br, gzip", 415],
  ["identity", 200],
  ["IDENTITY", 200],
])("Content-Encoding: %s is %i", async (coding, status) => {
  const answer = await read(GOOD, { "content-encoding": coding });
  expect("status" in answer ? answer.status : 200).toBe(status);
});

describe("a body", () => {
  it("that is longer than that is refused, whether it says its length or not", async () => {
    const long = " ".repeat(MAX + 1);
    const stream = new Response(long).body;
    for (const body of [long, stream]) {
      expect(await read(body)).toMatchObject({
        code: "CONTENT_TOO_LARGE",
        status: 413,
        errors: [inBody("body", `must have at most ${MAX} bytes`)],
      });
    }
    expect(await read(GOOD.padEnd(MAX))).toEqual({ data: { name: "ab" } });
  });

  it.each([
    ["half a character", [0x7b, 0xff, 0x7d]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])("of %s is no UTF-8", async (_, bytes) => {
    expect(await read(new Uint8Array(bytes))).toMatchObject({ errors: [inBody("body", "must be UTF-8")] });
  });

  it("may begin with a byte order mark, and hold a member of an odd name", async () => {
    expect(await read(`\ufeff${GOOD}`)).toEqual({ data: { name: "ab" } });
    expect(await read('{"name":"ab","__proto__":{"name":1}}')).toMatchObject({ code: "BAD_PURGE" });
  });

  it("that stands still is a 408 after a minute", async () => {
    const platform = testPlatform();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    void writer.write(new TextEncoder().encode("{")).catch(() => {});
    const answer = read(readable, {}, platform);
    await until(() => platform.timersSet() > 0, "the rest is waited for");
    platform.advance(60_000);
    expect(await answer).toMatchObject({ code: "CONTENT_STALLED", status: 408 });
  });

  it("that breaks off is a 400", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{"));
        controller.error(new Error("gone"));
      },
    });
    expect(await read(body)).toMatchObject({ code: "CONTENT_BROKEN_OFF", status: 400 });
  });
});

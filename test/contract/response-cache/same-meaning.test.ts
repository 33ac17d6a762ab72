import { expect, it } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { contextOf } from "../../support/context.ts";
import { dice } from "../../support/dice.ts";
import { testPlatform } from "../../support/platform.ts";
import { type Asked, BEGIN, type Exchange, exchange, type Said } from "../../support/spelling/exchange.ts";
import { odd, plain, type Spelling } from "../../support/spelling/spelling.ts";

const EXCHANGES = 250;

/** Whatever of what is meant is there, as fields. */
function fieldsOf(fields: Record<string, string | null | false>): Headers {
  return new Headers(Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1])));
}

function responseFields(said: Said, spelling: Spelling): Headers {
  return fieldsOf({
    "content-type": "text/plain",
    "cache-control": said.directives && spelling.directives(said.directives),
    expires: said.expires !== null && spelling.date(said.expires),
    date: said.date !== null && spelling.date(said.date),
    "last-modified": said.lastModified !== null && spelling.date(said.lastModified),
    age: said.age !== null && spelling.seconds(said.age),
    etag: said.etag,
    vary: said.vary && spelling.fieldNames(said.vary),
    location: said.status < 400 && said.status > 300 && "/elsewhere",
  });
}

function requestFields(asked: Asked, spelling: Spelling): Headers {
  return fieldsOf({
    "cf-connecting-ip": "192.0.2.7",
    "cache-control": asked.directives && spelling.directives(asked.directives),
    "if-none-match": asked.ifNoneMatch && spelling.tags(asked.ifNoneMatch),
    "if-modified-since": asked.ifModifiedSince !== null && spelling.date(asked.ifModifiedSince),
    range: asked.range && spelling.range(asked.range),
    "accept-language": asked.language,
    "accept-encoding": asked.codings && spelling.codings(asked.codings),
  });
}

/** What came of each request: the answer, and which requests the origin got. */
async function outcomes({ said, asked }: Exchange, spelling: Spelling): Promise<string[]> {
  const headers = responseFields(said, spelling);
  const sent: string[] = [];
  async function fetchOrigin(input: string, init: RequestInit): Promise<Response> {
    const { method, headers: fields } = new Request(input, init);
    // Those of a client go on as it wrote them.
    const tags =
      fields
        .get("if-none-match")
        ?.match(/\*|(?:W\/)?"[^"]*"/g)
        ?.sort() ?? [];
    sent.push(`${method} ${tags} ${fields.has("if-modified-since")} ${fields.has("range")}`);
    if (said.etag && tags.join() === said.etag) return new Response(null, { status: 304, headers });
    const body = method === "HEAD" ? null : `0123456789 ${sent.length}`;
    return new Response(body, { status: said.status, headers });
  }
  const platform = testPlatform({ now: BEGIN });
  const routes = [{ path: "/*", cache: { scope: "shared" as const, ttl: 60 } }];
  const isolate = openIsolate({ ORIGIN: { fetch: fetchOrigin }, LOG_LEVEL: "error" }, routes, platform);
  const edge = edgeAnswer(isolate);
  const found: string[] = [];
  for (const each of asked) {
    platform.advance(each.later * 1000);
    const before = sent.length;
    const works: Promise<unknown>[] = [];
    const init = { method: each.method, headers: requestFields(each, spelling) };
    const response = await edge(new Request("https://edge.example/x", init), contextOf(works));
    const body = await response.text();
    await platform.settle(works);
    const told = ["x-cache", "cache-status", "content-range"].map((name) => response.headers.get(name));
    const age = Number(response.headers.get("age") ?? Number.NaN);
    found.push([response.status, ...told, age, body, sent.slice(before)].join(" | "));
  }
  return found;
}

it("fields that are written otherwise and mean the same come to the same", async () => {
  const chosen = dice(20_261_127);
  const words = new Set<string>();
  for (let index = 0; index < EXCHANGES; index += 1) {
    const each = exchange(chosen);
    const expected = await outcomes(each, plain);
    expect(await outcomes(each, odd(chosen)), JSON.stringify(each)).toEqual(expected);
    for (const line of expected) words.add(line.split(" | ", 2).join(" "));
  }
  // Else it would say little.
  const needed = ["200 HIT", "200 STALE", "200 REVALIDATED", "304 HIT", "206 HIT"];
  expect([...words]).toEqual(expect.arrayContaining(needed));
});

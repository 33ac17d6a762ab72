import { expect, it } from "vitest";
import { edgeProblem } from "../../../src/client/problem.ts";
import { problemFacts, problemResponse } from "../../../src/http/problem.ts";
import { PROBLEM_CODES } from "../../../src/http/problem-codes.ts";

const ID = "0123456789abcdef0123456789abcdef";

it.each(PROBLEM_CODES)("%s of the edge is told, and the body can still be read", async (code) => {
  const facts = problemFacts(code as "NOT_FOUND");
  const response = problemResponse(facts, ID);
  expect(await edgeProblem(response)).toMatchObject({ code, status: facts.status, request_id: ID });
  expect(await response.json()).toMatchObject({ code });
});

it("is told where CORS does not expose X-Request-Id", async () => {
  const response = problemResponse(problemFacts("NOT_FOUND"), ID);
  response.headers.delete("x-request-id");
  expect((await edgeProblem(response))?.code).toBe("NOT_FOUND");
});

const edges = {
  type: "about:blank",
  title: "T",
  error: "T",
  status: 404,
  code: "NOT_FOUND",
  message: "m",
  request_id: ID,
};
const problemType = "application/problem+json";

it.each<[string, unknown, { status?: number; type?: string; id?: string }]>([
  ["the API's problem with its own code", { title: "T", status: 404, code: "NO_SUCH_ITEM" }, {}],
  ["the API's with the edge's code", { title: "T", status: 404, code: "NOT_FOUND", request_id: ID }, {}],
  ["another's request id", edges, { id: "f".repeat(32) }],
  ["another status than the answer's", edges, { status: 403 }],
  ["a type that is JSON only", edges, { type: "application/json" }],
  ["a type that begins alike", edges, { type: "application/problem+json-seq" }],
  ["no JSON", "<html>", {}],
  ["null", null, {}],
  ["a list", [edges], {}],
  ["a code that is a number", { ...edges, code: 7 }, {}],
])("%s is none", async (_, body, { status = 404, type = problemType, id = ID }) => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": type, "x-request-id": id };
  expect(await edgeProblem(new Response(text, { status, headers }))).toBeNull();
});

it("a success, and a body that was read, are none", async () => {
  const headers = { "content-type": problemType, "x-request-id": ID };
  expect(await edgeProblem(new Response(JSON.stringify({ ...edges, status: 200 }), { headers }))).toBeNull();
  const read = problemResponse(problemFacts("NOT_FOUND"), ID);
  await read.text();
  expect(await edgeProblem(read)).toBeNull();
});

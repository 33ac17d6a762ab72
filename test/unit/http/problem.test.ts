import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type DetailsOf,
  type ProblemDetails,
  problem,
  problemFacts,
  problemResponse,
} from "../../../src/http/problem.ts";
import { PROBLEM_CODES, PROBLEMS, type ProblemKind } from "../../../src/http/problem-codes.ts";

describe("the catalogue", () => {
  it.each(PROBLEM_CODES)("%s has a status, a title and a sentence", (code) => {
    const { status, title, message, challenge }: ProblemKind = PROBLEMS[code];
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(title).not.toBe("");
    expect(message).toMatch(/\.$|^\{reason\}$|^Session not found$/);
    expect(challenge !== undefined, "a 401 says how to sign in, and nothing else does").toBe(status === 401);
  });
});

describe("a problem", () => {
  it("is what the catalogue says of its code", () => {
    expect(problem("NOT_FOUND").facts).toEqual({
      status: 404,
      code: "NOT_FOUND",
      title: "Not found",
      message: "There is nothing at this path.",
    });
    expect(problemFacts("SESSION_UNAVAILABLE").retryAfter).toBe(1);
    expect(problemFacts("SESSION_REQUIRED").headers).toEqual({ "www-authenticate": "Bearer" });
    expect(problemFacts("SESSION_INVALID").headers).toEqual({
      "www-authenticate": 'Bearer error="invalid_token"',
    });
  });

  it("has the words in braces filled in, and must be given them", () => {
    expect(problemFacts("RATE_LIMIT_EXCEEDED", { values: { seconds: 7 } }).message).toBe(
      "Too many requests. Try again in 7 seconds.",
    );
    const reason = 'Send {"address":"203.0.113.7"}, $& and {seconds}.';
    expect(problemFacts("BAD_PURGE", { values: { reason } }).message, "as it stands").toBe(reason);
    expectTypeOf<DetailsOf<"NOT_FOUND">>().toEqualTypeOf<[details?: ProblemDetails]>();
    expectTypeOf<DetailsOf<"AMBIGUOUS_PATH">[0]["values"]>().toEqualTypeOf<Record<"what", string | number>>();
  });

  it("says what its place knows better", () => {
    const facts = problemFacts("SESSION_UNAVAILABLE", {
      message: "Not now.",
      retryAfter: 9,
      members: { more: 1 },
      headers: { "x-more": "1" },
    });
    expect(facts).toEqual({
      status: 503,
      code: "SESSION_UNAVAILABLE",
      title: "Sessions cannot be checked",
      message: "Not now.",
      retryAfter: 9,
      members: { more: 1 },
      headers: { "x-more": "1" },
    });
  });

  it("as a response has the catalogue's status, challenge and sentence", async () => {
    const response = problemResponse(problemFacts("TOKEN_REQUIRED"), "r1");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Token required",
      status: 401,
      code: "TOKEN_REQUIRED",
      error: "Token required",
      message: "Send one of the configured tokens as the bearer.",
      request_id: "r1",
    });
  });
});

import type * as z from "zod/mini";
import { type Problem, problem } from "../http/problem.ts";

/** What is wrong with one place of a request. Each problem of bad input has a list of them as `errors`. */
export interface InputIssue {
  in: "body" | "path" | "query" | "header";
  /** `files[3]`, the name of a path's parameter or of a header field; `body` for the whole body. */
  field: string;
  /** What it must be: `must be a string`. It quotes no value. */
  reason: string;
}

/** Codes of a body or a path that is not understood. */
export type BadInputCode =
  | "BAD_QUERY"
  | "BAD_LOOKUP"
  | "BAD_PURGE"
  | "BAD_WARM"
  | "UNKNOWN_CALLER"
  | "BAD_SESSION"
  | "UNNAMEABLE_USER";

/** Issues that one answer lists: a list of 500 wrong entries is one issue. */
const MAX_ISSUES = 10;
/** Characters of a member's name, which whoever sent it chose. */
const MAX_NAME = 100;

/** The problem of a request whose issues are known; its message is the first of them. */
export function badInput(code: BadInputCode, issues: readonly InputIssue[]): Problem {
  const errors = issues.slice(0, MAX_ISSUES);
  const reason = errors.map(({ field, reason }) => `${field}: ${reason}.`)[0] ?? "";
  return problem(code, { values: { reason }, members: { errors } });
}

/** The issues that a schema finds in a body. They must have been reported with their input. */
export function bodyIssues(error: z.core.$ZodError): InputIssue[] {
  return error.issues.flatMap((issue): InputIssue[] => {
    const at = issue.path.reduce<string>(
      (path, key) =>
        typeof key === "number" ? `${path}[${key}]` : path ? `${path}.${String(key)}` : String(key),
      "",
    );
    if (issue.code === "unrecognized_keys") {
      return issue.keys.slice(0, MAX_ISSUES).map((key) => {
        return { in: "body", field: key.slice(0, MAX_NAME), reason: "is not a member that this knows" };
      });
    }
    return [{ in: "body", field: at || "body", reason: reasonOf(issue) }];
  });
}

/** Schemas of `zod/mini` have no words for what they find. */
function reasonOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is required";
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "too_small":
      return issue.inclusive === false
        ? `must be more than ${issue.minimum}`
        : `must have ${issue.minimum} or more${ofWhat(issue.origin)}`;
    case "too_big":
      return `must be at most ${issue.maximum}${ofWhat(issue.origin)}`;
    default:
      return issue.message === "Invalid input" ? "is not valid" : issue.message;
  }
}

const TYPES: Record<string, string> = {
  string: "a text",
  array: "a list",
  object: "an object",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
};

function ofWhat(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

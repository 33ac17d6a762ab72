import * as z from "zod/mini";
import { checkGiven, type OptionRules } from "../config/check-given.ts";
import { ConfigError, described } from "../config/config-error.ts";
import { JsonText, jsonOf } from "../runtime/json-text.ts";
import { wellFormed } from "../runtime/well-formed.ts";

/**
 * Whether a path under `AUTH_BASE_PATH` can name a user. `.` and `..` are no segments of a path, however they are encoded
 * (RFC 3986 §5.2.4; the URL standard reads `%2e` so too).
 */
export function isNameable(userId: string): boolean {
  return userId !== "" && userId !== "." && userId !== "..";
}

/** What is wrong with such a user id. */
export const UNNAMEABLE = "must not be . or .., which no URL can name";

/** The user id of a new session, 1 to 256 characters: every token has room for it. */
export const sessionUser = z
  .string()
  .check(z.minLength(1), z.maxLength(256), z.refine(isNameable, UNNAMEABLE), wellFormed);
/** The tier of a new session, at most 64 characters. */
export const sessionTier = z.string().check(z.maxLength(64), wellFormed);

const text = (value: unknown) =>
  typeof value === "string" && value.isWellFormed() ? null : "Must be a well-formed text.";
/** Absent it is `{}`. */
const anyJson = { fix: (value: unknown) => (isJson(value) ? null : "Must be JSON, and no promise of it.") };
const RULES: OptionRules = {
  userId: {
    fix: (value) =>
      text(value) ??
      (isNameable(String(value)) ? null : "Must not be empty, . or .., which no URL can name."),
  },
  tier: { fix: (value) => (value === null ? null : text(value)), optional: true },
  userData: anyJson,
  deviceInfo: anyJson,
  ipAddress: { fix: (value) => (value === null ? null : text(value)), optional: true },
  ttlSeconds: {
    fix: (value) => (typeof value === "number" && value > 0 ? null : "Must be a number of seconds above 0."),
    optional: true,
  },
};

function isJson(value: unknown): boolean {
  if (value === undefined || value instanceof JsonText) return true;
  try {
    jsonOf(value);
    return true;
  } catch {
    return false;
  }
}

/** @throws ConfigError for what makes no session. It shows no value, which would name a user. */
export function checkInput(input: unknown): void {
  checkGiven(input, "sessions.create", RULES, described);
}

/**
 * @throws ConfigError for what has no id, such as a session in the place of its claims: its end would reach nothing, and say nothing of it.
 */
export function checkNamed(place: string, session: unknown, fix: string): void {
  if (typeof Object(session).id === "string") return;
  throw new ConfigError([{ place: `sessions.${place}`, found: described(session), fix }]);
}

/** An id that a handler gives. Undefined, as of a request that names none, is no session's. @throws ConfigError */
export function idIn(place: string, id: string | undefined): string {
  checkNamed(place, { id: id ?? "" }, "Give it an id.");
  return id ?? "";
}

/** The error of an input that no token has room for. */
export function inputTooLong(): ConfigError {
  const fix = "The user id and the tier must be shorter: a token has no room for them.";
  return new ConfigError([{ place: "sessions.create: userId", found: "too long a text", fix }]);
}

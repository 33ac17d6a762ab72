import { expect, test } from "vitest";
import { type ConfirmedIdentity, confirmedIdentity } from "../../../src/identity/confirmed.ts";
import { doubtOf, requesterOf } from "../../../src/response-cache/requester.ts";
import { outcomesOf, sessionOf } from "../../support/cache.ts";

const URL_ASKED = new URL("https://edge.example/v1/x");
const SESSION = { session: sessionOf("ada") };
const bearer = { raw: "es1.token", tokenSource: "bearer" as const };
const cookie = { raw: "es1.token", tokenSource: "cookie" as const };
const KEY = { kind: "verified" as const, hash: "h", name: "team", tier: null, userId: null };
const JWT = { kind: "verified" as const, userId: "ada", tier: null, claims: "{}" };

const READ = { sessionToken: null, jwt: "a.b.c", apiKey: null, sessionCookie: false, any: true };
const JWT_COOKIE = { jwt: JWT, credentials: { ...READ, jwtCookie: true as const } };
const UNREAD = { jwt: JWT, credentials: { ...READ, unread: true as const } };

/** An identity with some credential, and what is said of it. */
function identityOf(
  facts: Partial<ConfirmedIdentity>,
  sessionToken: typeof bearer | typeof cookie | null,
): ConfirmedIdentity {
  const outcomes = outcomesOf({});
  if (outcomes.kind !== "settled") throw new Error("not settled");
  const credentials = { ...outcomes.identity.credentials, any: true, sessionToken };
  return confirmedIdentity({ ...outcomes.identity, credentials, ...facts });
}

test.each<
  [string, Partial<ConfirmedIdentity>, typeof bearer | typeof cookie | null, Record<string, string>, string]
>([
  ["a living session's bearer", SESSION, bearer, { authorization: "Bearer es1.token" }, "verified"],
  ["a living session's cookie", SESSION, cookie, { cookie: "session=es1.token" }, "verified"],
  ["a session that is over", {}, bearer, { authorization: "Bearer es1.token" }, "credentialed"],
  ["a session that is over beside a verified key", { key: KEY }, cookie, {}, "credentialed"],
  ["a verified key", { key: KEY }, null, { "x-api-key": "k" }, "verified"],
  ["a verified JWT", { jwt: JWT }, null, { authorization: "Bearer a.b.c" }, "verified"],
  ["a JWT's cookie", JWT_COOKIE, null, { cookie: "jwt=a.b.c" }, "verified"],
  ["a JWT's cookie beside another", JWT_COOKIE, null, { cookie: "jwt=a.b.c; sid=1" }, "credentialed"],
  ["a JWT beside an unread key", UNREAD, null, { authorization: "Bearer a.b.c" }, "credentialed"],
  ["two verified credentials", { ...SESSION, key: KEY }, bearer, {}, "credentialed"],
  ["a key beside somebody's cookie", { key: KEY }, null, { cookie: "sid=1" }, "credentialed"],
  [
    "the session's cookie beside another",
    SESSION,
    cookie,
    { cookie: "session=es1.token; sid=1" },
    "credentialed",
  ],
  ["a key that is not verified", { key: { kind: "unverified", hash: "h" } }, null, {}, "credentialed"],
  ["a JWT that is not valid", { jwt: { kind: "invalid", reason: "expired" } }, null, {}, "credentialed"],
  ["a JWT that nobody could check", { jwt: { kind: "unknown" }, key: KEY }, null, {}, "credentialed"],
  ["a key beside Basic credentials", { key: KEY }, null, { authorization: "Basic eDp5" }, "credentialed"],
  ["a key beside a field that the edge does not read", { key: KEY }, null, { apikey: "x" }, "credentialed"],
])("%s", (_, facts, token, headers, expected) => {
  expect(requesterOf(identityOf(facts, token), { headers: new Headers(headers), url: URL_ASKED })).toBe(
    expected,
  );
});

test("no credential at all is anonymous", () => {
  const outcomes = outcomesOf({});
  if (outcomes.kind !== "settled") throw new Error("not settled");
  expect(requesterOf(outcomes.identity, { headers: new Headers(), url: URL_ASKED })).toBe("anonymous");
});

test.each<
  [
    string,
    Partial<ConfirmedIdentity>,
    typeof bearer | typeof cookie | null,
    Record<string, string>,
    string | null,
  ]
>([
  ["nothing but ignored cookies", {}, null, { cookie: "_ga=1; _ga_X=2" }, "no-credential"],
  ["an ignored name without a value", {}, null, { cookie: "_ga" }, "no-credential"],
  ["an ignored cookie beside another", {}, null, { cookie: "_ga=1; sid=2" }, "other-cookie"],
  ["another case of an ignored name", {}, null, { cookie: "_GA=1" }, "other-cookie"],
  ["an empty Cookie field", {}, null, { cookie: "" }, "other-credential"],
  ["ignored cookies and an unread key", {}, null, { cookie: "_ga=1", "api-key": "" }, "other-credential"],
  ["a session beside an ignored cookie", SESSION, cookie, { cookie: "session=es1.token; _ga=1" }, null],
  ["a key beside an ignored cookie", { key: KEY }, null, { "x-api-key": "k", cookie: "_ga=1" }, null],
  [
    "two session cookies",
    SESSION,
    cookie,
    { cookie: "session=es1.token; session=es1.other" },
    "other-cookie",
  ],
  ["a session that is over", {}, cookie, { cookie: "session=es1.token" }, "session-not-valid"],
  [
    "a JWT that is not valid",
    { jwt: { kind: "invalid", reason: "expired" } },
    null,
    { authorization: "Bearer a.b.c" },
    "jwt-not-valid",
  ],
  [
    "a JWT nobody could check",
    { jwt: { kind: "unknown" } },
    null,
    { authorization: "Bearer a.b.c" },
    "jwt-not-checked",
  ],
  [
    "a key that is not verified",
    { key: { kind: "unverified", hash: "h" } },
    null,
    { "x-api-key": "k" },
    "key-not-verified",
  ],
  ["Basic", {}, null, { authorization: "Basic eDp5" }, "other-credential"],
  ["a session beside an empty key", SESSION, bearer, { "x-api-key": "" }, "other-credential"],
  [
    "a session beside an empty Authorization",
    SESSION,
    cookie,
    { cookie: "session=es1.token", authorization: "" },
    "other-credential",
  ],
  ["a session and a key", { ...SESSION, key: KEY }, bearer, { "x-api-key": "k" }, "several-credentials"],
])("where _ga* says nothing, the doubt about %s", (_, facts, token, headers, expected) => {
  const asked = { headers: new Headers(headers), url: URL_ASKED, ignoreCookies: ["_ga*"] };
  expect(doubtOf(identityOf(facts, token), asked)).toBe(expected);
});

test.each(["?%61pi_key=", "?api_key", "?api_key=k&api_key="])(
  "a key or a session beside an empty %s is in doubt",
  (search) => {
    const url = new URL(`https://edge.example/v1/x${search}`);
    for (const facts of [SESSION, { key: KEY }])
      expect(doubtOf(identityOf(facts, null), { headers: new Headers(), url })).toBe("other-credential");
  },
);

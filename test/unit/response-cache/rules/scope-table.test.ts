import { describe, expect, test } from "vitest";
import type { Claim, Requester, Scope } from "../../../../src/response-cache/rules/scope-table.ts";
import { storing } from "../../../../src/response-cache/rules/storing.ts";
import { exchange, rule } from "../../../support/cache-samples.ts";

/** A response that makes each claim, and no more permissive one beside it that could carry it. */
const SAYS: Record<Claim, Record<string, string>[]> = {
  "no-store": [
    { "cache-control": "no-store" },
    { "cache-control": "public, max-age=60, no-store" },
    { "cache-control": "no-store, private" },
    { "cdn-cache-control": "no-store", "cache-control": "public, max-age=60" },
  ],
  "set-cookie": [
    { "cache-control": "max-age=60", "set-cookie": "a=1" },
    { "cache-control": "public, max-age=60", "set-cookie": "a=1" },
    { "cache-control": "private, max-age=60", "set-cookie": "a=1" },
  ],
  private: [
    { "cache-control": "private, max-age=60" },
    { "cache-control": "public, private, s-maxage=60" },
    { "cdn-cache-control": "private, max-age=60", "cache-control": "public, max-age=60" },
  ],
  shareable: [
    { "cache-control": "public, max-age=60" },
    { "cache-control": "s-maxage=60" },
    { "cache-control": "max-age=60, must-revalidate" },
    { "cdn-cache-control": "public, max-age=60", "cache-control": "private" },
  ],
  silent: [
    { "cache-control": "max-age=60" },
    { "cache-control": "max-age=60, s-maxage=soon", etag: '"a"' },
    { "cache-control": "max-age=60, proxy-revalidate" },
    { expires: "Tue, 07 Apr 2026 13:00:00 GMT" },
    { "cdn-cache-control": "max-age=60", "cache-control": "public" },
  ],
};

/** Said again, cell by cell: [scope, who asked, what the response says, outcome]. */
const CELLS: [Scope, Requester, Claim, string][] = [
  ["public", "anonymous", "no-store", "no-store"],
  ["public", "anonymous", "set-cookie", "set-cookie"],
  ["public", "anonymous", "private", "private"],
  ["public", "anonymous", "shareable", "store"],
  ["public", "anonymous", "silent", "store"],
  ["public", "credentialed", "no-store", "no-store"],
  ["public", "credentialed", "set-cookie", "set-cookie"],
  ["public", "credentialed", "private", "private"],
  ["public", "credentialed", "shareable", "store"],
  ["public", "credentialed", "silent", "credentials"],
  ["public", "verified", "no-store", "no-store"],
  ["public", "verified", "set-cookie", "set-cookie"],
  ["public", "verified", "private", "private"],
  ["public", "verified", "shareable", "store"],
  ["public", "verified", "silent", "credentials"],
  ["shared", "anonymous", "no-store", "no-store"],
  ["shared", "anonymous", "set-cookie", "set-cookie"],
  ["shared", "anonymous", "private", "private"],
  ["shared", "anonymous", "shareable", "store"],
  ["shared", "anonymous", "silent", "store"],
  ["shared", "credentialed", "no-store", "no-store"],
  ["shared", "credentialed", "set-cookie", "set-cookie"],
  ["shared", "credentialed", "private", "private"],
  ["shared", "credentialed", "shareable", "store"],
  ["shared", "credentialed", "silent", "store"],
  ["shared", "verified", "no-store", "no-store"],
  ["shared", "verified", "set-cookie", "set-cookie"],
  ["shared", "verified", "private", "private"],
  ["shared", "verified", "shareable", "store"],
  ["shared", "verified", "silent", "store"],
  ["caller", "anonymous", "no-store", "no-verified-caller"],
  ["caller", "anonymous", "set-cookie", "no-verified-caller"],
  ["caller", "anonymous", "private", "no-verified-caller"],
  ["caller", "anonymous", "shareable", "no-verified-caller"],
  ["caller", "anonymous", "silent", "no-verified-caller"],
  ["caller", "credentialed", "no-store", "no-verified-caller"],
  ["caller", "credentialed", "set-cookie", "no-verified-caller"],
  ["caller", "credentialed", "private", "no-verified-caller"],
  ["caller", "credentialed", "shareable", "no-verified-caller"],
  ["caller", "credentialed", "silent", "no-verified-caller"],
  ["caller", "verified", "no-store", "no-store"],
  ["caller", "verified", "set-cookie", "set-cookie"],
  ["caller", "verified", "private", "store"],
  ["caller", "verified", "shareable", "store"],
  ["caller", "verified", "silent", "store"],
];

describe("who shares an answer (RFC 9111 §3, §3.5, and the route's scope)", () => {
  test("every cell is written down once", () => {
    expect(new Set(CELLS.map(([scope, requester, claim]) => `${scope} ${requester} ${claim}`)).size).toBe(
      3 * 3 * 5,
    );
  });

  test.each(CELLS)("%s, %s, %s: %s", (scope, requester, claim, outcome) => {
    for (const fields of SAYS[claim]) {
      const verdict = storing(exchange(fields, { requester, rule: rule({ scope }) }));
      expect(verdict.kind === "store" ? "store" : verdict.reason, JSON.stringify(fields)).toBe(outcome);
    }
  });
});

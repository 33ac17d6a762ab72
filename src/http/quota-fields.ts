import { remembered } from "../runtime/remembered.ts";

/** The names under which APIs say what is left of a limit, beside `RateLimit` and its two forms (draft-ietf-httpapi-ratelimit-headers-07, -11). */
export const REMAINING_FIELDS = ["x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"];

/**
 * Whether a response field says something of a quota: `RateLimit`, `X-RateLimit-Remaining`, `X-App-Rate-Limit-Count`. It is that of the one
 * who asked, at that time. @param name In lower case.
 */
export const isQuotaField = /* @__PURE__ */ remembered((name) => /(^|-)rate-?limit(-|$)/.test(name));

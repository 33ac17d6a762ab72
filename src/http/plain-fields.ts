import { REAL_ADDRESS_FIELD } from "./edge-fields.ts";
import { RAY_FIELD } from "./per-request-fields.ts";

/**
 * What browsers, other clients and Cloudflare send with every request, in lower case. By none of them do two answers from the cache
 * differ, where the stored answer does not vary by it: they are no credential, no condition, no wish of the client's, and change neither
 * route nor caller. `Origin` decides the CORS fields, which each answer gets anew.
 */
export const PLAIN_FIELDS = [
  ...[
    "host",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "referer",
    "origin",
    "connection",
  ],
  ...["dnt", "sec-gpc", "save-data", "priority", "upgrade-insecure-requests"],
  ...["sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user"],
  ...["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"],
  ...["cf-connecting-ip", "cf-ipcountry", RAY_FIELD, "cf-visitor", "cf-ew-via", "cdn-loop"],
  ...["x-forwarded-for", "x-forwarded-proto", REAL_ADDRESS_FIELD],
] as const;

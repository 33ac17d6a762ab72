import { expect, it } from "vitest";
import {
  isReservedRequestField,
  isReservedResponseField,
  selectsNothing,
} from "../../../src/http/edge-fields.ts";
import { isPerRequestField } from "../../../src/http/per-request-fields.ts";

it.each<[name: string, reserved: boolean, perRequest: boolean, nothing: boolean]>([
  ["x-user-id", true, true, false],
  ["x_user_tier", true, true, false],
  ["X.User.Id", true, true, false],
  ["x-request-id", true, true, false],
  ["x-forwarded-for", true, true, false],
  ["cf-connecting-ip", true, true, false],
  ["cf-ray", false, true, false],
  ["traceparent", false, true, false],
  ["if-none-match", false, true, false],
  ["range", false, true, false],
  ["x-forwarded-host", true, false, true],
  ["x-forwarded-proto", true, false, true],
  ["x-edge-token", true, false, true],
  ["x-real-ip", true, false, true],
  ["true-client-ip", true, false, true],
  ["forwarded", true, false, true],
  ["x-forwarded-port", true, false, false],
  ["x-client-ip", true, false, false],
  ["x-http-method-override", true, false, false],
  ["x-original-url", true, false, false],
  ["x-rewrite-url", true, false, false],
  ["x-user-agent", false, false, false],
  ["X_User_Timezone", false, false, false],
  ["x-user-language", false, false, false],
  ["x-user-id-hint", false, false, false],
  ["x-user", false, false, false],
  ["x-client-version", false, false, false],
  ["x-host-name", false, false, false],
  ["x-request-start", false, false, false],
  ["x-correlation-id", false, false, false],
  ["baggage", false, false, false],
  ["proxy-status", false, false, false],
  ["x!user!tier", true, true, false],
  ["X`Forwarded`For", true, true, false],
  ["Cloudflare-Workers-Version-Key", true, false, false],
  ["cloudflare_workers_version_overrides", true, false, false],
  ["x-forwarded", true, false, false],
  ["Forwarded-For", true, false, false],
  ["client_ip", true, false, false],
  ["x-cluster-client-ip", true, false, false],
  ["x.client.ip", true, false, false],
  ["cf-connecting-ipv6", true, false, false],
  ["x-remote-addr", true, false, false],
  ["client-cert", true, false, false],
  ["proxy", true, false, false],
  ["x-middleware-subrequest", true, false, false],
  ["x-accel-mapping", true, false, false],
  ["host", false, false, true],
  ["content-length", false, false, true],
  ["keep-alive", false, false, true],
  ["accept", false, false, false],
  ["x-username", false, false, false],
  ["cf-ipcountry", false, false, false],
])("request field %s: reserved %s, of one request %s, selects nothing %s", (name, reserved, one, nothing) => {
  expect(isReservedRequestField(name)).toBe(reserved);
  expect(isPerRequestField(name)).toBe(one);
  expect(selectsNothing(name)).toBe(nothing);
});

it.each<[name: string, reserved: boolean]>([
  ["x-edge-session", true],
  ["X_Edge_Caller", true],
  ["x-edge.other", true],
  ["x-edges", false],
  ["cache-control", false],
])("response field %s is between origin and edge: %s", (name, reserved) => {
  expect(isReservedResponseField(name)).toBe(reserved);
});

import { describe } from "#describe";
import type { Variable } from "./variable.ts";

/** The variables of JWTs: a part of the table of variables. */
export const jwtVariables = {
  JWT_SECRET: {
    kind: "secrets",
    use: "key",
    min: 32,
    formerly: "JWT_SECRET_KEY",
    group: "often",
    description: describe("The keys that verify JWTs signed with HS256."),
  },
  JWT_JWKS_URL: {
    kind: "url",
    // Where one address has the keys of several applications: `/discovery/v2.0/keys?appid=…`.
    query: true,
    group: "often",
    description: describe(
      "The address of the key set that verifies JWTs signed with RS256, ES256, EdDSA or the like (RS, PS, ES 256–512); needs issuer and audience.",
    ),
  },
  JWT_ISSUER: {
    kind: "text",
    group: "often",
    description: describe(
      "The issuer that a JWT of the key set must name; without `JWT_JWKS_URL`, one signed with HS256.",
    ),
  },
  JWT_AUDIENCE: {
    kind: "list",
    group: "often",
    description: describe(
      "The audiences of which such a JWT must name one, or, where it has no `aud`, its client (`client_id`, `azp`).",
    ),
  },
  JWT_SECRET_ISSUER: {
    kind: "text",
    group: "rarely",
    description: describe(
      "The issuer that a JWT signed with HS256 must name; beside `JWT_JWKS_URL` any or none unless set.",
    ),
  },
  JWT_SECRET_AUDIENCE: {
    kind: "list",
    group: "rarely",
    description: describe("The audiences of which a JWT signed with HS256 must name one; likewise."),
  },
  JWT_TIER_CLAIM: {
    kind: "text",
    group: "often",
    description: describe(
      "The claim of a JWT that names the caller's tier: its name, or a path with dots (`app_metadata.tier`).",
    ),
  },
  JWT_COOKIE: {
    kind: "text",
    group: "rarely",
    description: describe("The cookie that holds a JWT where the request has none as its bearer."),
  },
} as const satisfies Record<string, Variable>;

/** Who is asking: what the request carries, what of it is believed, and the hash it is known by. No call to the store. */
export { clientAddress, ipv6Groups, normaliseAddress } from "./address.ts";
export type { Caller, Credentials, Identity, JwtClaim, KeyClaim, SessionClaim } from "./caller.ts";
export { readCredentials, SESSION_COOKIES, SESSION_TOKEN_PREFIX } from "./credentials.ts";
export { createIdentifier, type Identifier } from "./identity.ts";
export { type CallerResolver, createCallerResolver } from "./resolve.ts";
export { secretMatches } from "./secret.ts";
export { createVerifiedKeys, type VerifiedKeys } from "./verified-keys.ts";

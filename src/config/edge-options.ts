import { isObject } from "./check-given.ts";
import { limitOptions, type OptionTable } from "./edge-settings.ts";

/** Every option of `createEdge()`. */
export const edgeOptions: OptionTable = {
  of: "createEdge",
  mayBeList: /^(limits\.(allow|deny)|secrets|apiKeys|cors|jwt\.(secrets|audience))/,
  entry(value) {
    // Those of `apiKeys` alone are objects.
    if (!isObject(value)) return String(value);
    // One that there is none of makes a fourth, which the reader of the list refuses.
    const { key, name, tier, ...others } = value;
    return [key ?? "", name ?? "", tier ?? "", ...Object.keys(others)].map(String).join(":");
  },
  variables: {
    ...limitOptions.variables,
    "secrets.session": "SESSION_SECRET",
    "sessions.idleSeconds": "SESSION_IDLE_SECONDS",
    "sessions.absoluteSeconds": "SESSION_ABSOLUTE_SECONDS",
    "sessions.offlineGraceSeconds": "SESSION_OFFLINE_GRACE_SECONDS",
    "sessions.maxPerUser": "SESSION_MAX_PER_USER",
    "sessions.database": "SESSION_DB",
    "sessions.prefix": "REDIS_SESSION_PREFIX",
    "sessions.useRedis": "USE_REDIS_SESSIONS",
    "cache.ttlSeconds": "REDIS_CACHE_TTL",
    "cache.maxBodyBytes": "CACHE_MAX_BODY_BYTES",
    "cache.isolateBytes": "CACHE_ISOLATE_BYTES",
    "cache.prefix": "REDIS_CACHE_PREFIX",
    "cache.useRedis": "USE_REDIS_CACHE",
    apiKeys: "API_KEYS",
    "jwt.secrets": "JWT_SECRET",
    "jwt.jwksUrl": "JWT_JWKS_URL",
    "jwt.issuer": "JWT_ISSUER",
    "jwt.audience": "JWT_AUDIENCE",
    "jwt.tierClaim": "JWT_TIER_CLAIM",
    "jwt.cookie": "JWT_COOKIE",
    "cors.origins": "CORS_ALLOWED_ORIGINS",
    "cors.exposed": "CORS_EXPOSED_HEADERS",
  },
};

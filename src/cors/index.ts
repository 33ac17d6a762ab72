/** Cross-origin requests: the edge's business with `CORS_ALLOWED_ORIGINS`, else the origin's. */
export { type CorsPolicy, corsPolicy, dropOriginCors } from "./cors.ts";

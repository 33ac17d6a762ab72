import { Hono } from "hono/tiny";
import type { Config } from "../config/config.ts";
import { problem } from "../http/problem.ts";

/** Where the description of the edge's own paths is, below `/edge`, and of the file among the static ones. */
export const OPENAPI_PATH = "/openapi.json";
/** The base paths in the file: the variables' defaults. */
const BASE = /"\/(auth|health)(?=["/])/g;

/**
 * `GET /edge/openapi.json`: the description of the edge's own paths (OpenAPI 3.1), for anybody. It is a static file, which
 * `npm run docs` writes, with the base paths of this deployment. Without the binding `ASSETS` it is a 404.
 */
export function openapiRoutes({
  assets,
  authBasePath,
  healthPath,
}: Pick<Config, "assets" | "authBasePath" | "healthPath">) {
  const isAsWritten = authBasePath === "/auth" && healthPath === "/health";
  return new Hono().get(OPENAPI_PATH, async (c) => {
    const known = c.req.header("if-none-match");
    const headers = new Headers(known !== undefined && isAsWritten ? { "if-none-match": known } : {});
    const file = await assets?.fetch(new URL(`/edge${OPENAPI_PATH}`, c.req.url), { headers });
    if (!file || (file.status !== 200 && file.status !== 304)) throw problem("NOT_FOUND");
    if (isAsWritten) return file;
    const text = (await file.text()).replace(
      BASE,
      (_, name) => `"${name === "auth" ? authBasePath : healthPath}`,
    );
    return c.body(text, 200, { "content-type": "application/json" });
  });
}

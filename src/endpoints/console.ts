import { Hono } from "hono/tiny";
import type { Config } from "../config/config.ts";
import { plainPath } from "../http/path.ts";
import { problem } from "../http/problem.ts";
import type { EndpointEnv } from "./env.ts";

/** Where the operators' console is, and its files are among the static ones. */
export const CONSOLE_PATH = "/edge/console";

/**
 * The page runs its own files and asks its own host, and nobody else's page may show or script it. A link from anywhere may open it:
 * nothing of it is secret, and it acts only with a token that is typed into it.
 */
const FIELDS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache",
};

/** Names of files: nothing that any reader takes for a step to another folder. */
const FILE = /^\/edge\/console((?:\/\w[\w.-]*)+)$/;

/**
 * `GET /edge/console` and the files below it, on the console's host: the Worker fetches them by the binding of the static files. Without
 * the binding they are 404.
 */
export function consoleRoutes({ assets }: Pick<Config, "assets">) {
  return new Hono<EndpointEnv>().all("/console/*", async (c) => {
    const { request, url } = c.env.received;
    const path = fileAt(url.pathname);
    if (path === null) throw problem("NOT_FOUND");
    const { method } = request;
    if (method !== "GET" && method !== "HEAD")
      throw problem("METHOD_NOT_ALLOWED", { headers: { allow: "GET, HEAD" } });
    const known = request.headers.get("if-none-match");
    const headers = new Headers(known === null ? {} : { "if-none-match": known });
    const file = await assets?.fetch(new URL(path, url), { method, headers });
    if (!file || (file.status !== 200 && file.status !== 304)) throw problem("NOT_FOUND");
    const fields = new Headers(FIELDS);
    for (const name of ["content-type", "etag"]) {
      const value = file.headers.get(name);
      if (value !== null) fields.set(name, value);
    }
    return new Response(file.body, { status: file.status, headers: fields });
  });
}

/** The path by which the binding has a file; null where none can be meant. The page itself has that of its folder. */
function fileAt(pathname: string): string | null {
  if (pathname === CONSOLE_PATH) return `${CONSOLE_PATH}/`;
  if (pathname === `${CONSOLE_PATH}/` || pathname === `${CONSOLE_PATH}/index.html`) return `${CONSOLE_PATH}/`;
  return FILE.test(pathname) ? pathname : null;
}

/** Whether a path is the console's, in any spelling that a server may forgive. */
export function isConsolePath(url: URL): boolean {
  // Most paths have neither: this is asked of every request.
  if (!/console/i.test(url.pathname) && !url.pathname.includes("%")) return false;
  const path = plainPath(url.pathname);
  return path === CONSOLE_PATH || path.startsWith(`${CONSOLE_PATH}/`);
}

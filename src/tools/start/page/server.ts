import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";

/** What is sent to every page that opens, and again when it changes. */
export interface PageState {
  about: { edge: string; origin: string; store: string; console: string | null };
  routes: unknown[];
  tour: { says: string; shell: string }[];
  /** Why the Worker does not run as its files say; null: it does. */
  problem: string | null;
}

export interface PageOptions {
  port: number;
  state(): PageState;
  /** The requests so far, oldest first. */
  requests(): readonly unknown[];
  /** Runs one step of the tour, and resolves with what it prints. */
  runStop(index: number): Promise<string>;
}

export interface Page {
  url: string;
  /** Sends one event to every open page. */
  send(event: "request" | keyof PageState, data: unknown): void;
  stop(): Promise<void>;
}

const FILES: Readonly<Record<string, { file: string; type: string }>> = {
  "/": { file: "page.html", type: "text/html; charset=utf-8" },
  "/page.css": { file: "page.css", type: "text/css; charset=utf-8" },
  "/page.js": { file: "page.js", type: "text/javascript; charset=utf-8" },
};

/** Nothing runs on the page but its own file: a request's path that is written as markup does nothing. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

const MAX_PAGES = 20;
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/**
 * The page of a development run, on loopback. Another host name in `Host` is refused: a site of the web may point its own name at
 * 127.0.0.1 and read what stands here.
 *
 * @throws Error where the port is taken.
 */
export async function startPage(options: PageOptions): Promise<Page> {
  const open = new Set<ServerResponse>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(`http://page${request.url?.startsWith("/") ? request.url : "/"}`);
    if (!LOOPBACK_HOST.test(request.headers.host ?? ""))
      return text(response, 403, "Only loopback names are answered.");
    const stop = /^\/tour\/(\d{1,3})$/.exec(pathname)?.[1];
    if (stop !== undefined) return runStop(request, response, Number(stop));
    if (request.method !== "GET") return text(response, 405, "Only GET.");
    if (pathname === "/events") return stream(response);
    const file = Object.hasOwn(FILES, pathname) ? FILES[pathname] : undefined;
    if (!file) return text(response, 404, "There is one page: /");
    const body = await readFile(join(import.meta.dirname, file.file));
    response.writeHead(200, { ...HEADERS, "content-type": file.type }).end(body);
  }

  async function runStop(request: IncomingMessage, response: ServerResponse, index: number): Promise<void> {
    if (request.method !== "POST") return text(response, 405, "Only POST.");
    if (!isOwnPage(request)) return text(response, 403, "Only this page may do that.");
    if (index >= options.state().tour.length) return text(response, 404, "There is no such step.");
    text(response, 200, await options.runStop(index));
  }

  function stream(response: ServerResponse): void {
    if (open.size >= MAX_PAGES) {
      text(response, 503, "Too many pages are open.");
      return;
    }
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    for (const [name, data] of Object.entries(options.state())) response.write(message(name, data));
    for (const request of options.requests()) response.write(message("request", request));
    open.add(response);
    response.on("close", () => open.delete(response));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    send(event, data) {
      for (const response of open) response.write(message(event, data));
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** JSON has no line break in it, so that no data can end the event (HTML, "Server-sent events"). */
function message(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Fetch Metadata of browsers; a program without either field is on this machine. */
function isOwnPage({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": "text/plain; charset=utf-8" }).end(`${body}\n`);
}

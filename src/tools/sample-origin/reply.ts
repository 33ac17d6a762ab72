import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
}

/** Sends JSON with an ETag, or 304 where the client has that version. */
export function json(
  { request, response }: Exchange,
  status: number,
  body: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  const text = `${JSON.stringify(body)}\n`;
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 16)}"`;
  const common = { "content-type": "application/json", etag, ...headers };
  if (status === 200 && request.headers["if-none-match"] === etag) {
    response.writeHead(304, common).end();
    return;
  }
  response.writeHead(status, { ...common, "content-length": Buffer.byteLength(text) });
  response.end(request.method === "HEAD" ? undefined : text);
}

/** The body as JSON, or null where it is none. Bodies of more than 64 KiB are none. */
export async function bodyJson(request: IncomingMessage): Promise<Record<string, unknown> | null> {
  let text = "";
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length > 65_536) return null;
  }
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** An object as base64url of JSON, for a header field to the edge. */
export function headerJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

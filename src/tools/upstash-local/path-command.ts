import type { ParsedBody } from "./body.ts";

/** The query parameter that may carry the token. */
export const TOKEN_PARAMETER = "_token";

/**
 * Reads the command that a URL names, as Upstash documents it: `/set/foo/bar/EX/100`. A body is the last argument of the path, and
 * the query's parameters follow it: a POST of `value` to `/set/foo?EX=100` is `SET foo value EX 100`.
 *
 * @param path The path as it was sent, with its percent-encoding.
 * @param body The bytes of the body; empty: none.
 */
export function pathCommand(path: string, query: URLSearchParams, body: Buffer): ParsedBody {
  const segments = decoded(path.slice(1).split("/"));
  if (!segments) return { kind: "malformed", error: "ERR the path is not percent-encoded UTF-8" };
  const options = [...query]
    .filter(([name]) => name !== TOKEN_PARAMETER)
    .flatMap(([name, value]) => (value === "" ? [name] : [name, value]));
  const value = body.length > 0 ? [argument(body)] : [];
  return { kind: "commands", commands: [[...segments, ...value, ...options]] };
}

function decoded(segments: readonly string[]): string[] | null {
  try {
    return segments.map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** Text where the bytes are text, so that a call that is remembered can be read. */
function argument(bytes: Buffer): string | Buffer {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

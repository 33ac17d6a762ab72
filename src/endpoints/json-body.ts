import * as z from "zod/mini";
import { BODY_SILENCE_MS, contentLength, isCoded } from "../http/content.ts";
import { problem } from "../http/problem.ts";
import type { Platform } from "../runtime/platform.ts";
import { type BadInputCode, badInput, bodyIssues } from "./bad-input.ts";

export interface JsonBodyOptions<Schema> {
  schema: Schema;
  /** The code of a body that is not understood. */
  code: BadInputCode;
  /** The code where the schema finds these issues. Default `code`. */
  codeOf?(error: z.core.$ZodError): BadInputCode;
  /** Bytes. Default {@link MAX_BODY_BYTES}. */
  maxBytes?: number;
  platform: Pick<Platform, "timer">;
}

/** An operator's longest body: 300 paths of 4096 characters fit. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** JSON's own types (RFC 8259 §11, RFC 6839 §3.1). */
const JSON_TYPE = /^(application|text)\/([\w.!#$&^-]+\+)?json[ \t]*(;|$)/i;
/**
 * What programs say of a body where nobody has chosen a type: `curl -d`, and `fetch` of a text, byte by byte. No token of the
 * edge's stands in a cookie, so that a form on another's page cannot send one of these with a token.
 */
const UNCHOSEN = ["application/x-www-form-urlencoded", "text/plain;charset=utf-8"];

/**
 * Reads a request's JSON and holds it to a schema.
 *
 * @throws Problem 415 for another type or a coding, 413 for more bytes than that, 408 for a body that does not end in 60 s, 400 for one
 *   that breaks off, else the code's with the place and the reason of each issue.
 */
export async function readJson<Schema extends z.core.$ZodType>(
  request: Request,
  { schema, code, codeOf = () => code, maxBytes = MAX_BODY_BYTES, platform }: JsonBodyOptions<Schema>,
): Promise<{ data: z.output<Schema>; text: string }> {
  checkType(request.headers);
  const bytes = await readBytes(request, maxBytes, platform);
  const whole = (reason: string) => badInput(code, [{ in: "body", field: "body", reason }]);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw whole("must be UTF-8");
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw whole("must be JSON");
  }
  const parsed = z.safeParse(schema, body, { reportInput: true });
  if (!parsed.success) throw badInput(codeOf(parsed.error), bodyIssues(parsed.error));
  return { data: parsed.data, text };
}

function checkType(headers: Headers): void {
  const type = headers.get("content-type");
  const isJson = type === null || JSON_TYPE.test(type) || UNCHOSEN.includes(type.toLowerCase());
  if (!isJson) throw unsupported("Content-Type", "must be application/json", { accept: "application/json" });
  // RFC 9110 §15.5.16: the answer names the codings that are understood.
  if (isCoded(headers))
    throw unsupported("Content-Encoding", "must be absent", { "accept-encoding": "identity" });
}

function unsupported(field: string, reason: string, headers: Record<string, string>) {
  const errors = [{ in: "header", field, reason }];
  return problem("UNSUPPORTED_CONTENT", {
    values: { reason: `${field} ${reason}.` },
    headers,
    members: { errors },
  });
}

/** The whole body. What is too long is not read on. */
async function readBytes(
  { body, headers }: Request,
  maxBytes: number,
  platform: Pick<Platform, "timer">,
): Promise<Uint8Array<ArrayBuffer>> {
  if ((contentLength(headers) ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  let late = false;
  const stop = platform.timer(BODY_SILENCE_MS, () => {
    late = true;
    void reader.cancel().catch(() => {});
  });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (late) throw problem("CONTENT_STALLED");
      if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
      length += value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      chunks.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  } finally {
    stop();
  }
}

function brokenOff(): never {
  throw problem("CONTENT_BROKEN_OFF");
}

function tooLarge(maxBytes: number) {
  const reason = `must have at most ${maxBytes} bytes`;
  const errors = [{ in: "body", field: "body", reason }];
  return problem("CONTENT_TOO_LARGE", { values: { bytes: maxBytes }, members: { errors } });
}

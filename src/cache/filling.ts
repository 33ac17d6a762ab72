import { hex } from "../hex.ts";
import { identityBody } from "./body.ts";
import { collect } from "./collect.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { prepareWrite } from "./redis-tier.ts";
import { claimOf, type ResponseFacts, responseDirectives, retentionSeconds, storing } from "./rules/index.ts";
import { tagsOf } from "./tags.ts";

/** An entry without its body: what is known once the header section is there. */
export type Outline = Omit<Entry, "body">;

/** What is stored of a response, but for its body; null where it may not be (RFC 9111 §3). */
export async function outlineOf(
  context: CacheContext,
  response: ResponseFacts,
  requestTime: number,
): Promise<Outline | null> {
  const { rule, asker, selecting } = context;
  const { platform } = context.parts;
  const responseTime = platform.now();
  const { method, url, headers } = context.request.request;
  const coding = response.headers.get("content-encoding")?.trim().toLowerCase();
  // The runtime hands these over decoded; what is stored is the identity form.
  const decoded = coding === "gzip" || coding === "br";
  const verdict = storing({
    request: { method, url, headers },
    response: decoded ? withoutCoding(response) : response,
    requestTime,
    responseTime,
    asker,
    rule,
  });
  if (verdict.kind === "refuse") return null;
  const { stored, freshness } = verdict;
  if (!selecting.canTell(stored.vary)) await selecting.hide();
  return {
    id: hex(platform.randomBytes(12)),
    variant: selecting.variant(stored.vary),
    meta: stored,
    shareable: claimOf(response, responseDirectives(response.headers)) === "shareable",
    tags: tagsOf(response.headers, rule.tags),
    keepUntil: responseTime + retentionSeconds(stored, freshness, responseTime) * 1000,
    decoded,
  };
}

/**
 * Gathers a body for an outline and keeps both.
 *
 * @returns the entry, or null where the body is too long, broke off, or is not as long as was said.
 */
export async function fill(
  context: CacheContext,
  outline: Outline,
  body: ReadableStream<Uint8Array> | null,
  lengthSaid: number | null,
): Promise<Entry | null> {
  const bytes = await collect(body, context.parts.maxBodyBytes, lengthSaid);
  if (!bytes) return null;
  const entry: Entry = { ...outline, body: identityBody(bytes) };
  await keep(context, entry);
  return entry;
}

/** In the isolate at once, in Redis after the response. */
export async function keep({ parts, key, request, isNew }: CacheContext, entry: Entry): Promise<void> {
  const { tier, redisKey, platform } = parts;
  tier.put(key, entry);
  if (!redisKey) return;
  const write = await prepareWrite(redisKey(key), entry, platform.now(), isNew);
  // It has grown by its gzip form.
  tier.weigh(key, entry);
  request.after(write);
}

/** `Content-Length`, where it counts the bytes that are read here: not those of a coding that the runtime undid. */
export function lengthSaid(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d+$/.test(text) && !headers.has("content-encoding") ? Number(text) : null;
}

function withoutCoding({ status, headers }: ResponseFacts): ResponseFacts {
  const identity = new Headers(headers);
  identity.delete("content-encoding");
  identity.delete("content-length");
  return { status, headers: identity };
}

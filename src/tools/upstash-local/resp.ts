/**
 * A reply of Redis in RESP2, its wire protocol, byte for byte: a simple string is a text, a bulk string a Buffer, because values need not
 * be text, and an integer beyond 2^53 a bigint.
 */
export type RespReply = string | number | bigint | Buffer | null | RespError | RespReply[];

/** A command as Redis gets it: its name and its arguments. */
export type Command = readonly (string | Buffer)[];

/**
 * An error reply of Redis. It is a value, because one failed command must not fail the others.
 *
 * @example
 * import { RespError, startUpstashLocal } from "envoyou-edge/local";
 *
 * const upstash = await startUpstashLocal();
 * const reply = await upstash.redis.command("INCR");
 * if (reply instanceof RespError) console.error(reply.code, reply.message);
 */
export class RespError extends Error {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "RespError";

  /** The first word of Redis's message: `NOSCRIPT`, `WRONGTYPE`, `ERR`. */
  get code(): string {
    return this.message.split(" ", 1)[0] ?? "ERR";
  }
}

/** A command as Redis reads it: an array of bulk strings. */
export function encodeCommand(args: Command): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** Cuts a stream of bytes into replies. A simple string comes as a string, a bulk string as a Buffer. */
export class RespParser {
  #buffer: Buffer = Buffer.alloc(0);

  /**
   * @returns the replies that are complete with these bytes.
   * @throws Error when the bytes are not RESP2; nothing after that can be trusted.
   */
  push(chunk: Buffer): RespReply[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const replies: RespReply[] = [];
    let at = 0;
    for (;;) {
      const parsed = parseAt(this.#buffer, at);
      if (!parsed) break;
      replies.push(parsed.reply);
      at = parsed.end;
    }
    this.#buffer = this.#buffer.subarray(at);
    return replies;
  }
}

function parseAt(buffer: Buffer, start: number): { reply: RespReply; end: number } | null {
  const lineEnd = buffer.indexOf("\r\n", start);
  if (lineEnd === -1) return null;
  const text = buffer.toString("utf8", start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (buffer[start]) {
    case 0x2b: // +
      return { reply: text, end: next };
    case 0x2d: // -
      return { reply: new RespError(text), end: next };
    case 0x3a: // :
      return { reply: integer(text), end: next };
    case 0x24: {
      // $
      const length = Number(text);
      if (length === -1) return { reply: null, end: next };
      if (buffer.length < next + length + 2) return null;
      return { reply: Buffer.from(buffer.subarray(next, next + length)), end: next + length + 2 };
    }
    case 0x2a: {
      // *
      const count = Number(text);
      if (count === -1) return { reply: null, end: next };
      const items: RespReply[] = [];
      let end = next;
      for (let index = 0; index < count; index += 1) {
        const item = parseAt(buffer, end);
        if (!item) return null;
        items.push(item.reply);
        end = item.end;
      }
      return { reply: items, end };
    }
    default:
      throw new Error("Redis sent something that is not RESP2");
  }
}

/** Redis counts in 64 bits; a double would round the large ones. */
function integer(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** A program's request to a server that may do anything: with a deadline for all of it, and an error that says what failed. */

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds for the connection, the answer and its content together. Default 10,000. */
  deadlineMs?: number;
}

/** What came back. Redirects are answers too. */
export interface Answer {
  status: number;
  headers: Headers;
  /** At most {@link MAX_TEXT} characters. */
  text: string;
}

/** The server did not answer. The message is a sentence without address or header field, for neither may be shown. */
export class AskError extends Error {
  override readonly name = "AskError";
  /** The system's or TLS's own code (`ENOTFOUND`, `CERT_HAS_EXPIRED`), `TIMEOUT`, or `UNKNOWN`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const DEADLINE_MS = 10_000;
const MAX_TEXT = 65_536;

/** One request, no redirect followed. @throws AskError */
export async function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { deadlineMs = DEADLINE_MS, ...init } = options;
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AskError("TIMEOUT", `no answer within ${deadlineMs / 1000} s`));
      abort.abort();
    }, deadlineMs);
  });
  try {
    return await Promise.race([late, attempt(url, { ...init, signal: abort.signal })]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(url: string, init: RequestInit): Promise<Answer> {
  try {
    const { status, headers, body } = await fetch(url, { ...init, redirect: "manual" });
    return { status, headers, text: body ? await beginning(body) : "" };
  } catch (error) {
    throw failureOf(error);
  }
}

/** A stream that never ends has a beginning too. */
async function beginning(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= MAX_TEXT) break;
  }
  return text.slice(0, MAX_TEXT);
}

const SENTENCES: Record<string, string> = {
  ENOTFOUND: "no such host: the name does not resolve",
  EAI_AGAIN: "the name cannot be resolved: DNS does not answer",
  ECONNREFUSED: "nothing listens there: the connection is refused",
  ECONNRESET: "the connection broke before an answer",
  EPIPE: "the connection broke before an answer",
  UND_ERR_SOCKET: "the connection broke before an answer",
  ETIMEDOUT: "no connection: the host does not answer",
  UND_ERR_CONNECT_TIMEOUT: "no connection: the host does not answer",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  UND_ERR_HEADERS_OVERFLOW: "the answer's header fields are too long",
  ERR_SSL_WRONG_VERSION_NUMBER: "it speaks no TLS on that port: is it http://?",
  EPROTO: "TLS failed: is it http://?",
  CERT_HAS_EXPIRED: "its TLS certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its TLS certificate is for another host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its TLS certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its TLS certificate is signed by nobody known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its TLS certificate is signed by nobody known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its TLS certificate is signed by nobody known",
};

/** What `fetch` threw, as a sentence. Of the error only its code is kept: its text may quote addresses and fields. */
export function failureOf(error: unknown): AskError {
  if (error instanceof AskError) return error;
  const code = codeOf(error) ?? "UNKNOWN";
  const tls = /^(CERT|ERR_TLS|ERR_SSL|UNABLE_TO)_/.test(code);
  const sentence =
    SENTENCES[code] ??
    (code.startsWith("HPE_")
      ? "what answers there speaks no HTTP"
      : tls
        ? "TLS failed"
        : "it cannot be reached");
  return new AskError(code, `${sentence}${code === "UNKNOWN" ? "" : ` (${code})`}`);
}

/** The code in the error, its causes, or the errors that it gathers (one for each address of a host). */
function codeOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 5) return undefined;
  const { code, cause, errors, name } = error as Record<"code" | "cause" | "errors" | "name", unknown>;
  // Node gives this one no code.
  if (name === "HTTPParserError") return "HPE_INVALID";
  const inside = [cause, ...(Array.isArray(errors) ? errors : [])];
  const found = inside.map((each) => codeOf(each, depth + 1)).find((each) => each !== undefined);
  return found ?? (typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined);
}

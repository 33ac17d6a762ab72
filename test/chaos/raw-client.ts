import { createConnection, type Socket } from "node:net";

export interface RawReply {
  /** 0: the connection ended without an answer. */
  status: number;
  body: string;
  /** Whether the Worker answered it, not the HTTP server in front. */
  byEdge: boolean;
}

/**
 * A client that sends the bytes it is given and reads the answer. No library corrects the request. It keeps its connection
 * and sends one request at a time.
 */
export class RawClient {
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** @param request The whole request, as latin1. */
  async send(request: string, { head = false } = {}): Promise<RawReply> {
    const kept = this.#socket !== null;
    const reply = await this.#sendOnce(request, head);
    // A server may close an idle connection while a client sends on it (RFC 9112 §9.3.1).
    return kept && reply === CLOSED ? this.#sendOnce(request, head) : reply;
  }

  #sendOnce(request: string, head: boolean): Promise<RawReply> {
    const socket = this.#socket ?? createConnection(this.#port, "127.0.0.1");
    this.#socket = socket;
    return new Promise((resolve) => {
      let text = "";
      const finish = (reply: RawReply, keep: boolean) => {
        socket.removeAllListeners();
        socket.on("error", () => {});
        if (!keep) {
          socket.destroy();
          this.#socket = null;
        }
        resolve(reply);
      };
      socket.setNoDelay(true);
      socket.setTimeout(10_000, () => finish({ ...NOTHING, body: "no answer within ten seconds" }, false));
      const ended = () => finish(replyIn(text, head, true) ?? (text === "" ? CLOSED : NOTHING), false);
      socket.on("error", ended);
      socket.on("close", ended);
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        const reply = replyIn(text, head, false);
        if (reply) finish(reply, !/^connection: *close/im.test(text.slice(0, text.indexOf("\r\n\r\n"))));
      });
      socket.write(Buffer.from(request, "latin1"));
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }
}

const CLOSED: RawReply = { status: 0, body: "the connection ended", byEdge: false };
const NOTHING: RawReply = { status: 0, body: "half an answer", byEdge: false };

/** The answer in the bytes so far, or null while it is incomplete. */
function replyIn(text: string, head: boolean, ended: boolean): RawReply | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const fields = text.slice(0, end);
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(fields)?.[1] ?? 0);
  const byEdge = /^x-request-id:/im.test(fields);
  const rest = text.slice(end + 4);
  if (status === 100) return replyIn(rest, head, ended);
  if (head || status === 204 || status === 304) return { status, body: "", byEdge };
  const length = /^content-length: *(\d+)/im.exec(fields)?.[1];
  if (length !== undefined) {
    return rest.length >= Number(length) || ended
      ? { status, body: rest.slice(0, Number(length)), byEdge }
      : null;
  }
  if (/^transfer-encoding: *chunked/im.test(fields)) {
    return /(^|\r\n)0\r\n\r\n$/.test(rest) || ended ? { status, body: rest, byEdge } : null;
  }
  return ended ? { status, body: rest, byEdge } : null;
}

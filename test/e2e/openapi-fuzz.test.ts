import { request as httpRequest } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consoleFiles } from "../../src/tools/openapi/console-operations.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { describedBy } from "../support/openapi/described.ts";
import { type Input, inputsOf, operations } from "../support/openapi/inputs.ts";

const SEED = 186;
const INPUTS = 200;
const METRICS_TOKEN = "metrics-token-of-this-test-only-0123";
const CONSOLE_HOST = "console.example";
/** Inputs that carry the same session: some of them end it. */
const INPUTS_PER_SESSION = 5;
/** In the place of a session's token and id until an input is sent. */
const SESSION = "es1.the-session";
const SESSION_ID = "the-id-of-the-session";
/** A body that goes out with the header fields, in one packet. */
const SENT_AT_ONCE_BYTES = 1000;
/** Requests in flight. */
const AT_ONCE = 8;

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness({ assets: true, vars: { METRICS_TOKEN, CONSOLE_HOST } });
});
afterAll(() => harness.stop());

const undescribed = describedBy();

interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

/** Sends what `fetch` refuses to: content with a GET, fields that it keeps for itself. Null where the connection was closed. */
function send({ method, target, headers, body }: Input, host?: string): Promise<Answer | null> {
  const fields = {
    ...grouped(headers),
    ...(host && { host }),
    ...(body && { "content-length": String(body.length) }),
  };
  return new Promise((resolve, reject) => {
    const options = { method, headers: fields, agent: false };
    const request = httpRequest(`${harness.edge.url}${target}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const pairs = Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        const { statusCode: status = 0 } = response;
        resolve({ status, headers: new Headers(pairs), body: Buffer.concat(chunks).toString() });
      });
    });
    // Whoever is answered before all is sent may find the connection closed, and the answer lost (RFC 9112 §9.6).
    const mayBeLost = (body?.length ?? 0) > SENT_AT_ONCE_BYTES;
    request.on("error", (error) => (mayBeLost ? resolve(null) : reject(error)));
    request.end(body ?? undefined);
  });
}

/** What is wrong with the answer to an input. */
function issuesOf(input: Input, { status, headers, body }: Answer): string[] {
  const path = input.target.replace(/\?.*$/s, "");
  if (status >= 500) return [`${status}: ${body}`];
  const issues = undescribed({ method: input.method, path, status, headers, body });
  if (issues !== null) return issues;
  // No operation: below /edge it is refused by the edge, elsewhere it is the API's.
  if (!path.startsWith("/edge/") || input.method === "HEAD") return [];
  const { code } = JSON.parse(body) as { code: string };
  return ["NOT_FOUND", "TOKEN_REQUIRED", "TOO_MANY_FAILURES", "METHOD_NOT_ALLOWED"].includes(code)
    ? []
    : [`${status} ${code}`];
}

describe(`${INPUTS} inputs to each operation bring no 5xx and no answer that is not described`, () => {
  it.each(operations.map((operation) => [operation.id, operation] as const))(
    "%s",
    async (_, operation) => {
      const tokens = { ...harness.secrets, metrics: METRICS_TOKEN, session: SESSION, sessionId: SESSION_ID };
      const inputs = fc.sample(inputsOf(operation, tokens), { seed: SEED, numRuns: INPUTS });
      const host = consoleFiles.includes(operation) ? CONSOLE_HOST : undefined;
      const found: string[] = [];
      const statuses = new Set<number>();
      const waiting = await withSessions(operation.id, inputs);
      const worker = async () => {
        for (let input = waiting.shift(); input; input = waiting.shift()) {
          const answer = await send(input, host);
          if (!answer) continue;
          statuses.add(answer.status);
          for (const issue of issuesOf(input, answer)) found.push(`${shown(input)}\n  ${issue}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect(found.slice(0, 10)).toEqual([]);
      const [success] = Object.keys(operation.answers);
      expect([...statuses], "the inputs come past the checks").toContain(Number(success));
      expect(statuses.size, "and not all of them").toBeGreaterThan(1);
    },
    300_000,
  );
});

/** The inputs with sessions in them that live, as far as none of them ends its own. */
async function withSessions(name: string, inputs: readonly Input[]): Promise<Input[]> {
  const count = Math.ceil(inputs.length / INPUTS_PER_SESSION);
  const sessions: { token: string; id: string }[] = [];
  for (let at = 0; at < count; at += 1) sessions.push(await newSession(`${name}-${at}`));
  return inputs.map((input, at) => {
    const { token, id } = sessions[Math.floor(at / INPUTS_PER_SESSION)] ?? { token: "", id: "" };
    const headers = input.headers.map(([field, value]): [string, string] => [
      field,
      value.replaceAll(SESSION, token),
    ]);
    return { ...input, target: input.target.replace(SESSION_ID, id), headers };
  });
}

async function newSession(user_id: string) {
  const { token, session } = (await (
    await harness.edge.fetch("/auth/sessions", {
      method: "POST",
      headers: { authorization: `Bearer ${harness.secrets.service}` },
      body: JSON.stringify({ user_id }),
    })
  ).json()) as { token: string; session: { session_id: string } };
  return { token, id: session.session_id };
}

function grouped(headers: Input["headers"]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const [name, value] of headers) {
    fields[name] ??= [];
    fields[name].push(value);
  }
  return fields;
}

function shown({ method, target, headers, body }: Input): string {
  return `${method} ${target} ${JSON.stringify(headers)} ${body?.toString("latin1").slice(0, 200) ?? ""}`;
}

import { type Answer, ask } from "../ask.ts";
import type { VerifyOptions } from "./outcome.ts";

/** The code of a problem body, or null for another answer. */
function problemCode({ headers, text }: Answer): string | null {
  if (!headers.get("content-type")?.includes("json")) return null;
  try {
    const body = JSON.parse(text) as unknown;
    const code = typeof body === "object" && body !== null && "code" in body ? body.code : null;
    return typeof code === "string" ? code : null;
  } catch {
    return null;
  }
}

/** Codes with which the edge itself says that a limit is used up. */
const OWN_CODES: ReadonlySet<string> = new Set(["RATE_LIMIT_EXCEEDED", "TOO_MANY_FAILURES"]);

/** A 429 of the edge. Others are those of the API behind it, or of Cloudflare before it. */
export function isOwnRefusal(answer: Answer): boolean {
  return answer.status === 429 && OWN_CODES.has(problemCode(answer) ?? "");
}

/** An answer in words: its status, and the code of a problem or what else it is. */
export function shown(answer: Answer): string {
  const code = problemCode(answer);
  if (code !== null) return `${answer.status} ${code}`;
  if (answer.status !== 429) return String(answer.status);
  return `429, which is not the edge's: your API's own limit, or a rule at Cloudflare`;
}

export function retryAfter({ headers }: Answer): number {
  return Number(headers.get("retry-after") ?? Number.NaN);
}

/**
 * Asks, and where the edge's own limit is used up waits until it is not.
 *
 * @returns the last answer: still a refusal where the wait would be longer than `waitSeconds`.
 * @throws AskError
 */
export async function askAfterLimit(
  { waitSeconds = 65, sleep = realSleep }: Pick<VerifyOptions, "waitSeconds" | "sleep">,
  url: string,
  headers: Record<string, string>,
): Promise<Answer> {
  let answer = await ask(url, { headers });
  for (let waited = 0; isOwnRefusal(answer); ) {
    const seconds = retryAfter(answer);
    if (!(seconds >= 1) || waited + seconds > waitSeconds) return answer;
    console.error(`  ${new URL(url).pathname}: its limit is used up; waiting ${seconds} s for it`);
    await sleep(seconds * 1000);
    waited += seconds;
    answer = await ask(url, { headers });
  }
  return answer;
}

const realSleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

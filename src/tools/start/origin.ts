import { withoutUnseenEnds } from "../../config/read-secrets.ts";
import { readUrl } from "../../config/read-url.ts";

/** The developer's own API, and where its address stands. */
export interface OwnOrigin {
  url: string;
  /** `--origin`, `ORIGIN_URL in the environment`, or `.dev.vars`. */
  from: string;
}

export interface OriginSources {
  /** The value of `--origin`. */
  option?: string | undefined;
  /** `ORIGIN_URL` of the environment. */
  environment?: string | undefined;
  /** `ORIGIN_URL` of the developer's file. */
  own?: string | undefined;
  /** That file's name. */
  file?: string | null;
}

/**
 * The API that is asked: `--origin`, else `ORIGIN_URL` of the environment, else of `.dev.vars`; null: none is named. A value
 * of the environment or the file is the Worker's, read as it stands; `--origin` may omit `http://`.
 *
 * @throws Error that says what is wrong with the address.
 */
export function ownOrigin({ option, environment, own, file }: OriginSources): OwnOrigin | null {
  if (option !== undefined) {
    return checked(option.includes("://") ? option : `http://${option}`, "--origin");
  }
  if (environment?.trim()) return checked(environment, "ORIGIN_URL in the environment");
  if (own?.trim()) return checked(own, file ?? ".dev.vars");
  return null;
}

function checked(text: string, from: string): OwnOrigin {
  let issue = "";
  const meant = withoutUnseenEnds(text);
  const url = readUrl(meant, (found, fix) => {
    issue = `found ${found}. ${fix}`;
  });
  if (!url) throw new Error(`The address of your API, from ${from}: ${issue}`);
  return { url: meant, from };
}

/**
 * Asks an origin for its root, whatever it answers.
 *
 * @returns null when it answers; else why it does not, in a few words.
 */
export async function unreachable(url: string, withinMs = 2000): Promise<string | null> {
  try {
    const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(withinMs) });
    await answer.body?.cancel();
    return null;
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError")
      return `no answer within ${withinMs / 1000} s`;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    // Node puts the reasons of several addresses into an AggregateError without a message.
    const { code } = cause as NodeJS.ErrnoException;
    return (cause instanceof Error && cause.message) || code || String(cause);
  }
}

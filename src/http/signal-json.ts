import { fromBase64 } from "../runtime/base64.ts";

/**
 * The JSON value of a signal field of the origin (`X-Edge-Session`, `X-Edge-Caller`), which is JSON or base64url of it:
 * a field's value is ASCII, and not every framework escapes the rest.
 *
 * @returns undefined where the text is neither.
 */
export function signalJson(text: string): unknown {
  const plain = parsed(text);
  return plain === undefined ? parsed(new TextDecoder().decode(fromBase64(text))) : plain;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

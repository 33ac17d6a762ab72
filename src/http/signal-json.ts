/**
 * The text of a signal field of the origin (`X-Edge-Session`, `X-Edge-Caller`), which is JSON or base64url of it: a field's
 * value is ASCII, and not every framework escapes the rest.
 *
 * @returns the JSON; undefined where the field has neither form. Nor has it where bytes are no UTF-8: replaced by one and the
 *   same character, they would make one user of several.
 */
export function signalText(field: string): string | undefined {
  // What the runtime, which decodes fields, puts in the place of bytes that it cannot decode.
  if (field.includes("\ufffd")) return undefined;
  const text = field.trim();
  return isJson(text) ? text : decoded(text);
}

/** The value of {@link signalText}. */
export function signalJson(field: string): unknown {
  const text = signalText(field);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

function decoded(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return isJson(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import type { Context } from "hono";
import { mutableResponse } from "../http/mutable-response.ts";
import { addVary } from "../http/vary.ts";

/** Fields that a cache goes by, and those of the content: they belong to the answer. */
const OF_THE_ANSWER =
  /^(content-.*|vary|cache-control|.*-cache-control|expires|pragma|age|etag|last-modified)$/;

/**
 * The fields that the app has set before this middleware runs (`cors()`, `c.header()`). They belong to this request: each of its answers
 * has them, a refusal and a stored answer too, and none is stored with them.
 */
export class EarlierFields {
  readonly #fields: readonly (readonly [name: string, value: string])[];

  constructor(c: Context) {
    const { finalized } = c;
    this.#fields = [...c.res.headers];
    if (this.#fields.length > 0 || finalized) return;
    // Hono makes a response in order to show its fields, and copies the handlers' answer because of it.
    c.res = undefined;
    c.finalized = false;
  }

  /** The handlers' answer without them. */
  without(answer: Response): Response {
    const own = this.#fields.filter(([name]) => !OF_THE_ANSWER.test(name));
    if (own.length === 0) return answer;
    const response = mutableResponse(answer);
    const cookies = response.headers.getSetCookie();
    const earlier = new Set(own.flatMap(([name, value]) => (name === "set-cookie" ? [value] : [])));
    for (const [name, value] of own) {
      if (name !== "set-cookie" && response.headers.get(name) === value) response.headers.delete(name);
    }
    if (earlier.size > 0) {
      response.headers.delete("set-cookie");
      for (const cookie of cookies) if (!earlier.has(cookie)) response.headers.append("set-cookie", cookie);
    }
    return response;
  }

  /** An answer with them. What the answer says itself stays, but for what another request's answer may have been given. */
  addTo(answer: Response): Response {
    if (this.#fields.length === 0 || answer.status === 101) return answer;
    const { headers } = answer;
    for (const [name, value] of this.#fields) {
      if (name === "vary") addVary(headers, value.split(","));
      else if (name === "set-cookie") headers.append(name, value);
      else if (!headers.has(name)) headers.set(name, value);
    }
    return answer;
  }
}

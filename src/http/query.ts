/** What stands between two `&` of a query. */
export interface QueryPair {
  /** As it was written. */
  text: string;
  /** The parameter's name, decoded as `URLSearchParams` decodes it. */
  name: string;
  /**
   * Every name that an origin may find in it: beside `name` those of its parts, for an origin that splits a query at `;`
   * too (Rack before 3, Perl's CGI.pm, Python before 3.9.2).
   */
  names: readonly string[];
}

/** The query as it was written, without the `?`; null where the URL has none, which is not the same as an empty one. */
export function queryOf({ href }: URL): string | null {
  const [withoutFragment = ""] = href.split("#", 1);
  const start = withoutFragment.indexOf("?");
  return start === -1 ? null : withoutFragment.slice(start + 1);
}

/** The pairs of a query in their order, empty ones included. */
export function queryPairs(query: string): QueryPair[] {
  return query.split("&").map((text) => {
    const name = nameOf(text);
    const names = text.includes(";") ? [...new Set([name, ...text.split(";").map(nameOf)])] : [name];
    return { text, name, names };
  });
}

function nameOf(text: string): string {
  // Without an escape the name is what it says, and most have none: this is read with every request.
  if (!/[%+]/.test(text)) return text.split("=", 1)[0] ?? "";
  // A leading `?` would be cut off; behind an `&` it is part of the name.
  const [name = ""] = new URLSearchParams(`&${text}`).keys();
  return name;
}

/** The two parts of `ORIGIN_URL` that every request's address begins with. */
interface Base {
  origin: string;
  path: string;
}

const bases = new WeakMap<URL, Base>();

function baseOf(url: URL): Base {
  const known = bases.get(url);
  if (known) return known;
  const base = { origin: url.origin, path: url.pathname.replace(/\/+$/, "") };
  bases.set(url, base);
  return base;
}

/** An address at the origin. It is parsed only where its parts are wanted: most requests need its text alone. */
export class OriginUrl {
  readonly href: string;
  /** The path of `ORIGIN_URL` without a slash at its end, which no client knows; often "". */
  readonly basePath: string;
  #url: URL | null = null;

  constructor(href: string, basePath: string) {
    this.href = href;
    this.basePath = basePath;
  }

  get host(): string {
    return this.#parsed().host;
  }

  get searchParams(): URLSearchParams {
    return this.#parsed().searchParams;
  }

  #parsed(): URL {
    this.#url ??= new URL(this.href);
    return this.#url;
  }
}

/**
 * The origin's URL for a request: its scheme, host and base path with the request's path and query. The path is put behind
 * the host and not resolved, because `//evil.example/x` would resolve to another host.
 *
 * @param base `ORIGIN_URL`: http or https, without user, query and fragment.
 */
export function originUrl(base: URL, requested: URL): OriginUrl {
  const { origin, path } = baseOf(base);
  // `search` is "" for an empty query too, and an origin may tell `/x?` from `/x` (RFC 3986 §6.2.3).
  const query = requested.search || (/^[^#]*\?/.test(requested.href) ? "?" : "");
  return new OriginUrl(origin + path + requested.pathname + query, path);
}

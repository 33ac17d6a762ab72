/** Requests without a varying answer after which a route is no longer taken for one whose answers vary. */
const FORGET_AFTER = 32;

/**
 * Routes whose answers vary, as the isolate has seen: their variants are searched for in the request's batch. Where that is
 * not known it takes a second call, and where it is not so two needless commands.
 */
export class VaryingRoutes {
  readonly #left = new Map<string, number>();

  has(route: string): boolean {
    return this.#left.has(route);
  }

  /** Notes what a search has found. */
  note(route: string, varies: boolean): void {
    const left = varies ? FORGET_AFTER : (this.#left.get(route) ?? 0) - 1;
    if (left > 0) this.#left.set(route, left);
    else this.#left.delete(route);
  }
}

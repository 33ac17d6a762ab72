/** How often a caller was denied: at most `count`, and at least `count - error`. */
type Denied = [count: number, error: number];

/**
 * The callers that were denied most, in bounded memory: the Space-Saving sketch (Metwally, Agrawal, El Abbadi, 2005). A caller
 * that is new to a full sketch takes the place of the one with the fewest denials, and their number with it. Whoever has more
 * denials than the total divided by the places is in it. Two sketches can be added up.
 */
export class TopCallers {
  readonly #places: number;
  #callers = new Map<string, Denied>();

  constructor(places: number) {
    this.#places = places;
  }

  /** By caller's hash. */
  get entries(): Record<string, Denied> {
    return Object.fromEntries(this.#callers);
  }

  /** The `most` callers with the most denials. */
  top(most: number): [caller: string, denied: Denied][] {
    return [...this.#callers].sort(([, a], [, b]) => b[0] - a[0]).slice(0, most);
  }

  add(caller: string): void {
    const known = this.#callers.get(caller);
    if (known) {
      known[0] += 1;
      return;
    }
    const [least, fewest] = this.#callers.size < this.#places ? ["", 0] : this.#fewest();
    if (least !== "") this.#callers.delete(least);
    this.#callers.set(caller, [fewest + 1, fewest]);
  }

  /** Adds another sketch with as many places. Whoever is missing in a full one may have been denied as often as its least. */
  merge(others: Readonly<Record<string, Denied>>): void {
    const theirs = new Map(Object.entries(others).filter(([, denied]) => isDenied(denied)));
    const missingHere = this.#callers.size < this.#places ? 0 : this.#fewest()[1];
    const counts = [...theirs.values()].map(([count]) => count);
    const missingThere = theirs.size < this.#places ? 0 : Math.min(...counts);
    for (const [caller, denied] of this.#callers) {
      const [count, error] = theirs.get(caller) ?? [missingThere, missingThere];
      denied[0] += count;
      denied[1] += error;
      theirs.delete(caller);
    }
    for (const [caller, [count, error]] of theirs)
      this.#callers.set(caller, [count + missingHere, error + missingHere]);
    if (this.#callers.size > this.#places) this.#callers = new Map(this.top(this.#places));
  }

  /** Halves all numbers, so that those who were denied lately come before those of long ago. */
  halve(): void {
    for (const [caller, denied] of this.#callers) {
      if (denied[0] < 2) this.#callers.delete(caller);
      else this.#callers.set(caller, [Math.floor(denied[0] / 2), Math.floor(denied[1] / 2)]);
    }
  }

  clear(): void {
    this.#callers.clear();
  }

  #fewest(): [caller: string, count: number] {
    let least = "";
    let fewest = Number.POSITIVE_INFINITY;
    for (const [caller, [count]] of this.#callers) {
      if (count >= fewest) continue;
      least = caller;
      fewest = count;
    }
    return [least, fewest];
  }
}

function isDenied(value: unknown): value is Denied {
  return Array.isArray(value) && value.length === 2 && value.every((each) => Number.isSafeInteger(each));
}

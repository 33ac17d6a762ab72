/** What was worked out of objects, each time for the first who asked. */
export interface Notes<Value> {
  /** @returns undefined where nothing was noted of the object. */
  of(object: object): Value | undefined;
  /** To be called once for an object. */
  add(object: object, value: Value): void;
}

/**
 * Notes on objects that do not change. They stand at the objects themselves, where no copy has them and no JSON shows them. A WeakMap
 * does the same, but with 10,000 objects in it each look waits for memory several times.
 *
 * @example
 * const lengths = notes<number>("length");
 * const lengthOf = (list: string[]) => lengths.of(list) ?? measured(list);
 */
export function notes<Value>(name: string): Notes<Value> {
  const place = Symbol(name);
  return {
    of: (object) => (object as { [place]?: Value })[place],
    add: (object, value) => void Object.defineProperty(object, place, { value }),
  };
}

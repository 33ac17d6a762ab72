/** Longer texts are computed each time, characters. */
const MAX_LENGTH = 128;
const MAX_ENTRIES = 1000;

/**
 * Remembers the results of a function of a text, for texts that come with every request such as field names. The memory has
 * at most 1000 entries of at most 128 characters (law 5). When it is full, it is emptied.
 *
 * @param compute Depends on nothing but the text.
 *
 * @example
 * const isWord = remembered((text) => /^\w+$/.test(text));
 */
export function remembered<Value>(compute: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const value = compute(text);
    if (text.length > MAX_LENGTH || value === undefined) return value;
    if (known.size >= MAX_ENTRIES) known.clear();
    known.set(ownCopy(text), value);
    return value;
  };
}

/**
 * The same text in memory of its own: V8 makes a part of a long text, such as a name in a query of 16 KB, a view of the whole, which
 * stays as long as the part does.
 */
function ownCopy(text: string): string {
  return ` ${text}`.slice(1);
}

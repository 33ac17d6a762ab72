/** Pseudo-random choices, the same for the same seed. */
export interface Dice {
  /** In [0, 1). */
  roll(): number;
  /** A whole number in [0, below). */
  upTo(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** True with this probability. */
  chance(part: number): boolean;
  shuffled<Item>(items: readonly Item[]): Item[];
}

/** mulberry32: 32 bits of state, which is enough to choose traffic. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const upTo = (below: number) => Math.floor(roll() * below);
  return {
    roll,
    upTo,
    pick(items) {
      const item = items[upTo(items.length)];
      if (item === undefined) throw new RangeError("There is nothing to pick from");
      return item;
    },
    chance: (part) => roll() < part,
    shuffled(items) {
      const rest = [...items];
      return items.flatMap(() => rest.splice(upTo(rest.length), 1));
    },
  };
}

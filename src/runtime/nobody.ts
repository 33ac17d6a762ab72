/** What a template or `String()` makes of nothing. As a key it would be everybody's. */
const NOTHING = /^(|undefined|null|NaN|\[object \w+\])$/;

/** Whether a key is nobody's. */
export function isNobody(key: string): boolean {
  return NOTHING.test(key.trim());
}

/**
 * The text without the blanks around it. Space and tab are all that HTTP calls blank (RFC 9110 §5.6.3): to `trim` a no-break space is
 * blank, to an origin it is not. By hand: a pattern for the end would try again from each blank inside, and a client may send
 * 100,000 of them.
 */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Space or tab. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The text with the letters A to Z in lower case, and no others: `toLowerCase` makes a `k` of the Kelvin sign. */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

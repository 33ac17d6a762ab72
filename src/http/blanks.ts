/** Space and tab are all that HTTP calls blank (RFC 9110 §5.6.3). To `trim` a no-break space is blank, to an origin it is not. */
const BLANKS_AROUND = /^[ \t]+|[ \t]+$/g;

/** The text without the blanks around it. */
export function withoutBlanks(text: string): string {
  return text.replace(BLANKS_AROUND, "");
}

/** The text with the letters A to Z in lower case, and no others: `toLowerCase` makes a `k` of the Kelvin sign. */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

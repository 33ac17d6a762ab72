/**
 * Whether a presented secret is one of the configured ones. It compares SHA-256 digests byte by byte, so that the time does
 * not depend on the presented text or its length.
 */
export async function secretMatches(presented: string, secrets: readonly string[]): Promise<boolean> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const mine = await digest(presented);
  let matches = false;
  for (const secret of secrets) {
    const theirs = await digest(secret);
    let difference = 0;
    for (let index = 0; index < mine.length; index += 1)
      difference |= (mine[index] ?? 0) ^ (theirs[index] ?? 0);
    if (difference === 0) matches = true;
  }
  return matches;
}

/**
 * Whether a presented secret is one of the configured ones. Both are hashed first, so that the comparison takes the same
 * time whatever is presented, its length included.
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

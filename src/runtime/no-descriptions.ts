/** `describe.ts` as the Worker has it. It is empty, so the bundler drops each call with the sentence in it. */
export function describe(_sentence: string): string | undefined {
  return undefined;
}

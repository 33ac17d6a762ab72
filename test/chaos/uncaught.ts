/**
 * The errors that the Worker did not catch, among what the runtime printed. A client or an origin that goes while a body
 * passes is none: the runtime notes it for its own pipe ("Network connection lost"), whatever the Worker does.
 */
export function uncaughtErrors(printed: readonly string[]): string[] {
  return printed.filter(
    (line) =>
      /^uncaught exception; source|unhandled|rejection/i.test(line) &&
      !line.includes("Network connection lost"),
  );
}

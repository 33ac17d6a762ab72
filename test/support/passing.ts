import type { TestPlatform } from "./platform.ts";

interface PassingOptions {
  /** Ms that pass in each turn of the event loop. Default 10. */
  stepMs?: number;
  /** Whether something is under way that takes real time: meanwhile no time passes. Default nothing. */
  isBusy?: () => boolean;
}

/** Lets the platform's time pass until a work is done, such as one that waits for another's fetch and looks again. */
export async function passing<Result>(
  platform: Pick<TestPlatform, "advance">,
  work: Promise<Result>,
  { stepMs = 10, isBusy = () => false }: PassingOptions = {},
): Promise<Result> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!isBusy()) platform.advance(stepMs);
  }
  return work;
}

/** A CPU profile as V8 writes it. */
export interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
    children?: number[];
  }[];
  samples: number[];
  /** Microseconds between a sample and the one before it. */
  timeDeltas: number[];
}

/** Not the Worker's: waiting, and what the profiler cannot tell, which in a process that starts is the process. */
const NOT_ACTIVE = new Set(["(idle)", "(program)", "(root)"]);

/** ms in which code of the profiled program ran, the collection of its garbage included. */
export function activeMs({
  nodes,
  samples,
  timeDeltas,
}: Pick<CpuProfile, "samples" | "timeDeltas"> & {
  nodes: readonly { id: number; callFrame: { functionName: string } }[];
}): number {
  const without = new Set(
    nodes.filter(({ callFrame }) => NOT_ACTIVE.has(callFrame.functionName)).map(({ id }) => id),
  );
  const microseconds = samples.reduce(
    (sum, sampled, at) => (without.has(sampled) ? sum : sum + (timeDeltas[at] ?? 0)),
    0,
  );
  return microseconds / 1000;
}

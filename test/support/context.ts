/** A request's context. What the request gives to `waitUntil` is added to `works`, those of this request alone. */
export function contextOf(works: Promise<unknown>[]): ExecutionContext {
  return {
    waitUntil: (work: Promise<unknown>) => void works.push(work),
    passThroughOnException() {},
    props: {},
  } as unknown as ExecutionContext;
}

import edge from "../../../src/index.ts";

/** The edge with a clock that a test can shift, because workerd uses the machine's time. */
const machine = Date.now.bind(Date);
let shiftMs = 0;
Date.now = () => machine() + shiftMs;

export default {
  fetch(request: Request, env: object, context: ExecutionContext): Response | Promise<Response> {
    const wanted = request.headers.get("x-clock-shift-ms");
    if (wanted === null) return edge.fetch(request, env, context);
    shiftMs = Number(wanted);
    return new Response(null, { status: 204 });
  },
};

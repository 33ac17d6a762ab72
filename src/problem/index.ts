export { Problem, type ProblemFacts, problemHeaders, problemResponse } from "./problem.ts";

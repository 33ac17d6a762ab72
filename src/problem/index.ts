export { Problem, type ProblemFacts, problemResponse } from "./problem.ts";

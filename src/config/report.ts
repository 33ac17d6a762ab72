/** Where a reader puts what is wrong with a variable. */
export type Report = (found: string, fix: string, which?: string) => void;

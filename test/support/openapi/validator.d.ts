/** What the tests use of the package, whose own types know too little of its results. */
declare module "@seriousme/openapi-schema-validator" {
  export class Validator {
    readonly version: string;
    validate(document: object): Promise<{ valid: boolean; errors?: unknown }>;
  }
}

/** A file as text, as Vite imports it. */
declare module "*.sql?raw" {
  const text: string;
  export default text;
}

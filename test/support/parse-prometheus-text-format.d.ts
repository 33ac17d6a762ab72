declare module "parse-prometheus-text-format" {
  /** The metrics of a text, or an error where a line is none. */
  export default function parsePrometheusTextFormat(text: string): { name: string; type: string }[];
}

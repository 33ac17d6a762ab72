/**
 * Fields as `Headers`, each appended. The constructor takes the same list, and workerd's reads a list of lists through the
 * iteration protocol: 20 to 60 µs for six fields, where appending them takes 3.
 *
 * @throws TypeError where a name or a value is none (Fetch §5.1).
 */
export function headersFrom(fields: Iterable<readonly [name: string, value: string]>): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

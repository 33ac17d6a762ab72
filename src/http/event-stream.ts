/** Whether a media type, or one in a list of them, is that of server-sent events: a body without an end. */
export function isEventStream(types: string | null): boolean {
  return types !== null && /(^|,)\s*text\/event-stream\s*([;,]|$)/i.test(types);
}

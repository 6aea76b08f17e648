// Why HAProxy takes a server for up or down, in words for people. Its own words (HAProxy 2.6, management guide, section 9.1, check_desc)
// name layers and durations, and in a line of its log stand among names that nobody else knows. Pure.

const words: Readonly<Record<string, string>> = {
  'Socket error': 'no connection',
  'Layer4 connection problem': 'no connection',
  'Layer4 timeout': 'no connection in time',
  'Layer6 invalid response': 'the TLS handshake failed',
  'Layer6 timeout': 'no TLS handshake in time',
  'Layer7 invalid response': 'the answer is no HTTP',
  'Layer7 timeout': 'no answer in time',
  'Layer7 wrong status': 'the answer has another status than expected',
};
const reasonPart = /\breason: ([^,.]+)(?:, code: (\d+))?(?:, info: "([^"]*)")?/;

/** Undefined: the line of the log gives no reason. */
export function reasonIn(line: string): string | undefined {
  const [, reason, code, info] = reasonPart.exec(line) ?? [];
  if (reason === undefined) return undefined;
  if (reason.includes('passed')) return 'its check succeeded';
  if (code !== undefined) return `the answer has status ${code}`;
  const known = words[reason] ?? reason;
  return (info === undefined ? known : `${known}: ${info}`).slice(0, 255);
}

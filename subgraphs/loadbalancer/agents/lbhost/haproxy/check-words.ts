// Translates HAProxy's reasons for a server being up or down into plain words. The originals (HAProxy 2.6, management guide, section 9.1,
// check_desc) name layers and durations, and stand in log lines among internal names. Pure.

const words: Readonly<Record<string, string>> = {
  'Socket error': 'no connection',
  'Layer4 connection problem': 'no connection',
  'Layer4 timeout': 'no connection in time',
  'Layer6 invalid response': 'the TLS handshake failed',
  'Layer6 timeout': 'no TLS handshake in time',
  'Layer7 invalid response': 'the answer is not HTTP',
  'Layer7 timeout': 'no answer in time',
  'Layer7 wrong status': 'the answer has an unexpected status',
};
const reasonPart = /\breason: ([^,.]+)(?:, code: (\d+))?(?:, info: "([^"]*)")?/;

/** Undefined if the log line has no reason. */
export function reasonIn(line: string): string | undefined {
  const [, reason, code, info] = reasonPart.exec(line) ?? [];
  return reason === undefined ? undefined : plainWords(reason, code, info);
}

/** The result of a check: `check_desc`, `check_code` and `last_chk` of `show stat`. */
export function plainWords(reason: string, code: string | undefined, info: string | undefined): string {
  if (reason.includes('passed')) return 'its check succeeded';
  if (code !== undefined) return `the answer has status ${code}`;
  const known = words[reason] ?? reason;
  return (info === undefined ? known : `${known}: ${info}`).slice(0, 255);
}

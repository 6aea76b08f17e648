// Quotes text for haproxy.cfg and the runtime socket (HAProxy 2.6, configuration manual, section 2.2; management guide, section 9.3). Input
// has no control characters (platform/input/input.ts, the schemas of parts). This refuses them again, so that nothing can end a line.

/** One word of the configuration for any text: strong quotes, in which nothing is special. */
export function word(text: string): string {
  refuseControls(text);
  if (/^[A-Za-z0-9_./:@-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A word that HAProxy parses as a log-format string, where % is special. */
export function format(text: string): string {
  return word(text.replaceAll('%', '%%'));
}

/** One word on the runtime socket, where a backslash escapes spaces and semicolons, and << announces further lines. */
export function runtimeWord(text: string): string {
  refuseControls(text);
  return text.replace(/[\\ ;<]/g, '\\$&');
}

function refuseControls(text: string): void {
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) throw new Error('a text for HAProxy has a control character');
}

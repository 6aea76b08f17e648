// Checks the URLs of a cluster. Only origins are allowed: the paths are ours.
import { quoted } from '../../../../platform/errors/errors.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { mostUrls } from '../../wire/documents/documents.ts';

const longestUrl = 300;

/** Returns the origins in normal form. Each fault names its entry. */
export function checkOrigins(
  check: InputCheck,
  field: string,
  urls: readonly string[],
  schemes: readonly string[],
): readonly string[] {
  const origins = check.list(field, urls, { max: mostUrls }, (url, path) => {
    const origin = originOf(url, schemes);
    if (origin === undefined)
      check.fault(
        path,
        `${field} has ${quoted(url)}; give ${schemes.map((scheme) => `${scheme}://HOST:PORT`).join(' or ')}, without a path, a user or a query`,
      );
    return origin ?? '';
  });
  if (new Set(origins).size < origins.length && !origins.includes(''))
    check.fault(field, `${field} has an address twice: give each once`);
  return origins;
}

function originOf(url: string, schemes: readonly string[]): string | undefined {
  const parsed = url.length > longestUrl || !URL.canParse(url) ? undefined : new URL(url);
  if (parsed === undefined || !schemes.includes(parsed.protocol.slice(0, -1))) return undefined;
  const isOrigin = parsed.href === `${parsed.origin}/` && !url.includes('?') && !url.includes('#');
  return isOrigin ? parsed.origin : undefined;
}

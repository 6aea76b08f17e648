// The words for a noun beside its own: its singular, and a short one.
import type { Entry, Noun } from './verb.ts';

/** They end with an s, and are no plurals. */
const single: ReadonlySet<string> = new Set(['keys']);

export function otherWordsFor(name: string, { short }: Pick<Entry<Noun>, 'short'>): readonly string[] {
  const singular = singularOf(name);
  return [...(singular === undefined ? [] : [singular]), ...(short === undefined ? [] : [short])];
}

/** Undefined: it has none. */
function singularOf(name: string): string | undefined {
  if (single.has(name) || !name.endsWith('s')) return undefined;
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return name.endsWith('sses') ? name.slice(0, -2) : name.slice(0, -1);
}

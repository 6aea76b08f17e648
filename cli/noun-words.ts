// Other words for a noun: its singular, and a short one.
import type { Entry, Noun } from './verb.ts';

/** Nouns that end with an s without being plurals. */
const single: ReadonlySet<string> = new Set(['keys']);

export function otherWordsFor(name: string, { short }: Pick<Entry<Noun>, 'short'>): readonly string[] {
  const singular = singularOf(name);
  return [...(singular === undefined ? [] : [singular]), ...(short === undefined ? [] : [short])];
}

/** Undefined if it has none. */
function singularOf(name: string): string | undefined {
  if (single.has(name) || !name.endsWith('s')) return undefined;
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return name.endsWith('sses') ? name.slice(0, -2) : name.slice(0, -1);
}

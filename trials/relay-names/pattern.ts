// JSON that is compared with its expected form, with holes for arguments. There may be no additional and no missing parts.
import type { JsonValue } from '../../subgraphs/relay/drivers/driver.ts';
import { isSame } from './subject.ts';

const holeName = Symbol('hole');

interface Hole {
  readonly [holeName]: string;
}

export type Pattern =
  | string
  | number
  | boolean
  | null
  | Hole
  | readonly Pattern[]
  | { readonly [name: string]: Pattern };

/** Any value; the same name in two places means the same value. */
export const hole = (name: string): Hole => ({ [holeName]: name });

type Holes = Readonly<Record<string, JsonValue>>;

/** The values in the holes. Throws with the place of a difference. */
export function holesOf(pattern: Pattern, value: unknown): Holes {
  const found = new Map<string, JsonValue>();
  hold(pattern, value, '', found);
  return Object.fromEntries(found);
}

function hold(pattern: Pattern, value: unknown, at: string, found: Map<string, JsonValue>): void {
  const differs = () => new Error(`other than expected at ${at || '/'}`);
  if (typeof pattern !== 'object' || pattern === null) {
    if (value !== pattern) throw differs();
  } else if (holeName in pattern) {
    const name = (pattern as Hole)[holeName];
    if (value === undefined || (found.has(name) && !isSame(found.get(name), value))) throw differs();
    found.set(name, value as JsonValue);
  } else if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) throw differs();
    for (const [index, each] of pattern.entries()) hold(each, value[index], `${at}/${index}`, found);
  } else {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw differs();
    const expected = Object.entries(pattern);
    if (Object.keys(value).length !== expected.length) throw differs();
    for (const [name, each] of expected) {
      if (!Object.hasOwn(value, name)) throw differs();
      hold(each, (value as Record<string, unknown>)[name], `${at}/${name}`, found);
    }
  }
}

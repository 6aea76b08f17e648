// Converts register keys to and from the names that platform/registers uses.
import type { RegisterKey } from '../store/register.ts';

/** `RING/SCOPE/NAME`. */
export function nameOf({ ring, scope, name }: RegisterKey): string {
  return `${ring}/${scope}/${name}`;
}

export function keyOf(text: string): RegisterKey {
  const first = text.indexOf('/');
  const second = text.indexOf('/', first + 1);
  return { ring: Number(text.slice(0, first)), scope: text.slice(first + 1, second), name: text.slice(second + 1) };
}

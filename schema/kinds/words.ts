// Kinds and fields in words for people.
import { type Kind, kebab } from './kind.ts';

/** `GSLB pool`. */
export function wordsOf({ singular }: Kind): string {
  return inWords(singular);
}

/** `GSLB pools`. */
export function pluralOf({ noun }: Kind): string {
  return inWords(noun);
}

function inWords(noun: string): string {
  return noun
    .replaceAll('-', ' ')
    .replace(/\b(gslb|dns)(s?)\b/g, (_, word: string, end: string) => `${word.toUpperCase()}${end}`)
    .replace('loadbalancer', 'load balancer');
}

/** `minTtlSeconds`: Min ttl seconds. */
export function titleOf(name: string): string {
  const words = kebab(name).replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

// Verbs of a noun, made from the registry of kinds. A command that needs more has a verb of its own in its folder of cli/commands.
import type { Noun, Verb } from '../verb.ts';
import { usualVerb } from './action-verb.ts';
import { kindOf } from './find-object.ts';
import { listOf, showOf } from './read-verbs.ts';

const usual = ['create', 'set', 'update', 'delete', 'remove', 'revoke'] as const;
type UsualVerb = 'list' | 'show' | (typeof usual)[number];

/** All verbs that the graph has for a kind, by its type. */
export function kindNoun(type: string): Noun {
  const kind = kindOf(type);
  const verbs = usual.filter((name) => name in kind.actions);
  return {
    list: listOf(kind),
    ...(kind.node ? { show: showOf(kind) } : {}),
    ...Object.fromEntries(verbs.map((name) => [name, usualVerb(kind, name)])),
  };
}

/** One of these verbs, for a noun that also has verbs of its own. */
export function kindVerb(type: string, name: UsualVerb): Verb {
  const kind = kindOf(type);
  if (name === 'list') return listOf(kind);
  return name === 'show' ? showOf(kind) : usualVerb(kind, name);
}

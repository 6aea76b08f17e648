// Verbs that do the work of another verb under a different name.

interface SameWork {
  /** Verbs that people type, also from other programs. The first is the usual word here. */
  readonly given: readonly string[];
  /** Verbs that do the same. */
  readonly does: readonly string[];
}

const sameWork: readonly SameWork[] = [
  { given: ['create', 'add', 'new', 'make'], does: ['create', 'add', 'set'] },
  { given: ['update', 'edit', 'modify', 'change'], does: ['update', 'set'] },
  { given: ['set', 'put', 'upload', 'save'], does: ['set', 'create', 'update'] },
  { given: ['delete', 'remove', 'rm', 'destroy'], does: ['delete', 'remove', 'revoke'] },
  { given: ['show', 'get', 'describe', 'view'], does: ['show', 'stat', 'download'] },
  { given: ['list', 'ls'], does: ['list'] },
];

/** Words of other programs that are understood as a verb of ours. */
const understood: Readonly<Record<string, readonly string[]>> = { show: ['get', 'describe'] };

/** Further words for a verb, without those that are verbs of the noun. */
export function sameVerbs(verb: string, verbs: readonly string[]): readonly string[] {
  return (understood[verb] ?? []).filter((each) => !verbs.includes(each));
}

/** Remarks for verbs that differ slightly, by noun and verb. */
const instead: Readonly<Record<string, string>> = {
  'users delete': 'users are disabled: tidegate users update NAME --enabled false',
  'memberships create': 'set does that, and changes the role of one who is a member already',
  'memberships update': 'set does that, and makes a member of one who is none',
};

/** `set does that`. Undefined if no verb of the noun does. */
export function otherVerb(noun: string, given: string, verbs: readonly string[]): string | undefined {
  const work = sameWork.find((each) => each.given.includes(given));
  if (work === undefined) return undefined;
  const advice = instead[`${noun} ${work.given[0]}`];
  const found = work.does.filter((each) => verbs.includes(each));
  return advice ?? (found.length === 0 ? undefined : `${found.join(' or ')} does that`);
}

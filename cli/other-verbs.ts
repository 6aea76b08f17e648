// What does the work of a verb that a noun does not have, because it has another word for it.

/** Words for one thing: those of other programs, too. */
const sameThing: readonly (readonly string[])[] = [
  ['create', 'add', 'new', 'make', 'put', 'upload', 'set', 'update'],
  ['update', 'edit', 'modify', 'change', 'set'],
  ['delete', 'remove', 'rm', 'destroy', 'revoke'],
  ['show', 'get', 'describe', 'view', 'stat', 'download'],
  ['list', 'ls'],
];

/** Nouns whose objects stay, by noun and verb. */
const instead: Readonly<Record<string, string>> = {
  'users delete': 'users are disabled: tidegate users update NAME --enabled false',
};

/** `set does that`. Undefined if no verb of the noun does. */
export function otherVerb(noun: string, given: string, verbs: readonly string[]): string | undefined {
  const [first = given] = sameThing.find((words) => words.includes(given)) ?? [];
  const advice = instead[`${noun} ${first}`];
  if (advice !== undefined) return advice;
  const words = sameThing.find((each) => each.includes(given)) ?? [];
  const found = verbs.filter((each) => words.includes(each));
  return found.length === 0 ? undefined : `${found.join(' or ')} does that`;
}

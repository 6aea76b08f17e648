// An entry of the audit trail as a sentence: `changed load balancer web: min nodes 2 → 3`. No DOM here.
import type { FormVersionFragment } from '../../../../generated/dashboard/graphql.ts';
import { phraseOf } from '../../../../schema/kinds/words.ts';
import { changesOf } from '../../forms/history/version-words.ts';
import { formatType } from '../../view/format.ts';

/** What mutations do, by the last word of their names, where the past tense is not made by `ed`. */
const pasts: Readonly<Record<string, string>> = {
  ...{ begin: 'began', cancel: 'cancelled', forget: 'forgot', freeze: 'froze', join: 'joined', set: 'set' },
  ...{ unfreeze: 'unfroze', verify: 'verified' },
};
/** Names that end in another word than a verb are titles. */
const verbs = new Set([
  ...['accept', 'acknowledge', 'add', 'adopt', 'attach', 'begin', 'call', 'cancel', 'close', 'confirm', 'create'],
  ...['delete', 'detach', 'drain', 'end', 'forget', 'freeze', 'join', 'lift', 'pause', 'register', 'release', 'remove'],
  ...['renew', 'replace', 'resume', 'revoke', 'set', 'settle', 'share', 'start', 'test', 'undrain', 'unfreeze'],
  ...['unshare', 'update', 'verify'],
]);
const otherVerbs: Readonly<Record<string, string>> = { update: 'change', end: 'close' };
/** Whole sentences: their subject is who did it. */
const sentences: Readonly<Record<string, readonly [did: string, couldNot: string]>> = {
  login: ['logged in', 'log in'],
  logout: ['logged out', 'log out'],
  sessionRefresh: ['renewed a session', 'renew a session'],
  sessionStart: ['opened the console', 'open the console'],
};

const [mostChanges, longestValue] = [3, 48];

/** Whether the deed says all. */
export function isSentence(action: string): boolean {
  return Object.hasOwn(sentences, action);
}

/** Stands between who did it and the object: `changed`, `set members of`; of a refused request `could not change`. */
export function deedOf(action: string, subjectType: string | null, isRefused: boolean): string {
  const sentence = isSentence(action) ? sentences[action] : undefined;
  if (sentence !== undefined) return isRefused ? `could not ${sentence[1]}` : sentence[0];
  const [, noun = '', last = ''] = /^(.*?)([A-Z]?[a-z]+)$/.exec(action) ?? [];
  const word = last.toLowerCase();
  if (!verbs.has(word))
    return isRefused ? `could not request ${phraseOf(action)} of` : `requested ${phraseOf(action)} of`;
  const verb = otherVerbs[word] ?? word;
  const done = isRefused ? `could not ${verb}` : (pasts[verb] ?? `${verb}${verb.endsWith('e') ? 'd' : 'ed'}`);
  const part = partOf(noun, subjectType);
  return part === '' ? done : `${done} ${part}`;
}

/** What of the object it concerns: `members of`. Empty: the object itself. */
function partOf(noun: string, subjectType: string | null): string {
  if (subjectType === null) return phraseOf(noun);
  const type = `${subjectType.charAt(0).toLowerCase()}${subjectType.slice(1)}`;
  if (type.startsWith(noun)) return '';
  const rest = noun.startsWith(type) ? noun.slice(type.length) : noun;
  return `${phraseOf(`${rest.charAt(0).toLowerCase()}${rest.slice(1)}`)} ${subjectType === 'Project' ? 'in' : 'of'}`;
}

/** `min nodes 2 → 3, 2 more`. Empty for a creation and a deletion. `names`: of objects, by their ids. */
export function changesIn(version: FormVersionFragment | null, names: ReadonlyMap<string, string>): string {
  if (version === null || version.deleted || version.number === 1) return '';
  const changes = changesOf(version, names).map(
    ({ before, after }, at) => `${phraseOf(version.changes[at]?.field ?? '')} ${short(before)} → ${short(after)}`,
  );
  const secrets = version.secretFieldsSet.map((field) => `${phraseOf(field)} set`);
  const more = changes.length - mostChanges;
  return [...changes.slice(0, mostChanges), ...(more > 0 ? [`${more} more`] : []), ...secrets].join(', ');
}

function short(text: string): string {
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}

/** `load balancer web`, `load balancer web (deleted)`. Without a type, the deed has named it. */
export function objectWords(type: string | null, name: string | null, isGone: boolean): string {
  const words = [type === null ? null : formatType(type), name, isGone ? '(deleted)' : null];
  return words.filter((each) => each !== null).join(' ');
}

// How an option of the command line is named for a field of an input. The command line reads by these names, and forms show them.
import { type InputField, kebab } from './kind.ts';

/** Options that mean the same for every verb. */
const taken: ReadonlySet<string> = new Set([
  ...['project', 'limit', 'wait', 'json', 'output'],
  ...['url', 'context', 'token-file', 'data', 'user', 'password-file'],
  ...['from', 'unset', 'rename', 'config'],
  // Of a quota: as the installation's settings say.
  'default',
]);

/** `path`: from the input to the field. `singular`: of the kind, before a name that is taken: --user-password-file. */
export function optionName(path: readonly string[], field: InputField, singular: string): string {
  const words = path.map((each, at) => optionWords(at === path.length - 1 ? ownName(field) : each)).join('-');
  const name = field.secret || field.file ? `${words}-file` : words;
  return taken.has(name) ? `${singular}-${name}` : name;
}

/** `minUp`: min-up. A load balancer is one word, as its noun is. */
export function optionWords(name: string): string {
  return kebab(name).replace('load-balancer', 'loadbalancer');
}

/** `poolIds`: pool, because each is given by an option of its own. */
export function ownName({ name, list, refersTo }: Pick<InputField, 'name' | 'list' | 'refersTo'>): string {
  if (refersTo !== undefined) return name.replace(/Ids?$/, '');
  return list === true ? singularOf(name) : name;
}

function singularOf(name: string): string {
  if (/ies$/.test(name)) return name.replace(/ies$/, 'y');
  return name.replace(/(ss|x|[cs]h)es$/, '$1').replace(/([^s])s$/, '$1');
}

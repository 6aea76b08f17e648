// Refusals of the server, with the faulty option or field of the file.

import { CommandFaults } from '../failures.ts';
import type { UserError } from '../graph-client.ts';
import { hideSecrets } from '../secrets.ts';
import type { FieldOption } from './field-options.ts';

interface Blame {
  readonly options: readonly FieldOption[];
  /** Names of the options that were given. */
  readonly given: ReadonlySet<string>;
  /** The file of `--from`. */
  readonly from: string | undefined;
  /** Names for fields without an option of their own. */
  readonly others: Readonly<Record<string, string>>;
}

/** `field`: the server's path, beginning with `input`. */
function atFault(field: readonly string[], { options, given, from, others }: Blame): string | undefined {
  const path = field.slice(1).filter((part) => !/^\d+$/.test(part));
  const [first] = path;
  if (first === undefined) return undefined;
  const own = others[first];
  if (own !== undefined) return own;
  const found = options.filter((each) => isWithin(path, each.path) || isWithin(each.path, path));
  const named = found.filter(({ name }) => given.has(name));
  const shown =
    named.length > 0 ? named : from === undefined ? found.filter(({ option }) => option.hidden !== true) : [];
  if (shown.length > 0 && shown.length <= 4) return shown.map(({ name }) => `--${name}`).join(', ');
  return from === undefined ? path.join('.') : `${path.join('.')} in ${from}`;
}

/** Whether `path` begins with `start`. */
function isWithin(path: readonly string[], start: readonly string[]): boolean {
  return start.every((part, at) => path[at] === part);
}

export function refuseIfAny(errors: readonly UserError[], blame: Blame, secrets: readonly string[]): void {
  if (errors.length === 0) return;
  const lines = errors.map(({ code, message, field }) => {
    const place = atFault(field, blame);
    return `${code}: ${hideSecrets(message, secrets)}${place === undefined ? '' : ` (${place})`}`;
  });
  throw new CommandFaults(lines);
}

// Completions for a place of the command line: names of objects of a kind (a noun), `files`, `none`, or some words, which end with a space.
import { isKindName } from '../named-kinds.ts';
import type { Option } from '../option.ts';
import type { Verb } from '../verb.ts';

/** Placeholders with the same meaning everywhere. */
const places: Readonly<Record<string, string>> = {
  FILE: 'files',
  DIR: 'files',
  FOLDER: 'files',
  PATH: 'files',
  'JSON|FILE': 'files',
  BACKEND: 'backends',
  SHELL: 'bash zsh fish ',
};
/** Options that name an object of a kind, by the option's name. */
const optionKinds: Readonly<Record<string, string>> = {
  project: 'projects',
  backend: 'backends',
  loadbalancer: 'loadbalancers',
  cluster: 'clusters',
  certificate: 'certificates',
  'tls-certificate': 'certificates',
  subnet: 'subnets',
  zone: 'zones',
  option: 'options',
  context: 'contexts',
};
/** They create objects, whose names do not exist yet. */
const making: ReadonlySet<string> = new Set(['create', 'add', 'import']);

/** Kind of a verb's argument. */
export function nameKindOf(noun: string, verbName: string, { takes }: Verb): string {
  const [first = ''] = takes;
  const place = first.replaceAll(/[[\]]/g, '');
  const known = places[place];
  if (known !== undefined) return known;
  const isName = (place === 'NAME' || place === 'ID') && !making.has(verbName);
  return isName && (isKindName(noun) || noun === 'contexts') ? noun : 'none';
}

/** Undefined if it has no value, or the value can't be completed. */
export function optionKindOf(name: string, { value, words = [] }: Option<unknown>): string | undefined {
  if (value === undefined || words.length > 0) return undefined;
  return places[value] === 'files' ? 'files' : optionKinds[name];
}

// Refusals of the server in the words of the command line: the path of an input's field becomes the option, or the argument, that gave the value. An
// option is found by its name, which is usually the field's name. `fields` of the option lists other fields. Pure.
import { optionWords } from '../schema/kinds/option-names.ts';
import type { Option, Options } from './option.ts';

/** A verb's options, with their given values. */
export interface Sent {
  readonly options: Options;
  /** Names of the options that were given. */
  readonly given: ReadonlySet<string>;
  /** Names of the positional arguments. */
  readonly takes: readonly string[];
  /** Further fields that the first argument fills in. */
  readonly named?: readonly string[];
}

/** `--host`, or `NAME`. `field`: the server's path, beginning with `input`. Undefined if no given option corresponds to it. */
export function optionAtFault(field: readonly string[], sent: Sent): string | undefined {
  const path = pathOf(field);
  if (path.length === 0) return undefined;
  const found = declaredFor(path, sent.options);
  if (found.length > 0) return shown(found, sent);
  const argument = argumentFor(path, sent);
  if (argument !== undefined) return argument;
  const byName = startsOf(path).find((start) => variantsOf(start).some((each) => isOwn(sent.options, each)));
  if (byName !== undefined)
    return shown(
      variantsOf(byName).filter((each) => isOwn(sent.options, each)),
      sent,
    );
  // Two nested fields may have the same last word, so only a given option counts.
  const byEnd = endsOf(path)
    .flatMap(variantsOf)
    .find((each) => isOwn(sent.options, each) && sent.given.has(each));
  return byEnd === undefined ? undefined : `--${byEnd}`;
}

/** graphql-js and the gateway write a path as `input.checks[0].port`. */
export function fieldOf(path: string): readonly string[] {
  return path.split(/[.[\]]+/).filter((part) => part !== '');
}

function pathOf(field: readonly string[]): readonly string[] {
  const [root] = field;
  return (root === 'input' ? field.slice(1) : field).filter((part) => !/^\d+$/.test(part));
}

function declaredFor(path: readonly string[], options: Options): readonly string[] {
  for (let length = path.length; length > 0; length -= 1) {
    const start = path.slice(0, length).join('.');
    const found = Object.keys(options).filter((name) => options[name]?.fields?.includes(start) === true);
    if (found.length > 0) return found;
  }
  return [];
}

/** Shows the given ones if there are several. */
function shown(names: readonly string[], { given }: Sent): string {
  const own = names.filter((name) => given.has(name));
  return (own.length > 0 ? own : names).map((name) => `--${name}`).join(', ');
}

const nameFields: ReadonlySet<string> = new Set(['id', 'name', 'fqdn']);

function argumentFor(path: readonly string[], { takes, named = [], given, options }: Sent): string | undefined {
  const [first = '', ...rest] = path;
  const [taken] = takes.map((each) => each.replace(/^\[|\]$|\.\.\./g, ''));
  if (first === 'name' && given.has('rename')) return '--rename';
  if (taken !== undefined && named.includes(first)) return taken;
  if (isOwn(options, optionWords(first))) return undefined;
  if (rest.length === 0 && nameFields.has(first) && (taken === 'NAME' || taken === 'ID')) return taken;
  return takes.find((each) => each === optionWords(first).toUpperCase());
}

/** The longest first: `quorum-least-regions`, `quorum`. */
function startsOf(path: readonly string[]): readonly string[] {
  return path.map((_, at) => path.slice(0, path.length - at).map(optionWords)).map((words) => words.join('-'));
}

function endsOf(path: readonly string[]): readonly string[] {
  return path.slice(1).map((_, at) =>
    path
      .slice(at + 1)
      .map(optionWords)
      .join('-'),
  );
}

/** `labels`: label; `subnet-id`: subnet; `host-key-sha256`: host-key; `private-key`: private-key-file. */
function variantsOf(words: string): readonly string[] {
  const own = words.replace(/-(ids?|sha256)$/, '');
  const one = own.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');
  return [...new Set([words, own, one])].flatMap((each) => [each, `${each}-file`]);
}

/** Options of the connection and the output belong to no field. Their group is `connectionGroup`. */
function isOwn(options: Options, name: string): boolean {
  const option: Option<unknown> | undefined = Object.hasOwn(options, name) ? options[name] : undefined;
  return option !== undefined && option.group !== connectionGroup && !others.has(name);
}

export const connectionGroup = 'Connection:';
const others: ReadonlySet<string> = new Set(['json', 'wait', 'from', 'unset', 'limit']);

// The table of nouns, verbs and options as one shell function, for the completion scripts of all shells. It runs no program while a person types. It
// is POSIX sh without single quotes, so that fish can pass it to sh.
import { otherWordsFor } from '../noun-words.ts';
import type { Option } from '../option.ts';
import { type Entry, type Noun, outputFormats, type Verb } from '../verb.ts';
import { nameKindOf, optionKindOf } from './kinds.ts';

export type Table<Loaded> = Readonly<Record<string, Entry<Loaded>>>;

interface Described {
  /** Noun and verb. A verb alone ends with a space. */
  readonly words: string;
  readonly verb: Verb;
  readonly names: string;
}

/**
 * `_tidegate_table CURRENT BEFORE…` sets `offered`, the words that may stand here, and `kind`, the other possibilities (completion/kinds.ts). All
 * words consist of letters, digits, dots, hyphens and underscores.
 */
export async function shellTable(nouns: Table<Noun>, verbsAlone: Table<Verb>): Promise<string> {
  const aliases: string[] = [];
  const verbsOf: string[] = [];
  const described: Described[] = [];
  for (const [name, entry] of Object.entries(nouns)) {
    const others = otherWordsFor(name, entry);
    if (others.length > 0) aliases.push(`    ${others.join('|')}) noun=${name} ;;`);
    const noun = await entry.load();
    verbsOf.push(`      ${name}) offered="${Object.keys(noun).join(' ')} --help" ;;`);
    for (const [verbName, verb] of Object.entries(noun))
      described.push({ words: `${name} ${verbName}`, verb, names: nameKindOf(name, verbName, verb) });
  }
  const alone = Object.entries(verbsAlone).filter(([, { hidden }]) => hidden !== true);
  for (const [name, entry] of alone) {
    const verb = await entry.load();
    described.push({ words: `${name} `, verb, names: nameKindOf('', name, verb) });
  }
  const first = [...Object.keys(nouns), ...alone.map(([name]) => name), 'help', '--help', '--version'];
  return `_tidegate_table() {
  offered= kind=none
  current=\${1-}; shift
  noun=\${1-} verb=\${2-} last=
  for last do :; done
  if [ $# -eq 0 ] || [ "$noun" = help ]; then offered="${first.join(' ')}"; return; fi
  case "$noun" in
${aliases.join('\n')}
  esac
  case "$noun" in
    ${alone.map(([name]) => name).join('|')}) verb= ;;
    *) if [ $# -eq 1 ]; then case "$noun" in
${verbsOf.join('\n')}
    esac; return; fi ;;
  esac
  case "$noun $verb $last" in
${described.flatMap(wordCases).join('\n')}
  esac
  case "$last" in
    -o|--output) offered="${outputFormats.join(' ')}" ;;
${valueCases(described).join('\n')}
  esac
  if [ -n "$offered" ] || [ "$kind" != none ]; then return; fi
  case "$last" in
    ${[...freeOptions(described)].join('|')}) return ;;
  esac
  case "$noun $verb" in
${described.map(optionCase).join('\n')}
  esac
  case "$current" in
    -*) kind=none ;;
    *) [ "$kind" = words ] || offered= ;;
  esac
}
`;
}

function optionCase({ words, verb, names }: Described): string {
  const printsRows = verb.options.json !== undefined && verb.options.output === undefined;
  const shown = Object.entries(verb.options).flatMap(([name, { hidden }]) => (hidden === true ? [] : [name]));
  const options = [...shown, ...(printsRows ? ['output'] : []), 'help'].map((name) => `--${name}`);
  const isList = names.includes(' ');
  const offered = isList
    ? `case "$current" in -*) offered="${options.join(' ')}" ;; *) offered="${names.trim()}" ;; esac`
    : `offered="${options.join(' ')}"`;
  return `    "${words}") ${offered}; kind=${isList ? 'words' : names} ;;`;
}

/** Options with a fixed set of words. */
function wordCases({ words, verb }: Described): string[] {
  return Object.entries(verb.options).flatMap(([name, { words: known = [], value }]) =>
    value === undefined || known.length === 0
      ? []
      : [`    "${words} --${name}") offered="${known.join(' ')}"; return ;;`],
  );
}

/** Options that take the name of an object, or a file. They are the same for every verb. */
function valueCases(described: readonly Described[]): string[] {
  const kinds = new Map<string, string>();
  for (const { verb } of described)
    for (const [name, option] of Object.entries(verb.options)) {
      const kind = optionKindOf(name, option);
      if (kind !== undefined) kinds.set(`${option.short === undefined ? '' : `-${option.short}|`}--${name}`, kind);
    }
  return [...kinds].map(([names, kind]) => `    ${names}) kind=${kind} ;;`);
}

/** Options whose values can't be completed. */
function freeOptions(described: readonly Described[]): ReadonlySet<string> {
  const isFree = (option: Option<unknown>) => option.value !== undefined;
  return new Set(
    described.flatMap(({ verb }) =>
      Object.entries(verb.options).flatMap(([name, option]) => (isFree(option) ? [`--${name}`] : [])),
    ),
  );
}

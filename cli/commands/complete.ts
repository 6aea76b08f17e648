// `tidegate complete`: the completion script for bash, read by `source <(tidegate complete)`. It is made from the table, so it knows
// every noun, verb and option, and sends no requests while a person types.
import { type Entry, localVerb, type Noun, type Verb } from '../verb.ts';

type Table<Loaded> = Readonly<Record<string, Entry<Loaded>>>;

export const completeOf = (nouns: Table<Noun>, verbsAlone: Table<Verb>): Verb =>
  localVerb({
    summary: 'Print the completion script for bash: source <(tidegate complete)',
    takes: [],
    options: {},
    async run({ stdout }) {
      stdout.write(await completionScript(nouns, verbsAlone));
    },
  });

/** All words consist of letters, digits and hyphens, and need no quotes. */
async function completionScript(nouns: Table<Noun>, verbsAlone: Table<Verb>): Promise<string> {
  const cases: string[] = [];
  for (const [name, entry] of Object.entries(nouns)) {
    const noun = await entry.load();
    cases.push(caseOf(`'${name}'`, Object.keys(noun)));
    for (const [verbName, verb] of Object.entries(noun)) cases.push(caseOf(`'${name} ${verbName}'`, optionsOf(verb)));
  }
  for (const [name, entry] of Object.entries(verbsAlone))
    cases.push(caseOf(`'${name}'|'${name} '*`, optionsOf(await entry.load())));
  const first = [...Object.keys(nouns), ...Object.keys(verbsAlone), 'help', '--help', '--version'].join(' ');
  return `# Completion of tidegate for bash: source <(tidegate complete)
_tidegate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  case "\${before[*]:0:2}" in
    '') words='${first}' ;;
${cases.join('\n')}
  esac
  # What follows an option with a value, or is a name, may be a file.
  case "$current" in
    -*) ;;
    *) [ "\${#before[@]}" -lt 2 ] || words= ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _tidegate tidegate
`;
}

/** `pattern`: matches the first two words before the word being typed. */
function caseOf(pattern: string, words: readonly string[]): string {
  return `    ${pattern}) words='${words.join(' ')}' ;;`;
}

function optionsOf(verb: Verb): string[] {
  return [...Object.keys(verb.options).map((name) => `--${name}`), '--help'];
}

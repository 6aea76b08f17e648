// Deletions of what serves traffic or holds data: a person types the name on the terminal, a script says `--yes`.
import { askOnTerminal } from './ask-terminal.ts';
import { CommandFailure } from './failures.ts';
import { flag, type Options } from './option.ts';
import type { Call, Names, Verb } from './verb.ts';

const yes = flag('Delete it without asking for its name.');

interface Given {
  readonly yes?: boolean;
  /** Of verbs that have it: nothing is deleted. */
  readonly preview?: boolean;
}

/** `what`: in words, with what ends. @example confirmed(remove, 'the load balancer', 'Its clients get no more answers.') */
export function confirmed(verb: Verb, what: string, ends: string): Verb {
  return {
    ...verb,
    options: { ...verb.options, yes } as Options,
    async run(call) {
      const { options, names, signal } = call as unknown as Call<Options, readonly ['NAME']> & { options: Given };
      if (options.yes !== true && options.preview !== true) await confirm(names, { what, ends, signal });
      return verb.run(call);
    },
  };
}

async function confirm(
  [name]: Names<readonly ['NAME']>,
  { what, ends, signal }: { readonly what: string; readonly ends: string; readonly signal: AbortSignal },
): Promise<void> {
  const text = `This deletes ${what} ${name}. ${ends} Type its name to delete it: `;
  const [typed = ''] = await askOnTerminal([{ text, isSecret: false }], 'give --yes to delete it', signal);
  if (typed.trim() !== name) throw new CommandFailure(`'${typed}' is not '${name}': nothing was deleted`);
}

// Deletions of objects that serve traffic: a person types the name on the terminal, a script gives `--yes`.
import { type AskedType, askedDeletions } from '../schema/kinds/asked-deletions.ts';
import { askOnTerminal } from './ask-terminal.ts';
import { CommandFailure } from './failures.ts';
import { choice, flag, type Options } from './option.ts';
import type { Call, Names, Verb } from './verb.ts';

interface Deletion {
  /** In words. */
  readonly what: string;
  /** The effect on users. */
  readonly ends: string;
}

/** By type in the graph. */
const asked: Readonly<Record<AskedType, Deletion>> = {
  Backend: { what: 'the backend', ends: 'Its device stays as it is, and gets no more calls.' },
  DnsZone: { what: 'the zone', ends: 'Its name servers no longer answer for it.' },
  Gslb: { what: 'the name', ends: 'It is no longer answered.' },
  LoadBalancer: { what: 'the load balancer', ends: 'Its clients get no more answers.' },
};

const yes = flag('Delete it without asking for its name.');

/** For commands with options of their own. */
export const protectionOption = choice(
  'true|false',
  ['true', 'false'],
  'Whether deletions are refused with DELETION_PROTECTED, until an update sets it to false.',
);

/** Of `protectionOption`. */
export function isProtected(given: 'true' | 'false' | undefined): boolean | undefined {
  return given === undefined ? undefined : given === 'true';
}

interface Given {
  readonly yes?: boolean;
  /** A verb with this option deletes nothing if it is given. */
  readonly preview?: boolean;
}

/** Makes the verb ask first if objects of the type serve traffic. */
export function confirmed(type: string, verb: Verb): Verb {
  if (!askedDeletions.has(type)) return verb;
  const deletion = asked[type as AskedType];
  return {
    ...verb,
    options: { ...verb.options, yes } as Options,
    async run(call) {
      const { options, names, signal } = call as unknown as Call<Options, readonly ['NAME']> & { options: Given };
      if (options.yes !== true && options.preview !== true) await confirm(names, deletion, signal);
      return verb.run(call);
    },
  };
}

async function confirm([name]: Names<readonly ['NAME']>, { what, ends }: Deletion, signal: AbortSignal): Promise<void> {
  const text = `This deletes ${what} ${name}. ${ends} Type its name to delete it: `;
  const [typed = ''] = await askOnTerminal([{ text, isSecret: false }], 'give --yes to delete it', signal);
  if (typed.trim() !== name) throw new CommandFailure(`'${typed}' is not '${name}': nothing was deleted`);
}

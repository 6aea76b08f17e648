// `tidegate complete-names KIND`: the object names that a completion script offers. Uses the connection options of the command line. A person waits
// for it at each key press, so it takes at most half a second, and reports no errors.
import { ContextStore } from '../contexts.ts';
import { CommandFailure, UsageError } from '../failures.ts';
import { isKindName, objectsNamed } from '../named-kinds.ts';
import { text, type Values } from '../option.ts';
import { connectionOptions, openClient } from '../remote-verb.ts';
import { type Call, localVerb } from '../verb.ts';

const longestMs = 500;
/** A login that must be renewed first takes longer. It is not abandoned halfway, because that would end it. */
const renewalMs = 3_000;
const mostNames = 100;

export const completeNames = localVerb({
  summary: 'Print the names of a kind that begin like a word, for the completion script of a shell.',
  takes: ['KIND'],
  options: {
    begin: text('TEXT', 'Typed part of the name.'),
    line: text('TEXT', 'The words of the command line, whose options of the connection count.'),
  },
  mayBeLeft: true,
  async run({ names: [kind], options: { begin = '', line = '' }, stdout, ...around }) {
    const signal = AbortSignal.any([around.signal, AbortSignal.timeout(longestMs)]);
    const found = await namesOf(kind, begin, line, { ...around, stdout, signal }).catch((error: unknown) => {
      if (signal.aborted || error instanceof CommandFailure || error instanceof UsageError) return [];
      throw error;
    });
    for (const name of found) if (name.startsWith(begin) && !/\s/.test(name)) stdout.write(`${name}\n`);
  },
});

async function namesOf(
  kind: string,
  begin: string,
  line: string,
  around: Omit<Call, 'options' | 'names'>,
): Promise<readonly string[]> {
  if (kind === 'contexts') return new ContextStore(around.env).names();
  if (!isKindName(kind)) return [];
  const client = await openClient(connectionIn(line), { signal: around.signal, env: around.env, renewalMs });
  try {
    const found = await objectsNamed(client, kind, { texts: begin === '' ? [] : [begin], first: mostNames });
    return found.map(({ name }) => name).sort();
  } finally {
    void client.close();
  }
}

/** Reads the plain words of a line. Quoted values with a space are ignored. */
function connectionIn(line: string): Values<typeof connectionOptions> {
  const words = line.split(' ');
  const lastOf = (option: string) => {
    const at = words.lastIndexOf(`--${option}`);
    return at < 0 ? undefined : words[at + 1];
  };
  const { insecure: _, ...texts } = connectionOptions;
  return {
    ...Object.fromEntries(Object.keys(texts).map((option) => [option, lastOf(option)])),
    insecure: words.includes('--insecure'),
  } as unknown as Values<typeof connectionOptions>;
}

// `tidegate top`: all nouns on one screen, live.
import { UsageError } from '../failures.ts';
import { untyped } from '../graph-client.ts';
import { connectionOptions, openClient } from '../remote-verb.ts';
import { Screen, type TerminalInput, type TerminalOutput } from '../top/screen.ts';
import { TopSession } from '../top/session.ts';
import { topicsOf } from '../top/topics.ts';
import { type Entry, localVerb, type Noun, type Verb } from '../verb.ts';

export const topOf = (
  nouns: Readonly<Record<string, Entry<Noun>>>,
  verbsAlone: Readonly<Record<string, Entry<Verb>>>,
) =>
  localVerb({
    summary: 'Show what needs a person, and all objects, live on the whole terminal; ? there shows the keys.',
    takes: [],
    options: connectionOptions,
    endsBySignal: true,
    mayBeLeft: true,
    async run({ options, stdout, stdin, signal, env }) {
      const input = stdin?.() as TerminalInput | undefined;
      if (stdout.isTTY !== true || input?.isTTY !== true)
        throw new UsageError(
          'top needs a terminal: use "tidegate NOUN list", or "tidegate events follow", in a script',
        );
      const client = await openClient(options, { signal, env });
      try {
        const why = verbsAlone.why?.load;
        if (why === undefined) throw new Error('there is no verb why');
        // A wrong address or token is said before the terminal is taken over.
        await client.query(untyped<unknown>('query Top { __typename }'), {});
        const source = { client, signal, env, nouns, topics: topicsOf(nouns), why };
        await new TopSession(source, new Screen(input, stdout as TerminalOutput)).run();
      } finally {
        await client.close();
      }
    },
  });

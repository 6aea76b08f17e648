// `tidegate top`: all nouns on one screen, live. With --json it prints what needs attention once.
import { UsageError } from '../failures.ts';
import { untyped } from '../graph-client.ts';
import { printerOf } from '../printer.ts';
import { commonOptions, connectionOptions, openClient } from '../remote-verb.ts';
import { readOverview } from '../top/overview.ts';
import { Screen, type TerminalInput, type TerminalOutput } from '../top/screen.ts';
import { TopSession } from '../top/session.ts';
import type { Overview } from '../top/state.ts';
import { topicsOf } from '../top/topics.ts';
import { type Entry, localVerb, type Noun, type Surroundings, type Verb } from '../verb.ts';

export const topOf = (
  nouns: Readonly<Record<string, Entry<Noun>>>,
  verbsAlone: Readonly<Record<string, Entry<Verb>>>,
) =>
  localVerb({
    summary:
      'Show what needs attention, and all objects, live on the whole terminal; --json prints what needs attention, once.',
    takes: [],
    options: {
      json: commonOptions.json,
      ...connectionOptions,
    },
    endsBySignal: true,
    mayBeLeft: true,
    async run({ options, ...around }) {
      const terminal = options.json ? undefined : terminalOf(around);
      // Without standard error, whose output would disturb the screen.
      const { signal, env } = around;
      const client = await openClient(options, { signal, env });
      try {
        if (terminal === undefined) return await printerOf(around).json(shown(await readOverview(client)));
        // Reports a wrong address or token before it takes over the terminal.
        await client.query(untyped<unknown>('query Top { __typename }'), {});
        const why = verbsAlone.why?.load;
        if (why === undefined) throw new Error('there is no verb why');
        await new TopSession({ client, signal, env, nouns, topics: topicsOf(nouns), why }, terminal).run();
      } finally {
        await client.close();
      }
    },
  });

/** Throws UsageError. */
function terminalOf({ stdin, stdout }: Pick<Surroundings, 'stdin' | 'stdout'>): Screen {
  const input = stdin?.() as TerminalInput | undefined;
  if (stdout.isTTY !== true || input?.isTTY !== true)
    throw new UsageError('top needs a terminal: use "tidegate top --json" or "tidegate NOUN list" in a script');
  return new Screen(input, stdout as TerminalOutput);
}

function shown({ domains, needs, needCount, unknown, hidden }: Overview): object {
  return {
    domains: domains.map(({ title, text }) => ({ title, text })),
    ...{ needCount, unknown, notShown: hidden },
    needs: needs.map(({ type, id, name, cells: [what, since, why] }) => ({
      ...{ type, id, name, what },
      ...{ since: since === '' ? null : since, why: why === '' ? null : why },
    })),
  };
}

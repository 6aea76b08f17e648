// Warnings and errors of a start for the person at the terminal, one line each. The log file has the rest.
import type { DestinationStream } from 'pino';
import type { Output } from '../verb.ts';
import { visible } from '../visible.ts';

const warning = 40;
const error = 50;
/** The same words again within this time are only in the log file. */
const againMs = 60_000;
const mostRemembered = 200;
const longestDetail = 200;
const mostDetails = 3;
/** Fields of every line, or without use for a person. */
const silent: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'requestId', 'err']);

/** A destination of the log that takes its JSON lines. */
export function terminalWarnings(stdout: Output, now: () => number = () => performance.now()): DestinationStream {
  const toldAtMs = new Map<string, number>();
  return {
    write(line) {
      const words = wordsOf(line);
      if (words === undefined) return;
      const before = toldAtMs.get(words);
      if (before !== undefined && now() - before < againMs) return;
      toldAtMs.delete(words);
      toldAtMs.set(words, now());
      const oldest = toldAtMs.size > mostRemembered ? toldAtMs.keys().next().value : undefined;
      if (oldest !== undefined) toldAtMs.delete(oldest);
      stdout.write(`${words}\n`);
    },
  };
}

/** Undefined if it is neither a warning nor an error. */
function wordsOf(line: string): string | undefined {
  const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 0);
  if (level < warning) return undefined;
  const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const details = Object.entries(entry)
    .filter(([name, value]) => !silent.has(name) && ['string', 'number', 'boolean'].includes(typeof value))
    .slice(0, mostDetails)
    .map(([name, value]) => `${name} ${String(value)}`);
  const reason = (entry.err as { readonly message?: unknown } | undefined)?.message;
  const more = [...(typeof reason === 'string' ? [reason] : []), ...details].map((each) =>
    each.slice(0, longestDetail),
  );
  const title = level >= error ? 'Error' : 'Warning';
  const said = `${title}: ${String(entry.msg ?? '')}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
  return visible(said.replaceAll('\n', ' '));
}

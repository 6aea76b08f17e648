// `tidegate check-client URL`: plays the table of failures to a client of the graph, and judges its behaviour.
import { isIP } from 'node:net';
import { failureTable } from '../../clients/failure-table/table.ts';
import type { RowVerdict } from '../check-client/check-run.ts';
import { startCheckServer } from '../check-client/check-server.ts';
import { CommandFailure, Interruption, UsageError } from '../failures.ts';
import { flag, several } from '../option.ts';
import { Printer } from '../printer.ts';
import { localVerb } from '../verb.ts';

const rowNames: ReadonlySet<string> = new Set(failureTable.map(({ name }) => name));

function rowNamed(text: string, name: string): string {
  if (rowNames.has(text)) return text;
  throw new UsageError(`${name}: the table has no row '${text}'; docs/check-client.md lists them`);
}

export const checkClient = localVerb({
  summary: 'Play failures at URL to a client of the graph, and judge what the client does.',
  examples: ['tidegate check-client http://127.0.0.1:4100', 'tidegate check-client http://127.0.0.1:4100 --row busy'],
  page: 'docs/check-client.md',
  takes: ['URL'],
  options: {
    row: several('ROW', 'Play only this row of the table.', rowNamed),
    json: flag('Print JSON.'),
  },
  async run({ names: [url], options, stdout, stderr, env, signal }) {
    const rows = failureTable.filter(({ name }) => options.row.length === 0 || options.row.includes(name));
    const printer = new Printer(stdout, env);
    const width = Math.max(...rows.map(({ name }) => name.length));
    const lines: Promise<void>[] = [];
    const onVerdict = (verdict: RowVerdict) => {
      if (!options.json) lines.push(printer.line(lineOf(verdict, width)));
    };
    const server = await startCheckServer({ ...addressIn(url), rows, onVerdict }).catch((error: unknown) => {
      throw new CommandFailure(
        `${url} can't be listened at: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      );
    });
    const interrupted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      stderr.write(`Tasks for the client: GET ${server.origin}/next, POST ${server.origin}/report\n`);
      await Promise.race([server.ended, interrupted]);
    } finally {
      await server.close();
      await Promise.all(lines);
    }
    const verdicts = await server.ended;
    if (options.json) await printer.json(verdicts);
    if (signal.aborted) throw new Interruption();
    conclude(verdicts, rows.length);
    if (!options.json) await printer.line(`${rows.length} rows: all passed.`);
  },
});

function conclude(verdicts: readonly RowVerdict[], rows: number): void {
  const failed = verdicts.filter(({ isPassed }) => !isPassed).length;
  const untried = rows - verdicts.length;
  if (failed + untried === 0) return;
  const parts = [failed > 0 ? `${failed} failed` : '', untried > 0 ? `${untried} were not requested` : ''];
  throw new CommandFailure(`${rows} rows: ${parts.filter(Boolean).join(', ')}`);
}

function lineOf({ row, isPassed, faults }: RowVerdict, width: number): string {
  return isPassed ? `pass  ${row}` : `FAIL  ${row.padEnd(width)}  ${faults.join('; ')}`;
}

/** Address to listen on. */
function addressIn(text: string): { readonly host: string; readonly port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const isPlain = url?.protocol === 'http:' && url.pathname === '/' && url.username === '' && url.search === '';
  if (url === undefined || !isPlain || (isIP(host) === 0 && host !== 'localhost'))
    throw new UsageError(
      `URL must be where to listen on this machine, for example http://127.0.0.1:4100, not ${JSON.stringify(text)}`,
    );
  return { host, port: url.port === '' ? 80 : Number(url.port) };
}

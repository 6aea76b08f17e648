// `tidegate mappings export`: all mappings as lines of JSON, to standard output or into a file that appears only when complete.
// gateway/web/graph-export.ts describes the format.
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { request } from 'undici';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { projectId } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { text } from '../../option.ts';
import { otherAnswer } from '../../other-answer.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replaceFile } from '../../replace-file.ts';
import type { Output } from '../../verb.ts';

/** Longest pause between two parts of the answer. */
const silenceMs = 150_000;
const maxLineBytes = 1024 * 1024;
const newline = 0x0a;

export const exportMappings = remoteVerb({
  summary: 'Write all mappings, or those changed since an earlier export, as lines of JSON.',
  takes: [],
  options: {
    file: text('FILE', 'Write to this file, which is replaced once the export is complete.'),
    after: text('POSITION', 'Only changes since an earlier export, including deletions.'),
    project: commonOptions.project,
  },
  async run({ client, options, signal, stdout, stderr, printer }) {
    const source = await openExport(client, signal, {
      after: options.after,
      projectId: await projectId(client, options.project),
    });
    const reader = new ExportReader(source, signal);
    await (options.file === undefined ? writeOut(reader, stdout) : save(reader, options.file));
    const { mappings, after } = reader.end();
    if (options.json && options.file !== undefined) return printer.json({ file: options.file, lines: mappings, after });
    stderr.write(`tidegate: ${mappings} lines exported; for later changes use --after ${after}\n`);
  },
});

/** Throws CommandFailure unless the answer is an export. */
async function openExport(
  client: GraphClient,
  signal: AbortSignal,
  wish: Readonly<Record<'after' | 'projectId', string | undefined>>,
): Promise<AsyncIterable<Buffer>> {
  // On the endpoint's path, even if a proxy serves that under a prefix.
  const url = new URL('export/mappings.ndjson', client.url);
  for (const [name, value] of Object.entries(wish)) if (value !== undefined) url.searchParams.set(name, value);
  const token = await client.credential?.token();
  let response = await requestAs(token, url, signal);
  // If the local clock is behind, an apparently valid token may have ended.
  const other =
    response.statusCode === 401 && token !== undefined ? await client.credential?.inPlaceOf(token) : undefined;
  if (other !== undefined) {
    await response.body.dump();
    response = await requestAs(other, url, signal);
  }
  if (response.statusCode === 200 && String(response.headers['content-type']).startsWith('application/x-ndjson'))
    return response.body;
  const text = (await response.body.text()).slice(0, 64 * 1024);
  throw refusal(text, response.statusCode);
}

async function requestAs(token: string | undefined, url: URL, signal: AbortSignal) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    return await request(url, { headers, signal, headersTimeout: silenceMs, bodyTimeout: silenceMs });
  } catch (error) {
    if (signal.aborted) throw new Interruption();
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`${url.origin} can't be reached: ${code ?? message}`, exitCodes.unreachable);
  }
}

function refusal(text: string, status: number): CommandFailure {
  try {
    const { errors } = JSON.parse(text) as { errors?: { message: string; extensions?: { code?: string } }[] };
    const [first] = errors ?? [];
    if (first !== undefined) return new CommandFailure(`${first.extensions?.code ?? status}: ${first.message}`);
  } catch {
    // Not JSON: reported below.
  }
  return otherAnswer(status, 'an export');
}

async function writeOut(reader: ExportReader, output: Output): Promise<void> {
  await pipeline(reader.parts(), output, { end: false }).catch((error: NodeJS.ErrnoException) => {
    throw error instanceof CommandFailure
      ? error
      : new CommandFailure(`standard output: ${error.code ?? error.message}`);
  });
}

async function save(reader: ExportReader, file: string): Promise<void> {
  try {
    await replaceFile(file, async (partial, flags) => {
      const target = createWriteStream(partial, { mode: 0o600, flags, flush: true });
      const closed = new Promise<void>((resolve) => target.once('close', () => resolve()));
      try {
        await pipeline(reader.parts(), target);
      } finally {
        // A file that is still being opened would appear after its removal.
        await closed;
      }
    });
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`${file} can't be written: ${code ?? message}`);
  }
}

/** Passes the data on. Keeps the last line, which shows whether the data is complete. */
class ExportReader {
  readonly #source: AsyncIterable<Buffer>;
  readonly #signal: AbortSignal;
  #lines = 0;
  #last: Buffer = Buffer.alloc(0);
  /** The start of a line whose end has not arrived. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Throws CommandFailure when the last line is not the expected one. */
  async *parts(): AsyncGenerator<Buffer> {
    try {
      for await (const part of this.#source) {
        this.#note(part);
        yield part;
      }
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      if (this.#signal.aborted) throw new Interruption();
      const { code, message } = error as NodeJS.ErrnoException;
      throw new CommandFailure(`the export was interrupted: ${code ?? message}`, exitCodes.unreachable);
    }
    this.end();
  }

  /** The number of mappings before the last line, and the position in it. */
  end(): { readonly mappings: number; readonly after: string } {
    const after = this.#rest.length === 0 ? positionIn(this.#last.toString()) : undefined;
    if (after === undefined)
      throw new CommandFailure('the export was interrupted: its last line is missing', exitCodes.unreachable);
    return { mappings: this.#lines - 1, after };
  }

  #note(part: Buffer): void {
    let start = 0;
    for (let end = part.indexOf(newline); end >= 0; end = part.indexOf(newline, start)) {
      this.#last = Buffer.concat([this.#rest, part.subarray(start, end)]);
      this.#rest = Buffer.alloc(0);
      this.#lines += 1;
      start = end + 1;
    }
    this.#rest = Buffer.concat([this.#rest, part.subarray(start)]);
    if (this.#rest.length > maxLineBytes) throw new CommandFailure(`a line is longer than ${maxLineBytes} bytes`);
  }
}

function positionIn(line: string): string | undefined {
  try {
    const { after, id } = JSON.parse(line) as { after?: unknown; id?: unknown };
    return typeof after === 'string' && id === undefined ? after : undefined;
  } catch {
    return undefined;
  }
}

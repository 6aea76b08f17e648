// Tables of command lines, run against a server with the real schema: the output of each line, and its requests to the server.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type Answers, GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

type Page = { first: number; after?: string | null; names?: readonly string[] | null };

export interface Row {
  /** The words after `tidegate`, separated by blanks. A list if a word contains blanks. `DIR` stands for a folder, here and in expectations. */
  readonly run: string | readonly string[];
  /** Files that are first written into the folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Answers that apply from this row on, in addition to those of the scene. */
  readonly answers?: Answers;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: 0. */
  readonly exit?: number;
  /**
   * A text that ends in a line feed must equal the whole output. Any other text must be a line of it. Several blanks count as one, and `…`
   * stands for any text.
   */
  readonly out?: string | readonly string[];
  /** Like `out`, but with parts of the text instead of lines. Default after a success: no output. */
  readonly err?: string | readonly string[];
  /** Parts that may not be in the output. */
  readonly without?: readonly string[];
  /** The expected output as JSON. */
  readonly json?: unknown;
  /** Expected values among the variables of the last request, or in its input. With `whole` they must be complete. */
  readonly sent?: object;
  readonly whole?: object;
  readonly input?: object;
  /** Expected values in the variables or inputs of all requests. */
  readonly requests?: readonly object[];
  readonly inputs?: readonly object[];
  /** All inputs exactly, except for their idempotency keys. */
  readonly asked?: readonly object[];
  readonly also?: (done: Omit<Done, 'exitCode'>) => unknown;
}

interface Scene {
  readonly answers?: Answers;
  readonly rows: readonly Row[];
}

/** By title. */
export type Scenes = Readonly<Record<string, Scene>>;

/** The answer to a list, in pages. */
export const list =
  (...nodes: readonly object[]) =>
  ({ after = null, ...args }: Page) =>
    pageOf(nodes, { ...args, after });
/** The payload of a successful mutation. */
export const done = (payload: object) => () => ({ ...payload, userErrors: [], commit: null });
/** The payload of a refused mutation. */
export const refused =
  (code: string, message: string, ...field: readonly string[]) =>
  () => ({ commit: null, userErrors: [{ code, message, field, retry: 'NEVER' }] });
/** An object by its id. */
export const byId =
  (...all: readonly object[]) =>
  ({ id }: { readonly id: string }) =>
    all.find((each) => (each as { readonly id: string }).id === id) ?? null;
/** The same expectation for several lines. */
export const each = (lines: readonly string[], row: Omit<Row, 'run'>): readonly Row[] =>
  lines.map((run) => ({ ...row, run }));

const waitsFor = ({ rows }: Scene) => rows.some(({ run }) => [run].flat().join(' ').includes(' --wait '));

/** Servers and a folder for the tests of one file. */
export class CommandTable {
  server!: GraphServer;
  folder!: TemporaryFolder;
  /** Scenes that wait do so in parallel, each with its own server. They have ended without a value, or with their failure. */
  readonly #waiting = new Map<Scene, Promise<unknown>>();

  constructor() {
    beforeAll(async () => {
      [this.server, this.folder] = [await GraphServer.start(), await temporaryFolder()];
      for (const scene of this.#waiting.keys())
        this.#waiting.set(
          scene,
          this.#playAlone(scene).catch((failure: unknown) => failure),
        );
    });
    afterAll(async () => {
      await Promise.all(this.#waiting.values());
      await this.server?.stop();
      await this.folder?.remove();
    });
  }

  test(scenes: Scenes): void {
    for (const scene of Object.values(scenes)) if (waitsFor(scene)) this.#waiting.set(scene, Promise.resolve());
    test.each(Object.entries(scenes))('%s', async (_title, scene) => {
      if (!this.#waiting.has(scene)) return await this.#play(scene, this.server);
      const failure = await this.#waiting.get(scene);
      if (failure !== undefined) throw failure;
      expect(failure).toBeUndefined();
    });
  }

  async #playAlone(scene: Scene): Promise<void> {
    const server = await GraphServer.start();
    try {
      await this.#play(scene, server);
    } finally {
      await server.stop();
    }
  }

  async #play({ answers = {}, rows }: Scene, server: GraphServer): Promise<void> {
    server.answers = answers;
    for (const row of rows) await this.expect(row, server);
  }

  async expect(row: Row, server = this.server): Promise<void> {
    const { folder } = this;
    for (const [name, text] of Object.entries(row.files ?? {})) await writeFile(join(folder.path, name), text);
    if (row.answers !== undefined) server.answers = { ...server.answers, ...row.answers };
    server.requests.length = 0;
    const words = typeof row.run === 'string' ? row.run.split(' ') : row.run;
    const args = words.map((word) => word.replaceAll('DIR', folder.path));
    const env = { TIDEGATE_TOKEN: goodToken, ...row.env };
    const done = await runCommand(args.includes('--url') ? args : [...args, '--url', server.url], { env });
    const withoutFolder = (text: string) => text.replaceAll(folder.path, 'DIR');
    const [stdout, stderr] = [withoutFolder(done.stdout), withoutFolder(done.stderr)];
    await expectOf(row, { exitCode: done.exitCode, stdout, stderr, requests: [...server.requests] });
  }
}

interface Done {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: GraphServer['requests'];
}

async function expectOf(row: Row, { exitCode, stdout, stderr, requests }: Done): Promise<void> {
  const { run, exit = 0, out = [], err = exit === 0 ? '' : [], without = [] } = row;
  // The line is part of the comparison, so a failure names it.
  const faults = [
    ...faultsOf(stdout, out, (line) => new RegExp(`^${pattern(line)}$`, 'm'), 'out'),
    ...faultsOf(stderr, err, (part) => new RegExp(pattern(part)), 'err'),
    ...without.filter((part) => stdout.includes(part)).map((part) => `has ${part}`),
  ];
  expect({ run, exitCode, faults, ...(faults.length > 0 && { stdout, stderr }) }).toEqual({
    run,
    exitCode: exit,
    faults: [],
  });
  const inputs = requests.flatMap(({ input }) => (input === undefined ? [] : [input as Record<string, unknown>]));
  const found = {
    run,
    json: row.json && JSON.parse(stdout),
    sent: requests.at(-1),
    input: inputs.at(-1),
    requests,
    inputs,
  };
  for (const part of ['json', 'sent', 'input', 'requests', 'inputs'] as const)
    if (row[part] !== undefined) expect({ run, [part]: found[part] }).toMatchObject({ run, [part]: row[part] });
  const asked = inputs.map(({ idempotencyKey: _, ...input }) => input);
  if (row.asked !== undefined) expect({ run, asked }).toEqual({ run, asked: row.asked });
  if (row.whole !== undefined) expect({ run, whole: requests.at(-1) }).toEqual({ run, whole: row.whole });
  await row.also?.({ stdout, stderr, requests });
}

function faultsOf(text: string, wanted: string | readonly string[], as: (part: string) => RegExp, where: string) {
  if (wanted === '' || (typeof wanted === 'string' && wanted.endsWith('\n')))
    return text === wanted ? [] : [`${where} is not ${wanted}`];
  const lines = text.replaceAll(/ {2,}/g, ' ').replaceAll(/^ | $/gm, '');
  return [wanted].flat().flatMap((part) => (as(part).test(lines) ? [] : [`${where} lacks ${part}`]));
}

const pattern = (line: string) => line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');

// npm run dev: the product without the lab, restarted on each save, and the dashboard through Vite with hot reload. Takes the arguments of `tidegate
// up`, and `--pages-port PORT` for Vite (5173).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
// @ts-expect-error It has no types: the bootstrap's Node runs it too.
import { isSchemaFresh } from '../bin/boot/generated-schema.mjs';
import { watchPaths } from '../platform/watch/watch-answer.ts';
// @ts-expect-error It has no types: the bootstrap's Node runs it too.
import { watchFiles } from './watch-files.mjs';

const root = dirname(import.meta.dirname);
const folders = [
  ...['bin', 'cli', 'compose', 'dns', 'embedded', 'gateway', 'platform', 'prisma', 'schema', 'subgraphs', 'workers'],
];
const standardPagesPort = '5173';

interface Pages {
  readonly resolvedUrls: { readonly local: readonly string[] } | null;
  listen(): Promise<unknown>;
}

/** Prints a fault of the SDL. The product then reports that it can't start. */
async function composeSchema(): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'tools/compose.ts')], { cwd: root, stdio: 'inherit' });
  await once(child, 'exit');
}

/** The running product; each save replaces it. */
class Server {
  readonly #words: readonly string[];
  readonly #onUrl: (url: string) => void;
  #child: ChildProcess | undefined;
  #isEnding = false;

  constructor(words: readonly string[], onUrl: (url: string) => void) {
    this.#words = words;
    this.#onUrl = onUrl;
  }

  start(): void {
    const child = spawn(process.execPath, [join(root, 'bin/tidegate.ts'), 'up', '--no-lab', ...this.#words], {
      cwd: root,
      // Ctrl-C comes through this process, once.
      detached: true,
      env: process.stdout.isTTY ? { TIDEGATE_LOG_FORMAT: 'pretty', ...process.env } : process.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text);
      const url = /GraphQL\s+(http:\S+)\/graphql/.exec(text)?.[1];
      if (url !== undefined) this.#onUrl(url);
    });
    child.once('exit', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (!this.#isEnding) process.stdout.write('The server has ended. It starts again on the next save.\n');
    });
  }

  async restart(): Promise<void> {
    process.stdout.write('A file has changed: starting again.\n');
    await this.#end();
    if (!isSchemaFresh(root)) await composeSchema();
    if (!this.#isEnding) this.start();
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}

/** GraphiQL is the built one: Vite's dev server can't load the workers of its editor. */
const gatewayPaths = ['/graphql', '/graphiql', '/assets/', ...watchPaths];

/** Vite with the gateway behind it, as if both were one origin. */
async function startPages(url: string, port: string): Promise<Pages> {
  const { createServer } = await import(join(root, 'dashboard/node_modules/vite/dist/node/index.js'));
  const pages: Pages = await createServer({
    configFile: join(root, 'dashboard/vite.config.ts'),
    clearScreen: false,
    optimizeDeps: { entries: ['index.html'] },
    server: {
      host: '127.0.0.1',
      port: Number(port),
      fs: { allow: [root] },
      proxy: Object.fromEntries(gatewayPaths.map((path) => [path, { target: url, ws: path === '/graphql' }])),
    },
  });
  await pages.listen();
  return pages;
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const at = words.indexOf('--pages-port');
  const [, pagesPort = standardPagesPort] = at < 0 ? [] : words.splice(at, 2);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  const ended = once(ending.signal, 'abort');

  // Caused by Vite. The product and the other pages continue.
  process.on('unhandledRejection', (error) => void process.stderr.write(`${String(error)}\n`));

  const ready = Promise.withResolvers<string>();
  const server = new Server(words, ready.resolve);
  server.start();
  let change = Promise.resolve();
  const stopWatching = watchFiles(root, folders, () => {
    change = change.then(() => server.restart());
  });
  const url = await Promise.race([ready.promise, ended.then(() => undefined)]);
  if (url !== undefined) {
    const pages = await startPages(url, pagesPort);
    process.stdout.write(`\n  Dashboard, reloaded as it changes: ${pages.resolvedUrls?.local[0]}\n\n`);
    await ended;
  }
  stopWatching();
  await change;
  await server.stop();
}

await main();
// Vite has nothing to save, and its unfinished work would continue.
process.exit(0);

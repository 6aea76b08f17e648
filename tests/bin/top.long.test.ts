// `tidegate top` in a real terminal, against a real system: it is live, reports a lost server, and restores the terminal.
// needs: bsdutils
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../cli/commands/run-command.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { Terminal } from './support/terminal.ts';
import { ask } from './support/up-process.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate');
const small = { rows: 24, columns: 80 };
/** Its last output restores the cursor and the shell's own screen. */
const givenBack = '\u001b[?25h\u001b[?1049l';
const opened: Terminal[] = [];
let system: RunningSystem;
let line: Line;

beforeAll(async () => {
  system = await runningSystem();
  line = await Line.open(Number(new URL(system.url).port));
  for (const name of ['north', 'south']) await create(name);
}, 120_000 * patience);
afterEach(() => {
  for (const terminal of opened.splice(0)) terminal.kill();
});
afterAll(async () => {
  await line?.close();
  await system?.stop();
}, 60_000 * patience);

/** A connection between the terminal and the server, which can be cut. */
class Line {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => {
      const far = connect(this.#target, '127.0.0.1');
      for (const [one, other] of [
        [socket, far],
        [far, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => this.#sockets.delete(one));
        one.pipe(other);
      }
    });
  }

  static async open(target: number): Promise<Line> {
    const made = new Line(target);
    await made.listen(0);
    return made;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }
}

async function create(name: string): Promise<void> {
  const input = { idempotencyKey: randomUUID(), name };
  const text = `mutation ($input: GslbPoolCreateInput!) { done: gslbPoolCreate(input: $input) { userErrors { message } } }`;
  const { done } = await ask<{ done: { userErrors: unknown[] } }>(origin(), system.token, text, { input });
  expect(done.userErrors).toEqual([]);
}

const origin = () => system.url.replace('/graphql', '');

function open(more: Readonly<Record<string, string>> = {}): Terminal {
  const env = { PATH: process.env.PATH, TIDEGATE_TOKEN: system.token, LANG: 'C.UTF-8', ...more };
  const terminal = new Terminal(`${program} top --url http://127.0.0.1:${line.port}/graphql`, small, env);
  opened.push(terminal);
  return terminal;
}

test(
  'nouns are chosen by short words, rows are opened, and the terminal may change its size',
  async () => {
    const top = open();
    await top.shows(/^backends +0/);
    expect(top.screen()).toHaveLength(24);
    await top.shows('NOTHING NEEDS ATTENTION');
    top.type(':gp\r');
    await top.shows(/^> north /);
    top.type('/sou\r');
    await top.shows(/^> south /);
    await waitFor('north to go', () => !top.screen().some((each) => each.includes('north')));
    top.type('\r');
    await top.shows(/^GslbPool south/);
    await top.shows(/^Min up +1/);
    top.type('\u001b');
    await top.shows(/^> south /);
    await top.resize({ rows: 30, columns: 120 });
    await waitFor('30 lines', () => top.screen().length === 30);
    await top.shows(/^> south /);
    top.type(':bakcends\r');
    await top.shows("there is no noun 'bakcends'; backends is near");
    top.type('q');
    expect([await top.ended, top.output.endsWith(givenBack)]).toEqual([0, true]);
  },
  90_000 * patience,
);

test(
  'a change of an object appears by itself, and only changed lines are written',
  async () => {
    const top = open({ NO_COLOR: '1' });
    await top.shows(/^backends +0/);
    top.type(':events\r');
    await top.shows(/^events {2}/);
    const before = top.output.length;
    const name = `lb-${randomUUID().slice(0, 8)}`;
    const text =
      'mutation ($input: LoadBalancerCreateInput!) { done: loadBalancerCreate(input: $input) { userErrors { message } } }';
    const input = { idempotencyKey: name, name };
    expect(await ask(origin(), system.token, text, { input })).toEqual({ done: { userErrors: [] } });
    await top.shows(/^[> ] loadBalancer\.provisioningStatus /);
    // Without colours.
    expect(top.output).not.toMatch(/\p{Cc}\[(?:3\d|90)m/u);
    // The whole screen is not written again: the head and the foot stay.
    expect(top.output.slice(before)).not.toContain('q quit');
    top.type('\u0003');
    expect([await top.ended, top.output.endsWith(givenBack)]).toEqual([0, true]);
  },
  90_000 * patience,
);

test(
  'a lost server is reported with the age of the data, and updates continue when the server is back',
  async () => {
    const top = open();
    await top.shows(/^backends +\d/);
    top.type(':gp\r');
    await top.shows(/ north /);
    const { port } = line;

    await line.cut();
    await top.shows(/reconnecting, data is \d+ s old/);
    await top.shows(/ north /);
    await create('west');
    await line.listen(port);
    await top.shows(/ west /);
    await top.shows(/127\.0\.0\.1:\d+ {2}live$/);
    process.kill(await top.pid(), 'SIGTERM');
    expect([await top.ended, top.output.endsWith(givenBack)]).toEqual([0, true]);
  },
  90_000 * patience,
);

test(
  'the terminal has its former settings when it ends',
  async () => {
    const terminal = new Terminal(
      `sh -c '${program} top --url ${system.url}; stty -a | grep -o "[-]*icanon\\|[-]*echo "; read end'`,
      small,
      { PATH: process.env.PATH, TIDEGATE_TOKEN: system.token },
    );
    opened.push(terminal);
    await terminal.shows(/^backends +\d/);
    terminal.type('q');
    await terminal.shows(/^icanon/);
    await terminal.shows(/^echo/);
    terminal.type('\n');
    await terminal.ended;
  },
  90_000 * patience,
);

test(
  'without a terminal or a server it reports that and writes no screen',
  async () => {
    const { exitCode, stderr } = await runCommand(['top', '--url', system.url], {
      env: { TIDEGATE_TOKEN: system.token },
    });
    expect([exitCode, stderr]).toEqual([
      64,
      expect.stringContaining('top needs a terminal: use "tidegate top --json"'),
    ]);
    const top = new Terminal(`${program} top --url http://127.0.0.1:1/graphql`, small, {
      PATH: process.env.PATH,
      TIDEGATE_TOKEN: system.token,
    });
    opened.push(top);
    expect(await top.ended).toBe(3);
    expect(top.output).toContain("http://127.0.0.1:1 can't be reached");
    expect(top.output).not.toContain('\u001b[?1049h');
  },
  90_000 * patience,
);

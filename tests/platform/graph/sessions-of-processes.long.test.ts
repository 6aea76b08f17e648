// Sessions between a gateway and real processes of a subgraph: a process that restarts under load, two processes behind one address, and
// sessions that end under load. No query fails, and no mutation is executed twice.
// needs: processes, haproxy
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { HttpLink } from '../../../gateway/supergraph/http-link.ts';
import { ProofCounts } from '../../../gateway/supergraph/place-proofs.ts';
import { newKeyPair, SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const { privateText, publicText } = newKeyPair();
const signingKeys = new SigningKeys({ active: 'k1', keys: { k1: privateText } });
const keys = JSON.stringify({ gateway: { k1: publicText }, system: {}, audit: {}, objects: {} });
const program = new URL('./support/subgraph-process.ts', import.meta.url).pathname;
const log = pino({ level: 'silent' });
const note = parse('mutation { note }');
const name = parse('{ name }');

let counts: ProofCounts;
let children: ChildProcess[];
let links: HttpLink[];
let folder: TemporaryFolder;
beforeEach(async () => {
  counts = new ProofCounts();
  [children, links] = [[], []];
  folder = await temporaryFolder();
});
afterEach(async () => {
  await Promise.all(links.map((link) => link.close()));
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
  await folder.remove();
});

interface Host {
  readonly url: string;
  readonly child: ChildProcess;
  /** The number of mutations that it has started. */
  noted: number;
}

async function start(which: string, port = 0): Promise<Host> {
  const child = spawn(process.execPath, [program, which, keys, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const host: Host = { url: String(line).trim(), child, noted: 0 };
  child.stdout.on('data', (chunk: Buffer) => {
    host.noted += String(chunk).split('noted').length - 1;
  });
  return host;
}

function linkTo(urls: readonly [string, ...string[]], sessionSeconds?: number): HttpLink {
  const link = new HttpLink({
    ...{ name: 'test', urls, signingKeys, log, proofCounts: counts },
    ...{ queryDeadlineMs: 60_000, mutationDeadlineMs: 60_000 },
    ...(sessionSeconds === undefined ? {} : { sessionSeconds }),
  });
  links.push(link);
  return link;
}

/** Eight clients that send requests until they are stopped: one mutation after every three queries. */
function load(link: HttpLink) {
  const figures = { answered: 0, mutations: 0, lost: 0, faults: [] as unknown[], names: new Set<unknown>() };
  let isOver = false;
  const ask = async (isMutation: boolean, variables: Readonly<Record<string, unknown>>) => {
    const document = isMutation ? note : name;
    const text = isMutation ? 'mutation { note }' : '{ name }';
    const context = { identity: null, requestId: 'r', loaders: new Map() };
    const result = await link.execute({ text, document, variables, operationName: undefined, context });
    figures.answered += 1;
    if (isMutation) figures.mutations += 1;
    const isLost = isMutation && result.errors?.[0]?.message.includes('outcome of the mutation is unknown') === true;
    if (isLost) figures.lost += 1;
    else if (result.errors !== undefined) figures.faults.push(result.errors);
    else if (!isMutation) figures.names.add(result.data?.name);
  };
  const client = async (number: number) => {
    for (let asked = 0; !isOver; asked += 1) await ask(asked % 4 === 3, { of: `${number}/${asked}` });
  };
  const all = Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
  const end = async () => {
    isOver = true;
    await all;
  };
  return { figures, end };
}

test('a process restarts under load: no request fails, and no mutation is executed twice', async () => {
  const [first, second] = [await start('first'), await start('second')];
  const link = linkTo([first.url, second.url]);
  const { figures, end } = load(link);
  await waitFor('sessions with both', () => counts.handshakes.opened === 2 && counts.requests.mac > 200);
  const hosts = [first, second];
  for (let round = 0; round < 3; round += 1) {
    const { child, url } = hosts[round % 2 === 0 ? 0 : 1] as Host;
    child.stdin?.end('drain\n');
    await once(child, 'exit');
    hosts.push(await start(`again-${round}`, Number(new URL(url).port)));
    hosts[round % 2 === 0 ? 0 : 1] = hosts.at(-1) as Host;
    const { opened } = counts.handshakes;
    await waitFor('a session with the new process', () => counts.handshakes.opened > opened);
    await waitFor('its answers', () => figures.names.has(`again-${round}`));
  }
  await end();
  expect(figures.faults).toEqual([]);
  expect(counts.requests.mac).toBeGreaterThan(counts.requests.signature);
  const noted = new Set([first, second, ...hosts]);
  const sum = () => [...noted].reduce((all, host) => all + host.noted, 0);
  await waitFor('the last line of each', () => sum() >= figures.mutations);
  expect(sum()).toBe(figures.mutations);
  expect(figures.lost).toBe(0);
}, 120_000);

test('two processes behind one address: no request fails, nothing is executed twice, and sessions are dropped', async () => {
  const [first, second] = [await start('first'), await start('second')];
  const port = await freePort();
  const config = join(folder.path, 'haproxy.cfg');
  const server = ({ url }: Host, which: string) => `  server ${which} ${new URL(url).host}`;
  await writeFile(
    config,
    [
      'defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s',
      `listen subgraph\n  bind 127.0.0.1:${port}\n  balance roundrobin`,
      `${server(first, 'one')}\n${server(second, 'two')}\n`,
    ].join('\n'),
  );
  const proxy = spawn('haproxy', ['-f', config, '-db'], { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(proxy);
  await waitFor('the proxy', () => canConnect(port));
  const { figures, end } = load(linkTo([`http://127.0.0.1:${port}`]));
  await waitFor('answers', () => figures.answered > 2_000);
  await end();
  expect(figures.faults).toEqual([]);
  expect(figures.lost).toBe(0);
  expect(figures.names).toEqual(new Set(['first', 'second']));
  await waitFor('the last line of each', () => first.noted + second.noted >= figures.mutations);
  expect(first.noted + second.noted).toBe(figures.mutations);
  const { opened, refused, failed } = counts.handshakes;
  expect(opened + refused).toBeLessThan(10);
  expect(failed).toBe(0);
  // At most the requests that were under way when the gateway noticed it.
  expect(counts.unknownSessions).toBeLessThan(100);
  await rm(config);
}, 120_000);

test('sessions end and are renewed under load', async () => {
  const host = await start('only');
  const { figures, end } = load(linkTo([host.url], 2));
  await waitFor('renewals', () => counts.handshakes.opened >= 4);
  await end();
  expect(figures.faults).toEqual([]);
  expect(figures.lost).toBe(0);
  await waitFor('its last line', () => host.noted >= figures.mutations);
  expect(host.noted).toBe(figures.mutations);
  expect(counts.unknownSessions).toBe(0);
  expect(counts.requests.mac).toBeGreaterThan(10 * counts.requests.signature);
}, 60_000);

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', tell(true)).once('error', tell(false));
  });
}

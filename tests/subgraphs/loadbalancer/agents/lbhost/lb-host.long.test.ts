// The host's process with its nodes: killed, restarted, with damaged files, a full disk and garbage from the control
// plane.
// needs: haproxy, root
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { Agent, request } from 'undici';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { WantedNode, WantedPart } from '../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { endProcessesOf } from '../../../../support/machine/left-processes.ts';
import { stretch } from '../../../../support/machine/patience.ts';
import { isRunning, stays, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { testHistory } from '../../../../support/stores/histories.ts';
import { HostProcess } from '../../support/host-process.ts';
import { TestControl } from '../../support/test-control.ts';
import { part, wantedNode } from '../../support/wanted.ts';

const log = pino({ level: 'silent' });
let folder: string;
let authority: CertificateAndKey;
let control: TestControl;
let host: HostProcess;
let webs: Server[];
let healthPort: number;
let port: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-host-'));
  authority = await testAuthority();
  control = new TestControl(log);
  await control.start(authority);
  [healthPort, port] = [await freePort(), await freePort()];
  webs = await Promise.all(
    ['one', 'two', 'three'].map(async (name) => {
      const server = createServer((_, response) => response.end(name));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const { cert, key, ca } = await testMachine(authority, 'lbhost', 'host', log);
  const urls = [`wss://127.0.0.1:${control.port}/link`];
  host = new HostProcess({ folder, urls, tls: { cert, key, ca }, healthPort });
});
afterEach(async () => {
  await host.end('SIGKILL');
  await endProcessesOf(folder);
  await control.stop();
  for (const server of webs) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function haproxyOf(name: string): Promise<number | undefined> {
  const text = await readFile(join(folder, 'nodes', name, 'haproxy.pid'), 'utf8').catch(() => '');
  const pid = Number(text.trim());
  return pid > 1 && isRunning(pid) ? pid : undefined;
}

/** A node of one load balancer, whose parts change from generation to generation. */
class Node {
  readonly id = newUuid();
  readonly address: string;
  generation = 0;
  readonly #balancer = newUuid();
  readonly #pool: WantedPart;
  readonly #fixed: readonly WantedPart[];
  readonly #members: readonly WantedPart[];

  constructor(index: number) {
    this.address = `127.91.0.${index + 10}`;
    this.#pool = part('Pool', this.#balancer, { memberProtocol: 'HTTP', drainMs: 500 });
    const listener = part('Listener', this.#balancer, { protocol: 'HTTP', port, defaultPool: this.#pool.id });
    // A member that answers late on a busy machine must not count as down.
    const checks = { intervalMs: 200, timeoutMs: 200, fall: 10 };
    const monitor = part('PoolHealthMonitor', this.#pool.id, { monitorType: 'HTTP', ...checks });
    this.#fixed = [this.#pool, listener, monitor];
    this.#members = webs.map((web) =>
      part('PoolMember', this.#pool.id, { host: '127.0.0.1', port: (web.address() as AddressInfo).port }),
    );
  }

  /** The next generation, with the members at these indexes and the given parts. */
  next(members: readonly number[], more: Partial<WantedNode> = {}, parts: readonly WantedPart[] = []): WantedNode {
    this.generation += 1;
    const chosen = members.flatMap((index) => this.#members[index] ?? []);
    return {
      ...wantedNode(this.#balancer, [...this.#fixed, ...chosen, ...parts]),
      ...{ id: this.id, name: `node-${this.id.slice(-4)}`, generation: this.generation },
      loadBalancer: { id: this.#balancer, name: 'web', generation: this.generation },
      ...{ address: this.address, managementAddress: this.address, ...more },
    };
  }

  listener(at: number): WantedPart {
    return part('Listener', this.#balancer, { protocol: 'HTTP', port: at, defaultPool: this.#pool.id });
  }
}

async function ask(node: Node, agent?: Agent): Promise<string> {
  const url = `http://${node.address}:${port}/`;
  const { statusCode, body } = await request(url, agent === undefined ? {} : { dispatcher: agent });
  return `${statusCode} ${await body.text()}`;
}

function isServed(node: Node): Promise<boolean> {
  return ask(node).then(
    (answer) => answer.startsWith('200'),
    () => false,
  );
}

test('killed at any moment while members and listeners change, it adopts running nodes: no request fails', async () => {
  const node = new Node(1);
  control.set(node.next([0, 1]));
  await host.start();
  await waitFor('an answer', () => isServed(node));
  const pid = await haproxyOf((await readdir(join(folder, 'nodes')))[0] ?? '');
  const failures: string[] = [];
  let requests = 0;
  let asking = true;
  const agent = new Agent({ connections: 2 });
  const clients = [agent, undefined].map(async (dispatcher) => {
    while (asking) {
      await ask(node, dispatcher).then(
        (answer) => answer.startsWith('200') || failures.push(answer),
        (error: unknown) => failures.push(String(error)),
      );
      requests += 1;
    }
  });
  const extra = await freePort();
  // One member stays, so that there is always one that was checked.
  const sets = [[0, 1, 2], [0, 2], [0], [0, 1]];
  for (let round = 0; round < 12; round += 1) {
    // Every fourth change needs a reload.
    const parts = round % 8 < 4 ? [] : [node.listener(extra)];
    const wanted = node.next(sets[round % sets.length] ?? [0], {}, parts);
    control.set(wanted);
    // Kills during the change, before it or after it.
    await sleep(Math.random() * 60);
    await host.end('SIGKILL');
    await host.start();
    if (round % 3 === 2) await waitFor('the change', () => control.isDone(wanted));
  }
  const last = node.next([0, 1, 2]);
  control.set(last);
  await waitFor('the last change', () => control.isDone(last));
  await waitFor('all members', async () => new Set(await Promise.all([1, 2, 3].map(() => ask(node)))).size === 3);
  asking = false;
  await Promise.all(clients);
  await agent.close();
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(100);
  expect(await haproxyOf(last.name)).toBe(pid);
}, 120_000);

test('without its control plane it starts from the disk, and starts a HAProxy that was killed', async () => {
  const node = new Node(2);
  const wanted = node.next([0]);
  control.set(wanted);
  await host.start();
  await waitFor('the document in effect', () => control.isDone(wanted));
  await waitFor('an answer', () => isServed(node));
  const first = control.reports.get(node.id)?.incarnation;
  await control.stop();
  await host.end('SIGTERM');
  expect(await isServed(node)).toBe(true);
  process.kill((await haproxyOf(wanted.name)) ?? 0, 'SIGKILL');
  await waitFor('its end', async () => !(await isServed(node)));
  await host.start();
  await waitFor('an answer', () => isServed(node));
  process.kill((await haproxyOf(wanted.name)) ?? 0, 'SIGKILL');
  await waitFor('its end', async () => !(await isServed(node)));
  await waitFor('an answer', () => isServed(node));
  const health = await request(`http://${node.address}:${healthPort}/health`);
  const answer = (await health.body.json()) as { node: string; incarnation: string };
  expect(answer.node).toBe(node.id);
  expect(answer.incarnation).not.toBe(first);
}, 60_000);

test('a restarted HAProxy accepts no client before it has a member for it', async () => {
  const node = new Node(9);
  const wanted = node.next([0, 1]);
  control.set(wanted);
  await host.start();
  await waitFor('an answer', () => isServed(node));
  const answers = new Set<string>();
  const asked = async () => {
    const answer = await ask(node).catch(() => 'refused');
    answers.add(answer);
    return answer.startsWith('200');
  };
  process.kill((await haproxyOf(wanted.name)) ?? 0, 'SIGKILL');
  await waitFor('its end', async () => !(await asked()));
  await waitFor('an answer', asked);
  expect([...answers].filter((answer) => !answer.startsWith('200'))).toEqual(['refused']);
}, 60_000);

test('a HAProxy that ends again and again is given up until another document arrives', async () => {
  const node = new Node(3);
  const wanted = node.next([0]);
  control.set(wanted);
  await host.start();
  await waitFor('an answer', () => isServed(node));
  await waitFor('given up', async () => {
    const pid = await haproxyOf(wanted.name);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    return control.reports.get(node.id)?.givenUp === true;
  });
  expect(control.reports.get(node.id)).toMatchObject({ applied: 0, incarnation: null });
  control.set(node.next([0, 1]));
  await waitFor('an answer', () => isServed(node));
  await waitFor('its report', () => control.reports.get(node.id)?.givenUp === false);
}, 60_000);

/** The status of the node at that port, or `refused`. */
async function statusAt(node: Node, at: number): Promise<number | 'refused'> {
  return request(`http://${node.address}:${at}/`).then(
    async ({ statusCode, body }) => {
      await body.dump();
      return statusCode;
    },
    () => 'refused' as const,
  );
}

/** As if the input check had missed it. */
function unchecked(valid: WantedPart, spec: WantedPart['spec']): WantedPart {
  return { ...valid, spec: { ...valid.spec, ...spec } };
}

test('a new node starts with the listeners that HAProxy accepts; refused listeners, and those that need a refused pool, are left out and reported', async () => {
  const node = new Node(12);
  const [rejecting, pooled] = [node.listener(await freePort()), node.listener(await freePort())];
  // Without the policy the listener would admit requests that it must reject.
  const policy = part('L7Policy', rejecting.id, { action: 'REJECT' });
  const valid = part('L7Rule', policy.id, { ruleType: 'PATH', compareType: 'REGEX', value: '^/no' });
  const rule = unchecked(valid, { value: '(' });
  const bad = part('Pool', pooled.parentId, { memberProtocol: 'HTTP' });
  const monitor = unchecked(part('PoolHealthMonitor', bad.id, { monitorType: 'HTTP' }), { expectedCodes: 'none' });
  const other = part('L7Policy', pooled.id, { action: 'REDIRECT_TO_POOL', redirectPool: bad.id });
  const admin = part('L7Rule', other.id, { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/admin' });
  // For this pool HAProxy refuses the member only when it is already running.
  const secure = unchecked(part('Pool', pooled.parentId, { memberProtocol: 'HTTP', tls: true }), {
    tlsCiphers: 'NO-CIPHER',
  });
  const member = part('PoolMember', secure.id, { host: '127.0.0.1', port: 1 });
  const open = node.listener(await freePort());
  const late = { ...open, spec: { ...open.spec, defaultPool: secure.id } };
  const refused = [rejecting, policy, rule, bad, monitor, pooled, other, admin, secure, member, late];
  control.set(node.next([0], {}, refused));
  await host.start();
  await waitFor('an answer', () => isServed(node));
  await waitFor('the report', () => (control.reports.get(node.id)?.error ?? null) !== null);
  const report = control.reports.get(node.id);
  expect(report).toMatchObject({ made: true, applied: 0, document: 0, history: testHistory, givenUp: false });
  expect(report?.incarnation).not.toBeNull();
  expect(report?.error).toMatch(/HAProxy does not accept the configuration: .*listener at port \d+, l7Rules.value: /);
  const ports = [rejecting, pooled, open].map(({ spec }) => Number(spec.port));
  expect(await Promise.all(ports.map((at) => statusAt(node, at)))).toEqual(['refused', 'refused', 503]);
  // Another process of the host adopts it unchanged.
  const pid = await haproxyOf(`node-${node.id.slice(-4)}`);
  await host.end('SIGKILL');
  control.reports.clear();
  await host.start();
  await waitFor('the report', () => (control.reports.get(node.id)?.error ?? null) !== null);
  expect(control.reports.get(node.id)).toEqual(report);
  expect(await haproxyOf(`node-${node.id.slice(-4)}`)).toBe(pid);
  const mended = node.next([1], {}, [rejecting, policy, valid]);
  control.set(mended);
  await waitFor('all of it', () => control.isDone(mended));
  // Wait until its new member has been checked.
  await waitFor('its new member', async () => (await ask(node)) === '200 two');
  expect(await statusAt(node, Number(rejecting.spec.port))).toBe(200);
}, 60_000);

test('a HAProxy that ended while its document is refused starts with the last good one, and later changes that need no reload are applied', async () => {
  const node = new Node(13);
  const good = node.next([0]);
  control.set(good);
  await host.start();
  await waitFor('the first document', () => control.isDone(good));
  const listener = node.listener(await freePort());
  const policy = part('L7Policy', listener.id, { action: 'REJECT' });
  const valid = part('L7Rule', policy.id, { ruleType: 'PATH', compareType: 'REGEX', value: '^/no' });
  const rule = unchecked(valid, { value: '(' });
  const wanted = node.next([1], {}, [listener, policy, rule]);
  control.set(wanted);
  await waitFor('the refusal', () => (control.reports.get(node.id)?.error ?? null) !== null);
  const before = control.reports.get(node.id);
  process.kill((await haproxyOf(wanted.name)) ?? 0, 'SIGKILL');
  await waitFor('another start', async () => {
    const now = control.reports.get(node.id);
    return now?.incarnation !== before?.incarnation && now?.error !== null && now?.incarnation !== null;
  });
  await waitFor('the wanted member', async () => (await ask(node).catch(() => '')) === '200 two');
  expect(control.reports.get(node.id)).toMatchObject({ applied: 1, document: 1, givenUp: false });
  // It has just reloaded for the last good document, and tries the wanted one a second later.
  const named = `listener at port ${String(listener.spec.port)}, l7Rules.value`;
  await waitFor('the reason', () => control.reports.get(node.id)?.error?.includes(named) === true);
}, 60_000);

test('older documents, garbage, and documents of others are refused and reported; the node continues', async () => {
  const node = new Node(4);
  const [older, wanted] = [node.next([1]), node.next([0])];
  control.set(wanted);
  await host.start();
  await waitFor('the document in effect', () => control.isDone(wanted));
  await waitFor('an answer', () => isServed(node));
  control.send(node.id, older.generation, older as never);
  control.send(node.id, 3, { ...wanted, generation: 3, address: '1.2.3' } as never);
  const told = await waitFor('the refusal', () => control.reports.get(node.id)?.error ?? undefined);
  expect(told).toContain('generation 3 is refused: address');
  const stranger = newUuid();
  control.send(stranger, 1, { rubbish: true });
  await waitFor('the refusal', () => control.reports.get(stranger)?.error ?? undefined);
  // Another load balancer with the same name would have the same files.
  const twin = newUuid();
  control.send(twin, 1, { ...wanted, id: twin, generation: 1 } as never);
  await waitFor('the refusal', () => control.reports.get(twin)?.error?.includes('another node has the name'));
  control.send('../../escape', 1, { ...wanted, id: '../../escape' } as never);
  expect(await ask(node)).toBe('200 one');
  // A valid document of a later generation ends the error.
  const good = node.next([1]);
  control.set({ ...good, generation: 4, loadBalancer: { ...good.loadBalancer, generation: 4 } });
  await waitFor('the next document', async () => (await ask(node)) === '200 two');
  await waitFor('its report', () => control.reports.get(node.id)?.error === null);
  expect((await readdir(join(folder, 'documents'))).sort()).toEqual([`${node.id}.json`]);
}, 60_000);

test('a truncated document is put aside and requested again; its node continues to run until then', async () => {
  const node = new Node(5);
  const wanted = node.next([0]);
  control.set(wanted);
  await host.start();
  await waitFor('the document in effect', () => control.isDone(wanted));
  const pid = await haproxyOf(wanted.name);
  await host.end('SIGKILL');
  await truncate(join(folder, 'documents', `${node.id}.json`), 200);
  control.reports.clear();
  await host.start();
  await waitFor('the document in effect again', () => control.isDone(wanted));
  expect(await haproxyOf(wanted.name)).toBe(pid);
  expect((await readdir(join(folder, 'documents'))).sort()).toEqual([`${node.id}.json`, `${node.id}.json.damaged`]);
}, 60_000);

test('nodes without a document are removed, but not before the control plane has listed all documents', async () => {
  const [kept, lost] = [new Node(6), new Node(7)];
  for (const node of [kept, lost]) control.set(node.next([0]));
  await host.start();
  for (const node of [kept, lost]) await waitFor('an answer', () => isServed(node));
  const [name = ''] = (await readdir(join(folder, 'nodes'))).filter((each) => each.endsWith(lost.id.slice(-4)));
  await host.end('SIGKILL');
  await rm(join(folder, 'documents', `${lost.id}.json`));
  control.documents.delete(lost.id);
  control.tellsWhole = false;
  control.reports.clear();
  await host.start();
  await waitFor('a report', () => control.reports.has(kept.id));
  expect(await isServed(lost)).toBe(true);
  control.tellsWhole = true;
  await host.end('SIGKILL');
  await host.start();
  await waitFor('its end', async () => !(await readdir(join(folder, 'nodes'))).includes(name));
  expect(await isServed(lost)).toBe(false);
  expect(await isServed(kept)).toBe(true);
}, 60_000);

test('a removal that a kill interrupts is finished by the next process, and reported', async () => {
  const nodes = [8, 9, 10].map((index) => new Node(index));
  for (const node of nodes) control.set(node.next([0]));
  await host.start();
  for (const node of nodes) await waitFor('an answer', () => isServed(node));
  const pids = await Promise.all((await readdir(join(folder, 'nodes'))).map(haproxyOf));
  for (const node of nodes) control.remove(node.id);
  await sleep(Math.random() * 100);
  await host.end('SIGKILL');
  await host.start();
  await waitFor('all told', () => nodes.every(({ id }) => control.gone.has(id)));
  expect(await readdir(join(folder, 'nodes'))).toEqual([]);
  expect(await readdir(join(folder, 'documents'))).toEqual([]);
  await waitFor('the end of all processes', () => !pids.some((pid) => pid !== undefined && isRunning(pid)));
}, 60_000);

test('a new node is reported before its members, and each member once, when its status is known', async () => {
  const node = new Node(14);
  const before = control.opened;
  control.set(node.next([0, 1, 2]));
  await host.start();
  const told = () => control.memberReports.filter((report) => report.node === node.id);
  await waitFor('all members', () => new Set(told().map(({ member }) => member)).size === 3);
  expect(new Set(told().map(({ status }) => status))).toEqual(new Set(['UP']));
  expect(told()).toHaveLength(3 * (control.opened - before));
  // Figures about it are not status reports, and may come first.
  const keys = control.keys.filter((key) => !/^(traffic|statistics)\//.test(key));
  expect(keys[0]).toBe(`node/${node.id}`);
  expect(control.reports.get(node.id)).toMatchObject({ applied: 1, error: null });
}, 60_000);

test('a reload reports nothing about members whose health is unchanged', async () => {
  const node = new Node(12);
  control.set(node.next([0, 1]));
  await host.start();
  const told = () => control.memberReports.filter((report) => report.node === node.id);
  await waitFor('both members', () => new Set(told().map(({ member }) => member)).size === 2);
  const before = told().length;
  for (const listener of [6_001, 6_002]) {
    // The checks of the new worker are done when the next reload begins.
    const wanted = node.next([0, 1], {}, [node.listener(listener)]);
    control.set(wanted);
    await waitFor('the reload', () => control.isDone(wanted));
    await stays('no member is reported', 1_000 * stretch, () => told().length === before);
  }
  expect(told().slice(before)).toEqual([]);
}, 120_000);

test('a drained node finishes its sessions, reports when it has none, and accepts no new ones', async () => {
  const node = new Node(11);
  control.set(node.next([0]));
  await host.start();
  await waitFor('an answer', () => isServed(node));
  const agent = new Agent({ connections: 1, keepAliveTimeout: 60_000 });
  expect(await ask(node, agent)).toBe('200 one');
  const sessions = () => control.reports.get(node.id)?.sessions;
  await waitFor('a report', () => sessions() !== undefined);
  expect(sessions()).toBeNull();
  const drained = node.next([0], { state: 'DRAIN' });
  control.set(drained);
  await waitFor('the document in effect', () => control.isDone(drained));
  expect(await ask(node, agent)).toBe('200 one');
  const stranger = new Agent();
  await expect(ask(node, stranger)).rejects.toThrow('ECONNREFUSED');
  await stranger.close();
  await agent.close();
  await waitFor('no session', () => sessions() === 0);
  expect(control.reports.get(node.id)).toMatchObject({ document: drained.generation, error: null });
  // Another process of the host reports it too.
  await host.end('SIGKILL');
  control.reports.clear();
  await host.start();
  await waitFor('no session', () => sessions() === 0);
  // The drain can be revoked.
  control.set(node.next([0]));
  await waitFor('an answer', () => isServed(node));
  await waitFor('a report without sessions', () => sessions() === null);
}, 60_000);

test('only the owner can read the files on disk', async () => {
  const node = new Node(12);
  const wanted = node.next([0]);
  control.set(wanted);
  await host.start();
  await waitFor('the document in effect', () => control.isDone(wanted));
  const open: string[] = [];
  for (const entry of await readdir(folder, { recursive: true })) {
    // Mount points, which are empty here, in a folder of the node that only root can enter.
    if (/^nodes\/[^/]+\/(root|empty|keepalived)(\/|$)/.test(entry)) continue;
    const { mode } = await stat(join(folder, entry));
    if ((mode & 0o077) !== 0) open.push(`${entry} ${(mode & 0o777).toString(8)}`);
  }
  expect(open).toEqual([]);
}, 60_000);

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;
testAsRoot(
  'a failed removal is retried soon, not only when the host looks for left-over nodes',
  async () => {
    const [going, staying] = [new Node(15), new Node(16)];
    const wanted = going.next([0]);
    for (const document of [wanted, staying.next([0])]) control.set(document);
    await host.start();
    for (const node of [going, staying]) await waitFor('an answer', () => isServed(node));
    const busy = join(folder, 'nodes', wanted.name, 'busy');
    await mkdir(busy);
    expect(spawnSync('mount', ['-t', 'tmpfs', 'none', busy]).status).toBe(0);
    control.remove(going.id);
    try {
      await waitFor('the end of its process', async () => (await haproxyOf(wanted.name)) === undefined);
      await waitFor('a try', () => readdir(join(folder, 'nodes', wanted.name)).then((left) => left.join() === 'busy'));
    } finally {
      expect(spawnSync('umount', [busy]).status).toBe(0);
    }
    // The other node reports every second, and the host compares all nodes every thirty.
    const reports = () => control.keys.filter((key) => key === `traffic/${staying.id}`).length;
    const before = reports();
    await waitFor('its end', () => control.gone.has(going.id));
    expect(reports() - before).toBeLessThan(15);
  },
  90_000,
);

testAsRoot(
  'on a full disk the node continues to run and reports it; with space again it applies changes',
  async () => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]).status).toBe(0);
    try {
      const node = new Node(13);
      const wanted = node.next([0]);
      control.set(wanted);
      await host.start();
      await waitFor('the document in effect', () => control.isDone(wanted));
      await mkdir(join(folder, 'ballast'));
      for (let size = 65_536; size >= 512; size /= 2)
        for (let n = 0; ; n += 1) {
          const written = await writeFile(join(folder, 'ballast', `${size}-${n}`), Buffer.alloc(size)).then(
            () => true,
            () => false,
          );
          if (!written) break;
        }
      const next = node.next([1]);
      control.set(next);
      const told = await waitFor('its report', () => control.reports.get(node.id)?.error ?? undefined);
      expect(told).toContain('ENOSPC');
      await waitFor('an answer', () => isServed(node));
      await rm(join(folder, 'ballast'), { recursive: true });
      await waitFor('the change', () => control.isDone(next));
      const after = node.next([0]);
      control.set(after);
      await waitFor('the next change', () => control.isDone(after));
      const kept = await readFile(join(folder, 'documents', `${node.id}.json`), 'utf8');
      expect(JSON.parse(kept)).toMatchObject({ generation: after.generation });
    } finally {
      await host.end('SIGKILL');
      await endProcessesOf(folder);
      await waitFor('the folder is free', () => spawnSync('umount', [folder]).status === 0);
    }
  },
  60_000,
);

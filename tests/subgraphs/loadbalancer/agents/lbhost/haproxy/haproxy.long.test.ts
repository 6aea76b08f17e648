// A real HAProxy is brought from one model to the next while clients send requests. No request fails.
import { execFile } from 'node:child_process';
import { copyFile, link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { inGraphsWords } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/refusal.ts';
import type { WantedPart } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { forTest } from '../../../../../support/jest/shared.ts';
import { freePort } from '../../../../../support/machine/free-port.ts';
import { until } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, type TestMember, tally, webMember } from '../../../support/members.ts';

let webs: TestMember[];
const node = forTest(() => HaproxyNode.make());
let pool: WantedPart;
let port: number;

beforeAll(async () => {
  webs = await Promise.all(['one', 'two', 'three'].map((name) => webMember(name)));
});
afterAll(async () => {
  for (const web of webs) await web.stop();
});
beforeEach(async () => {
  pool = node.pool();
  node.monitor(pool, { path: '/health' });
  ({ port } = await node.listener({ defaultPool: pool.id }));
});

function member(index: number): WantedPart {
  return node.member(pool, webs[index]?.port ?? 0);
}

/** Sends requests all the time on kept connections, and returns the texts of the answers. */
function client(): { stop(): Promise<string[]> } {
  const agent = new Agent({ connections: 4 });
  const seen = new Set<string>();
  let asking = true;
  const lanes = [1, 2, 3].map(async (lane) => {
    while (asking) {
      const method = lane === 1 ? 'POST' : 'GET';
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { method, dispatcher: agent });
      const text = await body.text();
      seen.add(statusCode === 200 ? text : `${method} ${statusCode} ${text}`);
    }
  });
  return {
    async stop() {
      asking = false;
      await Promise.all(lanes);
      await agent.close();
      return [...seen].sort();
    },
  };
}

test('members are added, change weight and are removed at runtime, and a reload adds a listener: no request fails', async () => {
  const first = member(0);
  await node.start();
  const asking = client();
  const second = member(1);
  expect((await node.apply()).reloaded).toBe(false);
  const third = member(2);
  expect((await node.apply()).reloaded).toBe(false);
  node.change(second, { weight: 5 });
  expect((await node.apply()).reloaded).toBe(false);
  node.remove(first);
  expect((await node.apply()).reloaded).toBe(false);
  const listener = await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  node.remove(listener, third);
  member(0);
  expect((await node.apply()).reloaded).toBe(true);
  expect(await asking.stop()).toEqual(['one', 'three', 'two']);
  expect([...(await tally(port, 20)).keys()].sort()).toEqual(['one', 'two']);
}, 60_000);

test('a dead member gets nothing: right after the start, when it is added, after a reload, and when it was disabled', async () => {
  member(0);
  const dead = await freePort();
  const first = node.member(pool, dead);
  node.pool({ name: 'other' });
  await node.start();
  expect(await tally(port, 20)).toEqual(new Map([['one', 20]]));
  node.remove(first);
  const second = node.member(pool, dead);
  await node.apply();
  expect(await tally(port, 20)).toEqual(new Map([['one', 20]]));
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  expect(await tally(port, 20)).toEqual(new Map([['one', 20]]));
  node.change(second, { enabled: false });
  await node.apply();
  node.change(second, { enabled: true });
  await node.apply();
  expect(await tally(port, 20)).toEqual(new Map([['one', 20]]));
}, 60_000);

test('it keeps running without the host, and is adopted', async () => {
  member(0);
  await node.start();
  const pid = await node.haproxy.pid();
  await node.haproxy.leave();
  node.haproxy = node.open();
  expect(await node.haproxy.adopt(node.model())).toBe(true);
  expect((await node.apply()).reloaded).toBe(false);
  expect(await node.haproxy.pid()).toBe(pid);
  expect(await tally(port, 3)).toEqual(new Map([['one', 3]]));
}, 30_000);

test('it does not count as ended while its master restarts itself and its file is missing or empty for a moment', async () => {
  member(0);
  await node.start();
  const pid = await node.haproxy.pid();
  const file = join(node.folder, 'haproxy.pid');
  for (const without of [() => rename(file, `${file}.away`), () => copyFile('/dev/null', file)]) {
    await copyFile(file, `${file}.kept`);
    await without();
    const found = node.haproxy.pid();
    // Long enough for a few polls, which are 20 ms apart.
    await sleep(50);
    await rename(`${file}.kept`, file);
    expect(await found).toBe(pid);
  }
}, 30_000);

test('a change that was interrupted at any step is finished by the process that adopts HAProxy', async () => {
  const first = member(0);
  const last = node.model();
  await node.start();
  await node.haproxy.leave();
  const target = `p_${pool.id}`;
  const { runtime } = node.haproxy;
  // A member was added but left drained, another was disabled but not deleted, and the file was written.
  await runtime.tell(`add server ${target}/m_${pool.id} 127.0.0.1:1 check`, /registered/);
  await runtime.tell(`set server ${target}/m_${pool.id} state drain`);
  await runtime.tell(`set server ${target}/m_${first.id} state maint`);
  await writeFile(join(node.folder, 'haproxy.cfg'), 'what was about to be');
  node.haproxy = node.open();
  expect(await node.haproxy.adopt(last)).toBe(true);
  await node.apply();
  expect(await tally(port, 3)).toEqual(new Map([['one', 3]]));
}, 30_000);

/**
 * A reload that a host requested right before it was killed. HAProxy has read its configuration, and continues when
 * released.
 */
async function reloadUnderWay(): Promise<{ readonly letGoOn: () => Promise<void> }> {
  const [states, pipe] = [join(node.folder, 'servers.state'), join(node.folder, 'pipe')];
  await promisify(execFile)('mkfifo', [pipe]);
  // Opening a pipe waits for the other end.
  await rm(states, { force: true });
  await link(pipe, states);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(join(node.folder, 'master.sock'), () => socket.write('reload\n'));
    socket.on('error', reject).on('close', () => resolve());
    socket.resume();
  });
  return {
    letGoOn: async () => {
      const end = await open(pipe, 'w');
      await copyFile('/dev/null', `${states}.empty`);
      await rename(`${states}.empty`, states);
      await end.writeFile('1\n');
      await end.close();
    },
  };
}

test.each(['at runtime', 'by a reload'])(
  'found by trial lb-changes: a HAProxy that a killed host was reloading is changed %s after the reload',
  async (how) => {
    member(0);
    await node.start();
    await node.haproxy.leave();
    const { letGoOn } = await reloadUnderWay();
    node.haproxy = node.open();
    const adopted = node.haproxy.adopt(node.model());
    member(1);
    if (how === 'by a reload') await node.listener({ protocol: 'TCP' });
    const changed = adopted.then(() => node.haproxy.apply(node.model()));
    // By now a change that does not wait for the reload would have been sent.
    await sleep(1_000);
    await letGoOn();
    expect(await adopted).toBe(true);
    expect((await changed).reloaded).toBe(how === 'by a reload');
    // By now a request that came too late would have been undone.
    await sleep(1_000);
    expect(await node.haproxy.disagreements()).toEqual([]);
    expect([...(await tally(port, 20)).keys()].sort()).toEqual(['one', 'two']);
  },
  60_000,
);

test('found by trial lb-changes: a member that a killed host left drained and unchecked is checked', async () => {
  const first = member(0);
  await node.start();
  const second = node.member(pool, webs[1]?.port ?? 0, { enabled: false });
  await node.apply();
  await node.haproxy.leave();
  await node.haproxy.runtime.tell(`set server p_${pool.id}/m_${second.id} state drain`);
  node.haproxy = node.open();
  expect(await node.haproxy.adopt(node.model())).toBe(true);
  node.change(second, { enabled: true });
  node.remove(first);
  await node.apply();
  expect(await tally(port, 3)).toEqual(new Map([['two', 3]]));
}, 30_000);

test.each([
  ['is checked when it is enabled', []],
  ['and drained by a host that was killed before it enabled the checks, is checked', ['drain']],
  ['and drained, and whose checks were enabled too late, is checked', ['drain', 'enable']],
])(
  'found by trial lb-changes: a member that was added disabled, before a reload, %s',
  async (_what, told) => {
    const first = member(0);
    await node.start();
    const second = node.member(pool, webs[1]?.port ?? 0, { enabled: false });
    await node.apply();
    await node.listener({ defaultPool: pool.id });
    expect((await node.apply()).reloaded).toBe(true);
    await node.haproxy.leave();
    const target = `p_${pool.id}/m_${second.id}`;
    for (const word of told)
      await node.haproxy.runtime.tell(
        word === 'drain' ? `set server ${target} state drain` : `enable health ${target}`,
      );
    node.haproxy = node.open();
    expect(await node.haproxy.adopt(node.model())).toBe(true);
    node.change(second, { enabled: true });
    node.remove(first);
    await node.apply();
    expect(await tally(port, 3)).toEqual(new Map([['two', 3]]));
  },
  30_000,
);

test('a member that was disabled at a reload is enabled and drained', async () => {
  member(0);
  const second = member(1);
  await node.start();
  node.change(second, { enabled: false });
  await node.listener({ defaultPool: pool.id });
  expect((await node.apply()).reloaded).toBe(true);
  node.change(second, { enabled: true });
  node.drain(second, new Date(Date.now() + 3_600_000));
  await node.apply();
  node.drain(second, null);
  await node.apply();
  expect(await tally(port, 4)).toEqual(
    new Map([
      ['one', 2],
      ['two', 2],
    ]),
  );
}, 30_000);

test('a configuration that HAProxy does not accept changes nothing, not even on disk', async () => {
  member(0);
  await node.start();
  const before = await readFile(join(node.folder, 'haproxy.cfg'), 'utf8');
  const good = node.model();
  const bad = { ...good, defaults: [...good.defaults, 'no such keyword'] };
  await expect(node.haproxy.apply(bad)).rejects.toThrow('does not accept');
  expect(await readFile(join(node.folder, 'haproxy.cfg'), 'utf8')).toBe(before);
  expect(await tally(port, 3)).toEqual(new Map([['one', 3]]));
  expect(await node.haproxy.disagreements()).toEqual([]);
}, 30_000);

test('a configuration that HAProxy refuses delays no change that needs no reload, and its error names the field', async () => {
  const first = member(0);
  const own = await makeCertificate({ commonName: 'a', names: ['a.test'] });
  const listener = await node.listener({
    ...{ protocol: 'TERMINATED_HTTPS', certificates: [node.certificate(`${own.cert}${own.key}`)] },
    defaultPool: pool.id,
  });
  await node.start();
  const before = await readFile(join(node.folder, 'haproxy.cfg'), 'utf8');
  // As if an input check were missing.
  node.change(listener, { tlsCiphers: 'NO-SUCH-CIPHER' });
  node.remove(first);
  const second = member(1);
  const refusal = await node.haproxy.apply(node.model()).catch((error: Error) => error.message);
  expect(refusal).toMatch(
    new RegExp(`does not accept the configuration: l_${listener.id}, tlsCiphers: .*NO-SUCH-CIPHER`),
  );
  expect(refusal).not.toContain(node.folder);
  expect(inGraphsWords(String(refusal), node.folder, node.parts)).toContain(
    `: listener at port ${listener.port}, tlsCiphers: `,
  );
  await node.haproxy.settled();
  expect(await tally(port, 3)).toEqual(new Map([['two', 3]]));
  expect(await node.haproxy.disagreements()).toEqual([]);
  const head = (text: string) => text.split('\nbackend ')[0];
  expect(head(await readFile(join(node.folder, 'haproxy.cfg'), 'utf8'))).toBe(head(before));

  // A certificate that HAProxy does not accept delays no removal.
  node.change(listener, { tlsCiphers: null });
  member(2);
  await node.apply();
  node.remove(second);
  const good = node.certificates;
  node.certificates = good.map((each) => ({ ...each, version: 2, pem: 'no certificate' }));
  await expect(node.haproxy.apply(node.model())).rejects.toThrow('HAProxy refused');
  expect(await tally(port, 3)).toEqual(new Map([['three', 3]]));
  node.certificates = good;
  await node.apply();
}, 30_000);

test('several quick changes that need a reload share one reload; the others do not wait for it', async () => {
  member(0);
  await node.start();
  const slow = node.open({ reloadPauseMs: 60_000 });
  await node.haproxy.leave();
  node.haproxy = slow;
  await slow.adopt(node.model());
  await node.listener({ protocol: 'TCP' });
  expect(await slow.apply(node.model())).toMatchObject({ reloaded: true, waitMs: 0 });
  const later = await node.listener({ protocol: 'HTTP', defaultPool: pool.id });
  member(1);
  const applied = await slow.apply(node.model());
  expect(applied).toMatchObject({ reloaded: false, reasons: [`the listener l_${later.id} changed`] });
  expect(applied.waitMs).toBeGreaterThan(0);
  await slow.settled();
  expect([...(await tally(port, 10)).keys()].sort()).toEqual(['one', 'two']);
  await expect(ask(later.port)).rejects.toThrow();
}, 30_000);

test('found by trial lb-changes: a client that a pending change admits does not reach the previous pool', async () => {
  node.haproxy = node.open({ reloadPauseMs: 2_000 });
  member(0);
  const listener = await node.listener({ protocol: 'TCP', defaultPool: pool.id, allowedCidrs: ['192.0.2.0/24'] });
  const other = node.pool({ memberProtocol: 'TCP' });
  node.member(other, webs[1]?.port ?? 0);
  await node.start();
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  node.change(listener, { defaultPool: other.id, allowedCidrs: [] });
  const { reloaded, waitMs } = await node.haproxy.apply(node.model());
  expect(reloaded).toBe(false);
  await expect(ask(listener.port)).rejects.toThrow();
  await sleep(waitMs);
  expect((await node.apply()).reloaded).toBe(true);
  expect(await ask(listener.port)).toMatchObject({ text: 'two' });
}, 30_000);

test('the minimum number of usable members changes with the members, also while their listener waits for a reload', async () => {
  node.haproxy = node.open({ reloadPauseMs: 5_000 });
  const failing = node.pool({ failOpenBelowPercent: 50 });
  node.monitor(failing, { path: '/health' });
  const members = webs.map((web) => node.member(failing, web.port));
  const listener = await node.listener({ defaultPool: failing.id });
  await node.start();
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  node.change(listener, { connectionLimit: 100 });
  for (const one of members.slice(1)) node.change(one, { enabled: false });
  expect((await node.haproxy.apply(node.model())).reloaded).toBe(false);
  expect(await node.haproxy.runtime.ask(`show acl ${join(node.folder, 'files', `few-${failing.id}`)}`)).toMatch(
    / 0:0$/,
  );
}, 30_000);

test('found by trial lb-changes: while a reload waits, neither a monitor of running members nor a member with new authorities is a fault', async () => {
  node.haproxy = node.open({ reloadPauseMs: 60_000 });
  const [plain, trusting] = [node.pool(), node.pool()];
  const one = node.member(plain, webs[0]?.port ?? 0);
  await node.start();
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  node.monitor(plain, { path: '/health' });
  const authority = await makeCertificate({ commonName: 'members', use: 'authority' });
  node.change(trusting, { tls: true, authorities: authority.cert });
  const added = node.member(trusting, webs[1]?.port ?? 0);
  expect((await node.haproxy.apply(node.model())).reloaded).toBe(false);
  const states = await node.haproxy.runtime.ask('show servers state');
  // The member is added only with the verification that its pool requires.
  expect(states).not.toContain(`m_${added.id}`);
  node.change(one, { weight: 7 });
  expect((await node.haproxy.apply(node.model())).reloaded).toBe(false);
  expect(await node.haproxy.runtime.ask('show servers state')).toMatch(new RegExp(`m_${one.id} \\S+ \\d+ \\d+ 7 `));
}, 30_000);

test('a drained node accepts nothing new, and finishes the requests that it has', async () => {
  const slow = await webMember('slow', { answer: (_, response) => void setTimeout(() => response.end('slow'), 1_000) });
  node.member(pool, slow.port);
  await node.start();
  const going = ask(port);
  await until(() => slow.asked.length > 0);
  node.state = 'DRAIN';
  expect((await node.apply()).reloaded).toBe(true);
  await expect(ask(port)).rejects.toThrow();
  expect(await going).toMatchObject({ status: 200, text: 'slow' });
  node.state = 'RUN';
  await node.apply();
  expect(await ask(port)).toMatchObject({ status: 200 });
  await slow.stop();
}, 30_000);

test('only the owner can read the files, and files of a deleted certificate are removed', async () => {
  const { cert, key } = await makeCertificate({ commonName: 'web', names: ['web.test'] });
  const id = node.certificate(`${cert}${key}`);
  const listener = await node.listener({ protocol: 'TERMINATED_HTTPS', certificates: [id], defaultPool: pool.id });
  await node.start();
  const path = join(node.folder, 'certificates', `${id}.pem`);
  for (const each of [path, join(node.folder, 'haproxy.cfg'), join(node.folder, 'run.sock')])
    expect((await stat(each)).mode & 0o777).toBe(0o600);
  node.remove(listener);
  node.certificates = [];
  await node.apply();
  await expect(stat(path)).rejects.toThrow('ENOENT');
}, 30_000);

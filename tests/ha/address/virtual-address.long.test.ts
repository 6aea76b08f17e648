// The virtual address of two hosts. Each host is a network namespace with a real keepalived. The tests check which host has the address, and
// which host loses it when a process hangs or is killed.
// needs: keepalived, iproute2, nftables, iputils-ping, curl, root
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { script } from '../../../ha/address/keepalived.ts';
import { addressState } from '../../../ha/address/virtual-address.ts';
import { signalServed } from '../../../ha/served-process.ts';
import { HaNetwork, places } from '../../../trials/ha/network.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const virtual = '198.19.77.10';
const leaseMs = 3_000;
const healthPort = 8_600;
const program = fileURLToPath(new URL('./address-process.ts', import.meta.url));
const servedProgram = fileURLToPath(new URL('./served-process.ts', import.meta.url));
const connectProgram = fileURLToPath(new URL('./connect-process.ts', import.meta.url));
const servedPort = 8_601;
type Host = 'a' | 'b';

let place: TemporaryFolder;
let network: HaNetwork;
const hosts = new Map<Host, ChildProcess>();

const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('of two hosts', () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    network = await HaNetwork.layOut(`t${process.pid}`);
    for (const host of ['a', 'b'] as const) {
      await mkdir(folderOf(host), { mode: 0o700 });
      await start(host);
    }
  });

  afterAll(async () => {
    await network?.remove();
    await place?.remove();
  });

  afterEach(async () => {
    for (const host of hosts.keys()) say(host, 'release');
    await waitFor('nobody has the address', async () => !(await has('a')) && !(await has('b')));
  });

  test('no host has the address until one holds the lead, and then only that host does', async () => {
    expect([await has('a'), await has('b')]).toEqual([false, false]);
    say('b', 'hold');
    await waitFor('the address at b', () => has('b'));
    expect(await has('a')).toBe(false);
    await waitFor('what keepalived says', async () => (await addressState(folderOf('b')))?.state === 'MASTER');
  });

  test('keepalived checks that only root can change its scripts, and leaves none of them out', async () => {
    const read = (name: string) => readFile(join(folderOf('a'), name), 'utf8');
    expect(await read('keepalived.conf')).toContain('enable_script_security');
    expect(await read('keepalived.log')).not.toMatch(/unsafe|disabling|SECURITY VIOLATION/i);
  });

  test('the address moves with the lead and is announced: a passive neighbour learns the new host', async () => {
    say('a', 'hold');
    await waitFor('the address at a', () => has('a'));
    await waitFor('a neighbour', async () => (await neighbour()) === (await ethernet('a')));
    say('a', 'release');
    say('b', 'hold');
    await waitFor('the address at b', () => has('b'));
    expect(await has('a')).toBe(false);
    await waitFor('the news', async () => (await neighbour({ asks: false })) === (await ethernet('b')));
  });

  test('a client that missed the first announcements learns the new host, and not when its own entry expires', async () => {
    say('a', 'hold');
    await waitFor('a neighbour', async () => (await neighbour()) === (await ethernet('a')));
    const deaf = 'add table arp deaf; add chain arp deaf in { type filter hook input priority 0; }';
    await inside('c', ['nft', `${deaf}; add rule arp deaf in counter drop`]);
    say('a', 'release');
    say('b', 'hold');
    // Those of the promotion, and those that keepalived repeats five seconds later.
    await waitFor('the first announcements', async () => {
      const packets = /packets (\d+)/.exec(await inside('c', ['nft', 'list', 'table', 'arp', 'deaf']))?.[1];
      return Number(packets) >= 10;
    });
    expect(await neighbour({ asks: false })).toBe(await ethernet('a'));
    await inside('c', ['nft', 'delete table arp deaf']);
    await waitFor('the news', async () => (await neighbour({ asks: false })) === (await ethernet('b')));
  });

  // A request is under way: the client has sent all, and waits. Nothing but a reset tells it that no answer can come.
  const departures: Record<string, () => Promise<void>> = {
    'gives up the lead': async () => say('a', 'release'),
    'has an agent that hangs': async () => void hosts.get('a')?.kill('SIGSTOP'),
    'has an agent that hangs, and a keepalived that hangs': async () => {
      hosts.get('a')?.kill('SIGSTOP');
      for (const name of ['keepalived', 'keepalived-vrrp']) killQuietly(await pid('a', name), 'SIGSTOP');
    },
    'has an agent and a shell that hang': async () => {
      hosts.get('a')?.kill('SIGSTOP');
      killQuietly(await holder('a'), 'SIGSTOP');
    },
    'loses its keepalived': async () => {
      hosts.get('a')?.kill('SIGSTOP');
      killQuietly(await pid('a', 'keepalived-vrrp'), 'SIGKILL');
    },
  };
  test.each(Object.keys(departures))(
    'a client that waits for an answer of a host that %s gets a reset',
    async (how) => {
      say('a', 'hold');
      await waitFor('the address at a', () => has('a'));
      const shell = await holder('a');
      const pids = await Promise.all(['keepalived', 'keepalived-vrrp'].map((name) => pid('a', name)));
      const served = run('a', servedProgram, [String(servedPort), join(place.path, 'served.json')]);
      await waitFor('the process', () => served.said.includes('ready'));
      const waiting = run('c', connectProgram, [virtual, String(servedPort)]);
      const elsewhere = run('c', connectProgram, [places.a, String(servedPort)]);
      try {
        await waitFor('connections', () => waiting.said.includes('welcome') && elsewhere.said.includes('welcome'));
        await departures[how]?.();
        await waitFor('the reset', () => waiting.said.includes('ECONNRESET'));
        await waitFor('it is gone', async () => !(await has('a')));
        expect(elsewhere.said).toBe('welcome\n');
      } finally {
        say('a', 'release');
        hosts.get('a')?.kill('SIGCONT');
        for (const each of [shell, ...pids]) killQuietly(each, 'SIGCONT');
        for (const each of [served, waiting, elsewhere]) each.child.kill('SIGKILL');
      }
    },
  );

  // Either mechanism alone is enough: keepalived's script, or the shell beside keepalived.
  test.each(['alone', 'with the shell beside keepalived'])(
    'a host whose agent hangs %s loses the address',
    async (how) => {
      say('a', 'hold');
      await waitFor('the address at a', () => has('a'));
      const child = hosts.get('a') as ChildProcess;
      const shell = await holder('a');
      child.kill('SIGSTOP');
      if (how !== 'alone') killQuietly(shell, 'SIGSTOP');
      try {
        await waitFor('it is gone', async () => !(await has('a')));
        say('b', 'hold');
        await waitFor('the address at b', () => has('b'));
        expect(await has('a')).toBe(false);
      } finally {
        say('a', 'release');
        child.kill('SIGCONT');
        killQuietly(shell, 'SIGCONT');
      }
    },
  );

  test('a host whose agent is killed loses the address, but keeps it if the agent returns within its lease', async () => {
    say('a', 'hold');
    await waitFor('the address at a', () => has('a'));
    const keepalived = await pid('a', 'keepalived');
    // Loading the modules may take longer than the lease, so the next process loads them beforehand.
    const next = await spawnHost('a', { waits: true });
    await kill('a');
    await begin('a', next);
    say('a', 'hold');
    expect(await has('a')).toBe(true);
    expect(await pid('a', 'keepalived')).toBe(keepalived);
    await kill('a');
    await waitFor('it is gone', async () => !(await has('a')));
    await start('a');
  });

  test.each(['keepalived', 'keepalived-vrrp', 'hold.sh'])(
    '%s is killed: the address is removed, and then restored',
    async (name) => {
      say('a', 'hold');
      await waitFor('the address at a', () => has('a'));
      const before = name === 'hold.sh' ? await holder('a') : await pid('a', name);
      // The agent that would restart the process is stopped, so only the mechanism under test can remove the address.
      hosts.get('a')?.kill('SIGSTOP');
      killQuietly(before, 'SIGKILL');
      await waitFor('it is gone', async () => !(await has('a')));
      hosts.get('a')?.kill('SIGCONT');
      await waitFor('it is back', () => has('a'));
    },
  );

  test('a hung keepalived does not keep the address past the lease', async () => {
    say('a', 'hold');
    await waitFor('the address at a', () => has('a'));
    const pids = [await pid('a', 'keepalived'), await pid('a', 'keepalived-vrrp')];
    for (const each of pids) killQuietly(each, 'SIGSTOP');
    say('a', 'release');
    await waitFor('it is gone', async () => !(await has('a')));
    say('b', 'hold');
    await waitFor('the address at b', () => has('b'));
    expect(await has('a')).toBe(false);
    say('b', 'release');
    for (const each of pids) killQuietly(each, 'SIGCONT');
  });

  test("keepalived's script fails after the lease, with a lease of another boot, and without a lease", async () => {
    const folder = join(place.path, 'script');
    await mkdir(folder);
    const lasts = async () => (await runProgram(script('lease-lasts'), [folder])).exitCode;
    const write = async (refused: string, boot: string, inMs: number) => {
      const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
      await writeFile(join(folder, 'refused'), `${refused}\n`);
      await writeFile(join(folder, 'lease'), `${boot} ${Math.floor(uptime * 100 + inMs / 10)}\n`);
    };
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    expect(await lasts()).toBe(1);
    await write('0', boot, 60_000);
    expect(await lasts()).toBe(0);
    await write('0', boot, -10);
    expect(await lasts()).toBe(1);
    await write('0', '00000000-0000-0000-0000-000000000000', 60_000);
    expect(await lasts()).toBe(1);
    // Refused in any case.
    await write('1', boot, -10);
    expect(await lasts()).toBe(0);
  });

  test('/health/primary is 200 on the host that holds the lead, and on no other', async () => {
    expect([await health('a'), await health('b')]).toEqual(['503', '503']);
    say('a', 'hold');
    await waitFor('200 at a', async () => (await health('a')) === '200');
    expect(await health('b')).toBe('503');
    hosts.get('a')?.kill('SIGSTOP');
    expect(await health('a')).toBe('000');
    hosts.get('a')?.kill('SIGCONT');
  });

  test('before a planned change no client is refused: open connections end, and new ones wait', async () => {
    say('a', 'hold');
    await waitFor('the address at a', () => has('a'));
    const file = join(place.path, 'served.json');
    const served = run('a', servedProgram, [String(servedPort), file]);
    await waitFor('the process', () => served.said.includes('ready'));
    const before = run('c', connectProgram, [virtual, String(servedPort)]);
    await waitFor('a connection', () => before.said.includes('welcome'));
    const answered = hosts.get('a')?.stdout;
    if (answered === undefined || answered === null) throw new Error('a has no output');
    const gone = once(answered, 'data');
    say('a', 'leave');
    await waitFor('the rule', async () => (await inside('a', ['nft', 'list', 'tables'])).includes('tidegate_ha'));
    const meanwhile = run('c', connectProgram, [virtual, String(servedPort)]);
    await gone;
    // The server ended the connection in its own time.
    await waitFor('its end', () => before.said === 'welcome\nbye\n');
    expect(meanwhile.said).toBe('');
    say('a', 'stay');
    await waitFor('the connection that waited', () => meanwhile.said === 'welcome\n');
    expect(await inside('a', ['nft', 'list', 'tables'])).not.toContain('tidegate_ha');
    for (const each of [served, before, meanwhile]) each.child.kill('SIGKILL');
  });

  test('the process file cannot cause a signal to a process of another user, or to one that reused the pid', async () => {
    const file = join(place.path, 'noted.json');
    const served = run('a', servedProgram, [String(servedPort), file]);
    await waitFor('the process', () => served.said.includes('ready'));
    const mark = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...mark, startTicks: '1' }));
    expect(await signalServed(file, 'SIGUSR2')).toBe(false);
    await writeFile(file, JSON.stringify(mark));
    await chown(file, 65_534, 65_534);
    expect(await signalServed(file, 'SIGUSR2')).toBe(false);
    expect(await signalServed(join(place.path, 'nothing'), 'SIGUSR2')).toBe(false);
    expect(served.said).not.toContain('told');
    await chown(file, 0, 0);
    expect(await signalServed(file, 'SIGUSR2')).toBe(true);
    await waitFor('the signal', () => served.said.includes('told'));
    served.child.kill('SIGKILL');
  });

  test('an address in use is detected even if it answers no ping', async () => {
    const asks = fileURLToPath(new URL('../../../ha/address/answers.ts', import.meta.url));
    const text = `import { answers } from ${JSON.stringify(asks)}; console.log(await answers('${virtual}', 'eth0'));`;
    const ask = async () => (await inside('b', [process.execPath, '--input-type=module', '-e', text])).trim();
    expect(await ask()).toBe('false');
    await inside('w', ['ip', 'address', 'add', `${virtual}/24`, 'dev', 'eth0']);
    await inside('w', ['sysctl', '-q', '-w', 'net.ipv4.icmp_echo_ignore_all=1']);
    expect(await ask()).toBe('true');
    await inside('w', ['ip', 'address', 'delete', `${virtual}/24`, 'dev', 'eth0']);
  });
});

function folderOf(host: Host): string {
  return join(place.path, host);
}

async function start(host: Host): Promise<void> {
  hosts.set(host, await spawnHost(host));
}

/** Returns when the host is ready. With `waits`: when the host has loaded its modules. */
async function spawnHost(host: Host, { waits = false } = {}): Promise<ChildProcess> {
  const options = {
    waits,
    ...{ me: host, address: `${virtual}/24`, device: 'eth0', source: places[host], routerId: 77 },
    ...{ peers: [places[host === 'a' ? 'b' : 'a']], folder: folderOf(host), leaseMs, healthPort },
    processFile: join(place.path, 'served.json'),
  };
  const words = ['netns', 'exec', network.namespace(host), process.execPath, program, JSON.stringify(options)];
  const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

async function begin(host: Host, waiting: ChildProcess): Promise<void> {
  hosts.set(host, waiting);
  const ready = once(waiting.stdout as Readable, 'data');
  waiting.stdin?.write('begin\n');
  await ready;
}

async function kill(host: Host): Promise<void> {
  const child = hosts.get(host) as ChildProcess;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function run(name: Host | 'c', file: string, given: readonly string[]): { child: ChildProcess; said: string } {
  const words = ['netns', 'exec', network.namespace(name), process.execPath, file, ...given];
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const made = { child, said: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    made.said += text;
  });
  return made;
}

function say(host: Host, word: 'hold' | 'release' | 'leave' | 'stay'): void {
  hosts.get(host)?.stdin?.write(`${word}\n`);
}

async function inside(name: 'a' | 'b' | 'c' | 'w', words: readonly string[]): Promise<string> {
  return (await runProgram('ip', ['netns', 'exec', network.namespace(name), ...words])).stdout;
}

async function has(host: Host): Promise<boolean> {
  return (await inside(host, ['ip', '-4', '-oneline', 'address', 'show', 'dev', 'eth0'])).includes(`inet ${virtual}/`);
}

async function ethernet(host: Host): Promise<string> {
  return (await inside(host, ['cat', '/sys/class/net/eth0/address'])).trim();
}

/** The host that the client's neighbour table has for the address. With `asks`, the client resolves it first. */
async function neighbour({ asks = true } = {}): Promise<string | undefined> {
  if (asks) await inside('c', ['ping', '-c', '1', '-W', '1', virtual]);
  return /lladdr (\S+)/.exec(await inside('c', ['ip', 'neighbour', 'show', virtual]))?.[1];
}

async function pid(host: Host, name: string): Promise<number> {
  return waitFor(`the process ${name}`, async () => {
    const text = await readFile(join(folderOf(host), `${name}.pid`), 'utf8').catch(() => '');
    return text.trim() === '' ? undefined : Number(text);
  });
}

/** The shell that is keepalived's parent process. */
async function holder(host: Host): Promise<number> {
  return JSON.parse(await readFile(join(folderOf(host), 'holder.json'), 'utf8')).pid;
}

async function health(host: Host): Promise<string> {
  const url = `http://${places[host]}:${healthPort}/health/primary`;
  return inside('c', [
    'curl',
    '--silent',
    '--max-time',
    '1',
    '--output',
    '/dev/null',
    '--write-out',
    '%{http_code}',
    url,
  ]);
}

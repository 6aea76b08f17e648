// The lab as a device filters packets, logs what reached it, misbehaves on request, and leaves nothing behind.
// needs: iputils-ping

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { type DeviceLogEntry, readDeviceLog } from '../../lab/device-log.ts';
import { inNamespace } from '../../lab/exec.ts';
import { type RunningLab, startLab } from '../../lab/lab.ts';
import { LabHere } from '../../lab/lab-source.ts';
import { atMost } from '../../platform/work/within.ts';
import { describeWithLab, labUnavailable, openSsh, testLab } from '../support/machine/lab.ts';
import { labFolder } from '../support/machine/lab-folders.ts';
import { isRunning, waitFor } from '../support/machine/temporary-folder.ts';

const element = (action: string, address: string): string =>
  JSON.stringify({
    nftables: [{ [action]: { element: { family: 'inet', table: 'filter', name: 'blocked', elem: [address] } } }],
  });

const applied = (log: readonly DeviceLogEntry[], text: string): DeviceLogEntry[] => {
  const ids = log.filter((entry) => entry.phase === 'received' && entry.stdin.includes(text)).map((entry) => entry.id);
  return log.filter((entry) => entry.phase === 'applied' && entry.kind === 'apply' && ids.includes(entry.id));
};

async function isBlocked(lab: RunningLab, address: string): Promise<boolean> {
  const set = await inNamespace(lab.firewall.namespace, 'nft', ['list', 'set', 'inet', 'filter', 'blocked']);
  return set.stdout.includes(address);
}

describeWithLab('the firewall', (lab) => {
  beforeEach(() => lab().faults.clear());

  test('drops the packets that match its rules, for IPv4 and IPv6', async () => {
    const ping = async (address: string): Promise<number | null> =>
      (await inNamespace(lab().client.namespace, 'ping', ['-c', '1', '-W', '1', address])).exitCode;
    expect(await ping(lab().server.address)).toBe(0);
    // The kernel reports a new link ready for IPv6 up to a second later than for IPv4.
    await waitFor('IPv6', async () => (await ping(lab().server.address6)) === 0);
    const ssh = await openSsh(lab());
    const rule = await ssh.exec('nft -f -', 'add rule inet filter forward ip saddr @blocked drop\n');
    const member = await ssh.exec('nft -j -f -', element('add', lab().client.address));
    expect([rule.exitCode, member.exitCode]).toEqual([0, 0]);
    expect(await ping(lab().server.address)).toBe(1);
    expect(await ping(lab().server.address6)).toBe(0);
    await ssh.exec('nft flush chain inet filter forward; nft flush set inet filter blocked');
    expect(await ping(lab().server.address)).toBe(0);
    ssh.close();
  });

  test('logs every request that arrived, completely, with the real exit code', async () => {
    const ssh = await openSsh(lab());
    const input = element('add', 'no\taddress "ü" \\');
    const bad = await ssh.exec('nft -j -f -', input);
    const dry = await ssh.exec('nft -c -j -f -', element('add', '203.0.113.8'));
    const read = await ssh.exec('/usr/sbin/nft -j list sets');
    ssh.close();
    expect([bad.exitCode, dry.exitCode, read.exitCode]).toEqual([1, 0, 0]);
    expect(bad.stderr).toContain('Error');
    expect(JSON.parse(read.stdout)).toHaveProperty('nftables');
    expect(await isBlocked(lab(), '203.0.113.8')).toBe(false);

    const log = (await readDeviceLog(lab().deviceLogPath)).slice(-6);
    expect(log.map(({ phase, kind }) => `${phase} ${kind}`)).toEqual([
      'received apply',
      'applied apply',
      'received dry-run',
      'applied dry-run',
      'received read',
      'applied read',
    ]);
    expect(log[0]).toMatchObject({ args: ['-j', '-f', '-'], stdin: input });
    expect(log[1]).toMatchObject({ exit: 1, id: log[0]?.id });
  });

  test('keeps every line complete with many concurrent writers', async () => {
    const before = (await readDeviceLog(lab().deviceLogPath)).length;
    const ssh = await openSsh(lab());
    const filler = ' '.repeat(20_000);
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => ssh.exec('nft -j -f -', element('add', `203.0.113.${index}`) + filler)),
    );
    ssh.close();
    expect((await readDeviceLog(lab().deviceLogPath)).length - before).toBe(16);
  });

  test('accepts only its own key, and presents the host key that it prints', async () => {
    const { host, hostKeySha256 } = lab().firewall;
    const scan = await runProgram('ssh-keyscan', ['-t', 'ed25519', host]);
    const blob = Buffer.from(scan.stdout.trim().split(' ')[2] ?? '', 'base64');
    expect(`SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`).toBe(hostKeySha256);
    const key = join(tmpdir(), `tidegate-test-key-${process.pid}`);
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const stranger = { ...lab(), firewall: { ...lab().firewall, privateKeyPath: key } };
    await expect(openSsh(stranger)).rejects.toThrow(/authentication/i);
    await rm(key);
    await rm(`${key}.pub`);
  });

  test('its login can change the firewall and nothing else on this machine', async () => {
    const ssh = await openSsh(lab());
    const tries = ['touch /etc/tidegate-probe', 'mount -n -o remount,rw /', 'mknod /run/probe b 1 1'];
    for (const command of tries) expect((await ssh.exec(command)).exitCode).not.toBe(0);
    // The kernel settings are shared with this machine, so the test writes the current value.
    const setting = '/proc/sys/kernel/printk_ratelimit';
    expect((await ssh.exec(`v=$(cat ${setting}) && echo "$v" >${setting}`)).exitCode).not.toBe(0);
    expect((await ssh.exec('whoami')).stdout).toBe('netops\n');
    ssh.close();
  });

  test('its login cannot see files or processes of this machine', async () => {
    const [secret, keys] = [join(dirname(lab().deviceLogPath), '..', 'secret'), lab().firewall.privateKeyPath];
    await writeFile(secret, 'not for the lab\n', { mode: 0o600 });
    const ssh = await openSsh(lab());
    for (const path of ['/etc/shadow', await realpath(secret), keys, process.execPath, import.meta.filename])
      expect(await ssh.exec(`cat ${path}`)).toMatchObject({ exitCode: 1, stdout: '' });
    // The machine's root may still be mounted above the root of the login.
    const climb = 'mkdir /run/device/deep && chroot /run/device/deep';
    expect((await ssh.exec(`${climb} ../../../../../bin/cat /etc/shadow; ls /proc/1/root/home`)).stdout).toBe('');
    expect((await ssh.exec('cat /proc/[0-9]*/comm')).stdout).toMatch(/^(sshd\S*|sh|cat|\n)+$/);
    expect((await ssh.exec('cat /proc/mounts')).stdout).not.toContain(' /home');
    expect((await ssh.exec('ls /home /root /srv /usr/local/bin /var')).stdout).toBe('');
    expect((await ssh.exec('cat /etc/machine-id')).stdout).not.toBe(
      await readFile('/etc/machine-id', 'utf8').catch(() => ''),
    );
    ssh.close();
  });

  test('its login has the features of a shell on a device', async () => {
    const ssh = await openSsh(lab());
    const answers = [
      'ls /dev/null',
      'ip -brief link',
      'nft list table inet filter',
      'head -c 4 /dev/urandom',
      'uname -r',
    ];
    for (const command of answers) expect((await ssh.exec(command)).exitCode).toBe(0);
    // The names of protocols and services are read from files.
    const rule = 'add rule inet filter forward tcp dport ssh meta l4proto icmp accept';
    expect((await ssh.exec(`nft '${rule}' && nft -j list chain inet filter forward`)).stdout).toContain('"icmp"');
    await ssh.exec('nft flush chain inet filter forward');
    ssh.close();
  });

  test('hangs before and after applying', async () => {
    for (const [hang, expected] of [
      ['before', false],
      ['after', true],
    ] as const) {
      const address = `203.0.113.${expected ? 21 : 20}`;
      await lab().faults.set({ hang, times: 1 });
      const ssh = await openSsh(lab());
      expect(await atMost(400, ssh.exec('nft -j -f -', element('add', address)))).toBeUndefined();
      ssh.close();
      if (expected) await waitFor('the change', () => isBlocked(lab(), address));
      else expect(await isBlocked(lab(), address)).toBe(false);
    }
  });

  test('closes the connection before, after and in the middle of a reply, and late', async () => {
    for (const [drop, host, expected] of [
      ['before', 30, false],
      ['after', 31, true],
      ['mid-reply', 32, true],
      ['late', 33, true],
    ] as const) {
      await lab().faults.set({ drop, times: 1, ...(drop === 'late' ? { delayBeforeMs: 3_000 } : {}) });
      const ssh = await openSsh(lab());
      const reply = await ssh.exec('nft -j -e -f -', element('add', `203.0.113.${host}`));
      expect(reply.exitCode).toBeUndefined();
      if (drop === 'mid-reply') {
        expect(reply.stdout).toMatch(/^\{"nftables"/);
        expect(() => JSON.parse(reply.stdout)).toThrow();
      } else expect(reply.stdout).toBe('');
      if (drop === 'late') expect(await isBlocked(lab(), `203.0.113.${host}`)).toBe(false);
      if (expected) {
        await waitFor(`${drop} to be applied`, () => isBlocked(lab(), `203.0.113.${host}`));
        // The device logs a call after its effect.
        await waitFor(`${drop} to be noted`, async () =>
          applied(await readDeviceLog(lab().deviceLogPath), `203.0.113.${host}`).some(Boolean),
        );
      }
      const log = await readDeviceLog(lab().deviceLogPath);
      expect(applied(log, `203.0.113.${host}`)).toHaveLength(expected ? 1 : 0);
    }
    const ssh = await openSsh(lab());
    expect((await ssh.exec('nft list tables')).exitCode).toBe(0);
    ssh.close();
  });

  test('a fault applies only to the given number of matching executions', async () => {
    await lab().faults.set({ drop: 'before', times: 1, matching: '203.0.113.41' });
    const first = await openSsh(lab());
    expect((await first.exec('nft -j -f -', element('add', '203.0.113.40'))).exitCode).toBe(0);
    expect((await first.exec('nft -j -f -', element('add', '203.0.113.41'))).exitCode).toBeUndefined();
    const second = await openSsh(lab());
    expect((await second.exec('nft -j -f -', element('add', '203.0.113.41'))).exitCode).toBe(0);
    second.close();
  });

  test('a delay applies to every execution until it is switched off', async () => {
    await lab().setDelay(150);
    const ssh = await openSsh(lab());
    const started = performance.now();
    await ssh.exec('nft list tables');
    expect(performance.now() - started).toBeGreaterThanOrEqual(150);
    await lab().setDelay(600_000);
    await lab().setDelay(0);
    // With that delay the device would not answer within the test's limit.
    await ssh.exec('nft list tables');
    ssh.close();
  });
});

const obstacle = labUnavailable();
const describeHere = obstacle === undefined ? describe : describe.skip;
describeHere(obstacle === undefined ? 'the life of a lab' : `the life of a lab (skipped: ${obstacle})`, () => {
  const namespaces = async (): Promise<string> => (await runProgram('ip', ['netns', 'list'])).stdout;

  test('two run in parallel, and a stopped one leaves nothing behind', async () => {
    const [one, other] = await Promise.all([testLab(), testLab()]);
    expect(one.lab.firewall.host).not.toBe(other.lab.firewall.host);
    await one.stop();
    const ssh = await openSsh(other.lab);
    expect((await ssh.exec('whoami')).exitCode).toBe(0);
    ssh.close();
    await other.stop();
    const left = await namespaces();
    for (const { lab } of [one, other]) {
      expect(left).not.toContain(lab.client.namespace);
      expect(Object.keys(networkInterfaces())).not.toContain(lab.client.namespace.replace('-client', ''));
      expect(isRunning(lab.firewall.pid)).toBe(false);
    }
  });

  test('no lab starts where its firewall would affect this machine', async () => {
    const folder = await labFolder();
    // As on a kernel that refuses it: inside a plain chroot.
    const script = 'PATH=$PATH:/usr/sbin:/sbin; mount -n --bind /bin/false "$(command -v pivot_root)" && exec "$@"';
    const owner = spawn(
      'unshare',
      [
        ...['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath],
        ...[join(import.meta.dirname, 'lab-owner-process.ts'), folder],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } },
    );
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    owner.kill('SIGKILL');
    expect(JSON.parse(line)).toEqual({ available: false, unavailable: expect.stringContaining('pivot_root') });
    await rm(folder, { recursive: true, force: true });
  });

  /** A lab with a rule, in its own process. */
  async function ownedLab(
    folder: string,
  ): Promise<{ readonly firewall: RunningLab['firewall']; readonly owner: ChildProcess }> {
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'lab-owner-process.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    });
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const { firewall } = JSON.parse(line) as Pick<RunningLab, 'firewall'>;
    await inNamespace(firewall.namespace, 'nft', ['add rule inet filter forward ip saddr 203.0.113.9 drop']);
    return { firewall, owner };
  }

  const ruleset = async (lab: RunningLab | { readonly firewall: RunningLab['firewall'] }): Promise<string> =>
    (await inNamespace(lab.firewall.namespace, 'nft', ['--stateless', 'list', 'ruleset'])).stdout;

  async function started(folder: string, log = silentLog): Promise<RunningLab> {
    const lab = await startLab({ folder, log });
    if (!lab.available) throw new Error(lab.unavailable);
    return lab;
  }

  test('a moved folder takes over the rules of a killed lab, and a copied folder leaves the running lab alone', async () => {
    const folder = await labFolder();
    const [moved, copied] = [`${folder}-moved`, `${folder}-copied`];
    const { firewall, owner } = await ownedLab(folder);
    const before = await ruleset({ firewall });
    await cp(folder, copied, { recursive: true });
    const copy = await started(copied);
    expect(isRunning(firewall.pid)).toBe(true);
    expect(await ruleset({ firewall })).toBe(before);
    expect(copy.firewall.host).not.toBe(firewall.host);
    await copy.stop();

    owner.kill('SIGKILL');
    await rename(folder, moved);
    const next = await started(moved);
    expect(next.firewall.namespace).not.toBe(firewall.namespace);
    expect(await ruleset(next)).toBe(before);
    expect(await namespaces()).not.toContain(firewall.namespace);
    await next.stop();
    // The same after a stop.
    await rename(moved, folder);
    const last = await started(folder);
    expect(await ruleset(last)).toBe(before);
    await last.stop();
    for (const path of [folder, copied]) await rm(path, { recursive: true, force: true });
  });

  test('a firewall of an earlier version, directly in the folder of the lab, is taken over', async () => {
    const data = await labFolder();
    const before = await started(join(data, 'lab'));
    await before.stop();
    const source = new LabHere(data, new AbortController().signal);
    const answer = await source.start('firewall', silentLog);
    expect(answer).toMatchObject({
      available: true,
      part: { backend: { host: before.firewall.host, hostKeySha256: before.firewall.hostKeySha256 } },
    });
    await source.stop();
    await rm(data, { recursive: true, force: true });
  });

  test('damaged saved rules are moved aside with a warning', async () => {
    const folder = await labFolder();
    const first = await started(folder);
    const factory = await ruleset(first);
    await first.stop();
    await writeFile(join(folder, 'ruleset.json'), '{');
    const warnings: string[] = [];
    const next = await started(folder, { ...silentLog, warn: (message) => warnings.push(message) });
    expect(await ruleset(next)).toBe(factory);
    expect(warnings).toEqual([expect.stringContaining('ruleset.json.damaged')]);
    await next.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('after kill -9 of its owner no process remains, and the next start takes over its rules and host key', async () => {
    const folder = await labFolder();
    const { firewall, owner } = await ownedLab(folder);
    const before = await ruleset({ firewall });
    const sshd = (await readFile(`/proc/${firewall.pid}/task/${firewall.pid}/children`, 'utf8')).trim();
    expect(isRunning(Number(sshd))).toBe(true);
    owner.kill('SIGKILL');
    await waitFor('the firewall to end', async () => {
      const inside = await runProgram('ip', ['netns', 'pids', firewall.namespace]);
      return inside.stdout.trim() === '';
    });
    expect(await namespaces()).toContain(firewall.namespace);

    const next = await startLab({ folder, log: silentLog });
    if (!next.available) throw new Error(next.unavailable);
    expect(next.firewall.namespace).toBe(firewall.namespace);
    expect(next.firewall.hostKeySha256).toBe(firewall.hostKeySha256);
    expect(next.firewall.host).toBe(firewall.host);
    expect(await ruleset(next)).toBe(before);
    await next.stop();
    expect(await namespaces()).not.toContain(firewall.namespace);
    await rm(folder, { recursive: true, force: true });
  });
});

// Two data hosts and a witness that have only IPv6 addresses, as network namespaces, with the real program. The virtual address is of either
// family.
// needs: system, keepalived, iputils-ping, root
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { HaNetwork, type PlaceName, places } from '../../../trials/ha/network.ts';
import { patience } from '../../support/machine/patience.ts';
import { temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

type Host = 'a' | 'b' | 'w';
const addresses = { a: '2001:db8:77::1', b: '2001:db8:77::2', w: '2001:db8:77::3', c: '2001:db8:77::4' } as const;
const program = fileURLToPath(new URL('../../../bin/tidegate', import.meta.url));
const waitSeconds = String(90 * patience);
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('of hosts with IPv6 addresses', () => {
  test.each([
    ['an IPv6 address', '2001:db8:77::10', 64],
    ['an IPv4 address', '198.19.77.10', 24],
  ])(
    '%s moves with the primary, in a switchover and after a loss',
    async (_what, virtual, length) => {
      const place = await temporaryFolder();
      const network = await HaNetwork.layOut(`6${process.pid}${length}`);
      const agents: ChildProcess[] = [];
      const inside = (name: PlaceName, words: readonly string[]) =>
        runProgram('ip', ['netns', 'exec', network.namespace(name), ...words], { timeoutMs: 180_000 * patience });
      const tidegate = (host: Host, words: readonly string[]) =>
        inside(host, ['sh', program, ...words, '--data', join(place.path, host)]);
      const start = (host: Host): void => {
        const output = openSync(join(place.path, `${host}.log`), 'a');
        const words = ['netns', 'exec', network.namespace(host), 'sh', program, 'ha', 'agent'];
        agents.push(spawn('ip', [...words, '--data', join(place.path, host)], { stdio: ['ignore', output, output] }));
      };
      const whole = async (): Promise<ClusterStatus> => {
        const { exitCode, stdout, stderr } = await tidegate('w', ['ha', 'status', '--json', '--wait', waitSeconds]);
        if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
        return JSON.parse(stdout);
      };
      const addressAt = async (host: Host): Promise<boolean> => {
        const there: boolean[] = [];
        for (const each of ['a', 'b'] as const) {
          const { stdout } = await inside(each, ['ip', '-oneline', 'address', 'show', 'to', virtual]);
          there.push((stdout.trim() !== '') === (each === host));
        }
        return there.every((each) => each);
      };
      const answersAt = async (): Promise<boolean> =>
        (await inside('c', ['ping', '-c', '1', '-W', '1', virtual])).exitCode === 0;
      try {
        for (const name of Object.keys(addresses) as (keyof typeof addresses)[]) {
          await inside(name, ['ip', 'address', 'add', `${addresses[name]}/64`, 'dev', 'eth0', 'nodad']);
          // Only the virtual address may use IPv4.
          if (name !== 'c') await inside(name, ['ip', 'address', 'delete', `${places[name]}/24`, 'dev', 'eth0']);
        }
        // A spelling that a person may use.
        const written = '2001:0DB8:77:0::1';
        const units = (host: Host) => ['--units', join(place.path, `units-${host}`), '--no-install'];
        const begun = await tidegate('a', [
          ...[
            'ha',
            'init',
            '--name',
            'a',
            '--address',
            written,
            '--vip',
            `${virtual}/${length}`,
            '--json',
            ...units('a'),
          ],
        ]);
        expect(begun).toMatchObject({ exitCode: 0, stderr: '' });
        const { url, tokens } = JSON.parse(begun.stdout);
        expect(url).toBe(`https://[${addresses.a}]:2381`);
        start('a');
        const join_ = (host: Host, token: string) =>
          tidegate(host, ['join', token, '--url', url, '--name', host, '--address', addresses[host], ...units(host)]);
        await waitFor('b to join', async () => {
          const { exitCode, stderr } = await join_('b', tokens.data);
          if (exitCode !== 3) expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
          return exitCode === 0;
        });
        start('b');
        const witness = ['--url', url, '--name', 'w', '--address', addresses.w, '--witness', ...units('w')];
        expect(await tidegate('w', ['join', tokens.witness, ...witness])).toMatchObject({ exitCode: 0, stderr: '' });
        start('w');
        const seen = await whole();
        expect(seen).toMatchObject({ primary: 'a', copies: 2 });
        expect(seen.hosts.map(({ etcd }) => etcd)).not.toContain('SILENT');
        await waitFor('the address at a', () => addressAt('a'));
        await waitFor('the address to answer', answersAt);

        expect(await tidegate('w', ['ha', 'switchover', '--to', 'b'])).toMatchObject({ exitCode: 0, stderr: '' });
        await waitFor('the address at b', () => addressAt('b'));
        await waitFor('the address to answer', answersAt);
        // The witness should lead etcd if it can.
        await waitFor('etcd to be led from w', async () =>
          (await whole()).hosts.some(({ name, etcd }) => name === 'w' && etcd === 'LEADS'),
        );
        killQuietly(Number(await readFile(join(place.path, 'b', 'mariadb', 'server.pid'), 'utf8')), 'SIGKILL');
        await waitFor('the address at a', () => addressAt('a'));
        expect(await whole()).toMatchObject({ primary: 'a', copies: 2 });

        // The route to a lost primary, and the way back of the other host.
        await network.unplug('a');
        await waitFor('the address at b', async () => {
          const { stdout } = await inside('b', ['ip', '-oneline', 'address', 'show', 'to', virtual]);
          return stdout.trim() !== '';
        });
        await network.plug('a');
        expect(await whole()).toMatchObject({ primary: 'b', copies: 2 });
      } finally {
        for (const each of agents) each.kill('SIGKILL');
        await network.remove();
        await place.remove();
      }
    },
    400_000 * patience,
  );
});

// `tidegate demo` beside a real start, as a person runs it: acts 1 to 4 on real parts, with their output and complete cleanup. The fifth
// act is the switchover of ha-demo.long.test.ts, with the same commands.
// needs: system, haproxy, keepalived, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, fping, curl, procps, nftables, iproute2, openssh-server, openssh-client, openssl, root
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { askLab } from '../../cli/lab-client.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { ask, startUp, tokenOf, type UpProcess } from './support/up-process.ts';

interface Line {
  readonly act?: number;
  readonly title?: string;
  readonly step?: string;
  readonly result?: string;
  readonly tookMs?: number;
  readonly say?: string;
  readonly command?: string;
}

const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate');
const slowMs = 600_000 * patience;
const describeAsRoot = labUnavailable() === undefined ? describe : describe.skip;

describeAsRoot('the demo', () => {
  let folder: TemporaryFolder;
  let data: string;
  let up: UpProcess;
  let token: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    data = join(folder.path, 'data');
    up = await startUp(data);
    token = await tokenOf(data);
  });
  afterAll(async () => {
    up?.child.kill('SIGTERM');
    await up?.ended;
    await folder?.remove();
  });

  function start(...words: readonly string[]) {
    return startIn(data, ...words);
  }
  function startIn(dataPath: string, ...words: readonly string[]) {
    const given = ['demo', '--no-install', '--url', `${up.url}/graphql`, '--data', dataPath, ...words];
    const child = spawn('sh', [program, ...given], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const code = new Promise<number | null>((resolve) => child.once('close', resolve));
    const lines = () =>
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
    return { child, code, lines, output: () => output, errors: () => errors };
  }

  async function left(): Promise<object> {
    const query = `{
      loadBalancers { nodes { name } } gslbs { nodes { fqdn } } gslbPools { nodes { name } } gslbMonitors { nodes { name } }
      mappings(mappingStates: [ACTIVE]) { nodes { objectKey } }
    }`;
    const found = await ask<Record<string, { nodes: unknown[] } | null>>(up.url, token, query);
    return Object.fromEntries(Object.entries(found).map(([name, page]) => [name, page?.nodes ?? []]));
  }
  async function parts(): Promise<readonly string[]> {
    const rows = await askLab(data, { do: 'list' }, new AbortController().signal);
    return rows.filter(({ state }) => state !== 'STOPPED').map(({ part }) => part);
  }
  const nothing = { loadBalancers: [], gslbs: [], gslbPools: [], gslbMonitors: [], mappings: [] };

  test(
    'acts 1 to 4 print the actions, their results and their times, and leave only the journal',
    async () => {
      const demo = start('--acts', '1,2,3,4', '--json');
      const code = await demo.code;
      const lines = demo.lines();
      const steps = lines.filter(({ step }) => step !== undefined);
      expect([code, demo.errors(), steps.filter(({ result }) => result?.startsWith('failed'))]).toEqual([0, '', []]);
      expect(lines.filter(({ title }) => title !== undefined).map(({ act }) => act)).toEqual([1, 2, 3, 4]);
      expect(steps.every(({ tookMs = -1 }) => tookMs >= 0)).toBe(true);
      const resultOf = (act: number, words: string) =>
        steps.find((each) => each.act === act && each.step?.includes(words))?.result ?? '';
      expect(resultOf(1, '203.0.113.77')).toMatch(/^SUCCEEDED/);
      expect(resultOf(1, 'deadline')).toMatch(/^UNKNOWN/);
      expect(resultOf(1, 'one read of')).toMatch(/^SUCCEEDED/);
      expect(resultOf(2, 'asks')).toContain('web1, web2, web3');
      expect(resultOf(2, 'answers that the client got')).toMatch(/^\d+ answers, 0 failed/);
      expect(resultOf(3, 'leave eu out')).toMatch(/^\S+ \S+$/);
      expect(resultOf(3, 'the votes for it')).toMatch(/^[23] of 3 vantage points say DOWN/);
      expect(resultOf(4, 'read at south, without')).toBe(resultOf(4, 'written at north'));
      expect(resultOf(4, 'has caught up')).toBe(resultOf(4, 'another is written'));
      expect(steps.some(({ step }) => step === 'bin/tidegate lab unplug north')).toBe(true);
      // Containers end with their clusters.
      expect([await left(), await parts()]).toEqual([nothing, ['firewall']]);
    },
    slowMs,
  );

  test(
    'Ctrl-C in the middle of an act ends it with 130 and undoes its changes; then it can be repeated',
    async () => {
      const demo = start('--acts', '3', '--keep-lab');
      await waitFor('the name', () => demo.output().includes('both name servers answer with all sites'));
      demo.child.kill('SIGINT');
      expect(await demo.code).toBe(130);
      expect(demo.output()).toContain('cleaning up: gslbDelete');
      expect(demo.output()).toContain("Left: the lab's part sites");
      expect([await left(), await parts()]).toEqual([nothing, ['firewall', 'sites']]);
      const again = start('--acts', '3,4');
      const code = await again.code;
      expect([code, code === 0 ? [] : [again.output(), again.errors()]]).toEqual([0, []]);
      expect(again.output()).toContain('Now yours:');
      expect(again.output()).not.toContain("adding the lab's part sites");
      expect(await left()).toEqual(nothing);
    },
    slowMs,
  );

  test('it takes a token from a file, and a login with a password', async () => {
    for (const credential of [
      ['--token-file', join(data, 'admin.token'), '--insecure'],
      ['--user', 'admin', '--password-file', join(data, 'admin.password'), '--project', 'default'],
    ]) {
      const demo = start('--acts', '1', ...credential);
      expect([await demo.code, demo.errors(), demo.output()]).toEqual([0, '', expect.stringContaining('UNKNOWN')]);
    }
  });

  test('without a lab it reports that, and an unknown act is refused', async () => {
    const elsewhere = startIn(folder.path, '--acts', '1');
    expect([await elsewhere.code, elsewhere.errors()]).toEqual([1, expect.stringMatching(/no token|no lab runs/)]);
    const unknown = start('--acts', '6');
    expect([await unknown.code, unknown.errors()]).toEqual([64, expect.stringContaining('1,2,3,4,5')]);
  });
});

// `tidegate mappings` on a real system with the lab's firewall.
// needs: iproute2, nftables, root

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../../../embedded/run-program.ts';
import { describeWithLab } from '../../../support/machine/lab.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../../../support/product/running-system.ts';
import { runCommand } from '../run-command.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describeWithLab('on a real system', (lab) => {
  let system: RunningSystem;
  let at: string[];
  const run = (...args: string[]) =>
    runCommand([...args, '--url', system.url], { env: { TIDEGATE_TOKEN: system.token } });

  beforeAll(async () => {
    system = await runningSystem();
    const { host, port, username, privateKeyPath, hostKeySha256 } = lab().firewall;
    at = ['--host', host, '--port', String(port), '--username', username, '--private-key-file', privateKeyPath];
    const made = await run(
      'backends',
      'create',
      'fw',
      '--driver',
      'linux-nftables',
      ...at,
      '--host-key',
      hostKeySha256,
    );
    expect(made.stderr).toBe('');
  });
  afterAll(() => system?.stop(), 60_000);

  const nft = (script: string) =>
    runProgram('ip', ['netns', 'exec', lab().firewall.namespace, 'nft', '-f', '-'], { input: script });

  test('an existing object is adopted, found drifted and missing, exported and forgotten', async () => {
    await nft('add element inet filter blocked { 10.8.0.1, 10.8.0.2 }');
    const adopt = (address: string) =>
      run(
        ...['mappings', 'adopt', '--backend', 'fw', '--cmp', `tenant/${address}`, '--json'],
        ...['--resource', 'address-set-element', '--scope', 'inet filter', '--key', `blocked/${address}`],
      );
    const ids = [await adopt('10.8.0.1'), await adopt('10.8.0.2')].map(
      ({ stdout }) => (JSON.parse(stdout) as { id: string }).id,
    );
    const nobody = await adopt('10.8.0.9');
    expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);

    const matching = await run('mappings', 'verify', '--backend', 'fw');
    expect([matching.exitCode, matching.stdout]).toEqual([0, '2 MATCHES, 0 DRIFTED, 0 MISSING\n']);
    await nft('delete element inet filter blocked { 10.8.0.2 }');
    const drifted = await run('mappings', 'verify', '--backend', 'fw');
    expect([drifted.exitCode, drifted.stdout]).toEqual([1, expect.stringContaining('1 MATCHES, 0 DRIFTED, 1 MISSING')]);
    const listed = await run('mappings', 'list', '--verification', 'missing');
    expect(listed.stdout).toContain('tenant/10.8.0.2');
    expect(listed.stdout).not.toContain('tenant/10.8.0.1 ');

    const file = join(folder.path, 'real.ndjson');
    await run('mappings', 'export', '--file', file);
    const lines = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id?: string; after?: string });
    expect(new Set(lines.flatMap(({ id }) => id ?? []))).toEqual(new Set(ids));
    expect((await run('mappings', 'forget', ids[1] ?? '')).exitCode).toBe(0);
    await waitFor('the end of it to be told', async () => {
      const since = await run('mappings', 'export', '--after', lines.at(-1)?.after ?? '');
      return since.stdout.split('\n').some((line) => line.includes(ids[1] ?? '') && line.includes('"DELETED"'));
    });
  });
});

// A saved ruleset is loaded unchanged except for its handles: order, sets and elements. nft itself is the reference.
// needs: iproute2, nftables, root

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { inNamespace } from '../../lab/exec.ts';
import { keepRuleset, loadRuleset } from '../../lab/kept-ruleset.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

const describeAsRoot = labUnavailable() === undefined ? describe : describe.skip;

describeAsRoot('a kept ruleset', () => {
  let folder: TemporaryFolder;
  const namespaces: string[] = [];

  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    for (const name of namespaces) await runProgram('ip', ['netns', 'delete', name]);
    await folder.remove();
  });

  async function namespace(): Promise<string> {
    const name = `tg-test-${randomBytes(4).toString('hex')}`;
    expect((await runProgram('ip', ['netns', 'add', name])).exitCode).toBe(0);
    namespaces.push(name);
    return name;
  }

  async function nft(inside: string, ...lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const { exitCode, stderr } = await inNamespace(inside, 'nft', [line]);
      expect([line, exitCode, stderr]).toEqual([line, 0, '']);
    }
  }

  async function rules(inside: string): Promise<string> {
    return (await inNamespace(inside, 'nft', ['--stateless', 'list', 'ruleset'])).stdout;
  }

  async function handlesIn(inside: string): Promise<readonly string[]> {
    const { stdout } = await inNamespace(inside, 'nft', ['--handle', 'list', 'ruleset']);
    return [...stdout.matchAll(/# handle (\d+)/g)].map(([, handle = '']) => handle);
  }

  async function movedTo(inside: string): Promise<string> {
    const path = join(folder.path, inside);
    const other = await namespace();
    await keepRuleset(inside, path);
    expect(await loadRuleset(other, path)).toBe(true);
    return other;
  }

  test('rules in any order, sets inside rules, maps, and rules that were deleted before', async () => {
    const old = await namespace();
    await nft(
      old,
      'add table inet filter',
      'add set inet filter blocked { type ipv4_addr; flags interval; }',
      'add chain inet filter forward { type filter hook forward priority 0; policy drop; }',
      'add rule inet filter forward ip saddr @blocked drop comment "first"',
      'add rule inet filter forward meta l4proto { 1, 58 } drop comment "a set of its own"',
      'insert rule inet filter forward tcp dport { 80, 443 } accept comment "inserted"',
      'add rule inet filter forward tcp dport 81 accept comment "last"',
      'add rule inet filter forward handle 5 udp dport 53 drop comment "in the middle"',
      'insert rule inet filter forward udp dport 54 drop comment "inserted, too"',
      'delete rule inet filter forward handle 3',
      'add chain inet filter tenants',
      'add rule inet filter forward tcp dport vmap { 22 : jump tenants }',
      'add map inet filter where { type ipv4_addr : verdict; }',
      'add element inet filter where { 192.0.2.1 : jump tenants }',
      'add element inet filter blocked { 192.0.2.1, 198.51.100.0/24 comment "a block" }',
      'add rule inet filter tenants ip saddr . tcp dport { 192.0.2.1 . 22, 198.51.100.0/24 . 80-90 } accept',
      'add rule inet filter tenants tcp dport 22 limit rate 10/second log prefix "a \\ " counter accept',
      'add table ip other',
      'add counter ip other seen',
      'add chain ip other gone',
      'delete chain ip other gone',
      'add chain ip other here',
    );
    const before = await rules(old);
    expect(before).toContain('"in the middle"');
    const next = await movedTo(old);
    expect(await rules(next)).toBe(before);
    // The handles differ, as after a reboot.
    expect(await handlesIn(next)).not.toEqual(await handlesIn(old));
    // Once more, from the loaded ruleset.
    expect(await rules(await movedTo(next))).toBe(before);
  });

  test('more rules than one transaction allows keep their order', async () => {
    const old = await namespace();
    const script = join(folder.path, 'many.nft');
    const many = Array.from({ length: 6_000 }, (_, index) => `add rule ip t c tcp dport ${index} accept`);
    await writeFile(script, ['add table ip t', 'add chain ip t c', ...many].join('\n'));
    expect((await inNamespace(old, 'nft', ['--file', script])).exitCode).toBe(0);
    expect(await rules(await movedTo(old))).toBe(await rules(old));
  });

  test('a file that is not a ruleset is refused, and a missing file counts as no ruleset', async () => {
    const path = join(folder.path, 'damaged');
    const inside = await namespace();
    expect(await loadRuleset(inside, path)).toBe(false);
    for (const text of [
      '',
      '{"nftables": [{"rule": {"family": "inet"',
      '{"nftables": [{"table": {"family": "none"}}]}',
    ]) {
      await writeFile(path, text);
      await expect(loadRuleset(inside, path)).rejects.toThrow();
    }
    expect(await rules(inside)).toBe('');
  });
});

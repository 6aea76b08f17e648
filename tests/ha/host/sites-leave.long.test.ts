// From three sites back to one machine, under a client that has the list of hosts. No request fails, no row is lost, and no row is duplicated.
// needs: system, keepalived, curl, root
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { places } from '../../../trials/ha/network.ts';
import {
  begin,
  end,
  expectAllRowsOnce,
  gone,
  hostOf,
  nothingFailed,
  remove,
  slowMs,
  start,
  startUp,
  switchTo,
  thirdSite,
  tidegate,
  twoSites,
  votes,
  waitFor,
  whole,
  writesGoOn,
} from './sites-steps.ts';

const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('three sites, two, and one machine', () => {
  beforeAll(async () => {
    await begin();
    await twoSites();
    await thirdSite();
  }, slowMs);
  afterAll(remove, slowMs);

  test(
    'the second site leaves: its vote moves to the third, and another voter may then be lost',
    async () => {
      await switchTo('a');
      const left = gone('b');
      expect(await tidegate('w', ['ha', 'leave', '--host', 'b'])).toMatchObject({ exitCode: 0, stderr: '' });
      await left;
      expect(await votes()).toEqual(['a', 'c', 'w']);
      const after = await whole();
      expect(after.hosts.map(({ name, etcd }) => [name, etcd === 'NONE' || etcd === 'SILENT']).sort()).toEqual([
        ['a', false],
        ['c', false],
        ['w', false],
      ]);
      await end('b', 'serve');
      await writesGoOn();
      await end('w', 'agent', 'SIGKILL');
      await writesGoOn();
      expect(await hostOf('w', 'c')).toMatchObject({ etcd: 'SILENT' });
      start('w', 'agent');
      await waitFor('the witness', async () => ['ANSWERS', 'LEADS'].includes((await hostOf('w'))?.etcd ?? ''));
      expect(await tidegate('b', ['up', '--no-lab', '--no-install'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('an old copy'),
      });
      await nothingFailed('a vote moves');
    },
    slowMs,
  );

  test(
    'the third site leaves, then the witness, and the last host becomes a single machine in place',
    async () => {
      await switchTo('a');
      void gone('c');
      await waitFor('c to leave', async () => (await tidegate('w', ['ha', 'leave', '--host', 'c'])).exitCode === 0);
      await end('c', 'serve');
      await writesGoOn();
      expect(await tidegate('w', ['ha', 'status'])).toMatchObject({
        stdout: expect.stringMatching(/Votes +a, w alone/),
      });
      const first = { exitCode: 1, stderr: expect.stringContaining('FIRST') };
      expect(await tidegate('a', ['ha', 'leave'])).toMatchObject(first);
      void gone('w');
      expect(await tidegate('a', ['ha', 'leave', '--host', 'w'])).toMatchObject({ exitCode: 0, stderr: '' });
      await writesGoOn();
      expect(await votes()).toEqual(['a']);
      await nothingFailed('two leave');
      const over = gone('a');
      await end('a', 'serve');
      const done = await tidegate('a', ['ha', 'leave']);
      expect(done).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('bin/tidegate up') });
      await over;
      await startUp();
      await writesGoOn();
      await nothingFailed('a single machine again');
      await end('client');
      await expectAllRowsOnce();
    },
    slowMs,
  );

  test(
    'the same folder starts another cluster, which is then undone',
    async () => {
      await end('a', 'up');
      const init = ['ha', 'init', '--name', 'a', '--address', places.a, '--no-install', '--json'];
      expect(await tidegate('a', init)).toMatchObject({ exitCode: 0 });
      expect(await tidegate('a', ['ha', 'leave'])).toMatchObject({ exitCode: 0 });
      expect(await tidegate('a', ['ha', 'status'])).toMatchObject({
        stderr: expect.stringContaining('NOT_CONFIGURED'),
      });
    },
    slowMs,
  );
});

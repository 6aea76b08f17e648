// From one machine to three sites, under a client that has the list of hosts. No request fails, no row is lost, and no row is duplicated.
// needs: system, keepalived, curl, root
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  answer,
  begin,
  end,
  expectAllRowsOnce,
  healthUrl,
  hostOf,
  inside,
  login,
  logOf,
  nothingFailed,
  plug,
  remove,
  seen,
  slowMs,
  status,
  switchTo,
  thirdSite,
  tidegate,
  twoSites,
  unplug,
  waitFor,
  whole,
  writesGoOn,
} from './sites-steps.ts';

const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('one machine, two sites, three', () => {
  beforeAll(begin, slowMs);
  afterAll(remove, slowMs);

  test('init on a running machine and join at a second site: requests wait during the takeover', twoSites, slowMs);

  test(
    '"tidegate up" refuses the folder of a cluster host, whether or not its agent runs',
    async () => {
      const refused = { exitCode: 1, stderr: expect.stringContaining('CLUSTER_FOLDER') };
      expect(await tidegate('b', ['up', '--no-lab', '--no-install'])).toMatchObject(refused);
      expect(await tidegate('a', ['up', '--no-lab', '--no-install', '--as-root'])).toMatchObject(refused);
    },
    slowMs,
  );

  test(
    'a third site joins, and each site is the primary in turn',
    async () => {
      await thirdSite();
      const [again, { epoch }] = [(await seen()).again, await whole()];
      for (const to of ['b', 'c', 'a'] as const) {
        await switchTo(to);
        await writesGoOn();
      }
      await nothingFailed('switchovers');
      // Not a single attempt failed, because each requested host answered. On a busy machine a primary may also have been lost.
      const wasPlanned = (await whole()).epoch === epoch + 3;
      const { again: after, lastWords } = await seen();
      if (wasPlanned) expect({ again: after - again, lastWords }).toMatchObject({ again: 0 });
    },
    slowMs,
  );

  test(
    'the site of the primary is cut off: the others continue, and that site refuses requests and says why',
    async () => {
      const before = await switchTo('a');
      const admin = await login('a');
      await unplug('a');
      await waitFor('another primary', async () => {
        const primary = (await status('w'))?.primary;
        return primary === 'b' || primary === 'c';
      });
      await writesGoOn();
      expect(await tidegate('a', ['ha', 'status'])).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('etcd has no majority'),
      });
      expect(
        await inside('a', ['curl', '--silent', '--output', '/dev/null', '--write-out', '%{http_code}', healthUrl('a')]),
      ).toBe('503');
      expect(await answer('a', '{ statusCursor }', {}, admin)).toMatch(/"code":"(BUSY|UNAVAILABLE)"/);
      expect(await readFile(logOf('a', 'agent'), 'utf8')).toContain('etcd does not answer');
      await plug('a');
      const after = await whole();
      expect(after.epoch).toBeGreaterThan(before.epoch);
      await waitFor('a to follow', async () => ['FOLLOWS', 'IN_SYNC'].includes((await hostOf('a'))?.state ?? ''));
      await switchTo('a');
      await nothingFailed('a site cut off');
      await end('client');
      await expectAllRowsOnce();
    },
    slowMs,
  );
});

// The tutorial of a name that points only to healthy sites, and the README's example of one, run as printed on the
// pages.
// needs: system, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, fping, procps, nftables, iproute2, openssl, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../support/machine/patience.ts';
import { blocksOf } from './support/blocks.ts';
import { describeTutorial, TutorialPlace } from './support/tutorial-place.ts';

const page = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
const slowMs = 240_000 * patience;

describeTutorial('global names', () => {
  let place: TutorialPlace;
  beforeAll(async () => {
    place = await TutorialPlace.start();
  }, 120_000 * patience);
  afterAll(() => place?.stop(), 60_000 * patience);

  test(
    'global-names.md: a dead site is removed from the answer and returns, and an absent checker changes nothing',
    async () => {
      const output = await place.play('docs/tutorials/global-names.md');
      expect(output).toMatch(/UP → DOWN/);
      expect(output).toContain('ABSENT');
    },
    slowMs,
  );

  test(
    "README's name prints what it shows",
    async () => {
      const block = blocksOf(page).find(({ before }) =>
        before.startsWith('A DNS name that points only to healthy sites'),
      );
      expect(block).toBeDefined();
      const explain = 'bin/tidegate gslbs explain shop.gslb.lab.test --client 192.0.2.0/24';
      const allUp = `until ${explain} | grep '^UP ' | grep -v 'not up'; do sleep 0.5; done`;
      expect((await place.run(allUp)).failures).toEqual([]);
      if (block !== undefined) await place.compare('README.md', block);
    },
    slowMs,
  );
});

// The tutorial of a load balancer and the README's example of one, run as printed on the pages.
// needs: system, haproxy, keepalived, curl, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, hey, procps, nftables, iproute2, openssl, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../support/machine/patience.ts';
import { blocksOf } from './support/blocks.ts';
import { describeTutorial, TutorialPlace } from './support/tutorial-place.ts';

const page = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
const slowMs = 240_000 * patience;

describeTutorial('a load balancer', () => {
  let place: TutorialPlace;
  beforeAll(async () => {
    place = await TutorialPlace.start();
  }, 120_000 * patience);
  afterAll(() => place?.stop(), 60_000 * patience);

  test(
    'load-balancer.md: all web servers answer, also while a node is unplugged and replaced',
    async () => {
      const output = await place.play('docs/tutorials/load-balancer.md');
      expect(output).toContain('http://web.default.lb.lab.test/');
      for (const server of ['web1', 'web2', 'web3']) expect(output).toContain(server);
      expect(output).toMatch(/REPLACE/);
    },
    slowMs,
  );

  test(
    "README's load balancer prints what it shows",
    async () => {
      const block = blocksOf(page).find(({ before }) => before.startsWith('A load balancer, after'));
      expect(block).toBeDefined();
      if (block !== undefined) await place.compare('README.md', block);
    },
    slowMs,
  );
});

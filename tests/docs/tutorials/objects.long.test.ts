// The tutorial of objects over several clusters and the README's example of one, run as printed on the pages.
// needs: system, awscli, rclone, procps, nftables, iproute2, openssl, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../support/machine/patience.ts';
import { blocksOf } from './support/blocks.ts';
import { describeTutorial, TutorialPlace } from './support/tutorial-place.ts';

const page = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
const slowMs = 240_000 * patience;

describeTutorial('objects', () => {
  let place: TutorialPlace;
  beforeAll(async () => {
    place = await TutorialPlace.start();
  }, 120_000 * patience);
  afterAll(() => place?.stop(), 60_000 * patience);

  test(
    'objects.md: objects written at one cluster are read at the others; one is unplugged, one added, one removed',
    async () => {
      const output = await place.play('docs/tutorials/objects.md');
      expect(output.match(/^the same$/gm)).toHaveLength(2);
      expect(output).toMatch(/cow\.jpg/);
    },
    slowMs,
  );

  test(
    "README's objects print what it shows",
    async () => {
      const block = blocksOf(page).find(({ before }) => before.startsWith('Objects in several clusters'));
      expect(block).toBeDefined();
      if (block !== undefined) await place.compare('README.md', block);
    },
    slowMs,
  );
});

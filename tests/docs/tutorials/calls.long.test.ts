// The README's main job and its call example, and the tutorials of calls and unknown outcomes, run as printed on the
// pages.
// needs: system, nftables, iproute2, iputils-ping, openssh-server, openssh-client, openssl, curl, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../support/machine/patience.ts';
import { blocksOf } from './support/blocks.ts';
import { describeTutorial, TutorialPlace } from './support/tutorial-place.ts';

const page = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
const slowMs = 100_000 * patience;

describeTutorial('calls', () => {
  let place: TutorialPlace;
  beforeAll(async () => {
    place = await TutorialPlace.start();
  }, 120_000 * patience);
  afterAll(() => place?.stop(), 60_000 * patience);

  test(
    "README's main job answers as shown",
    async () => {
      // The page uses the port of a usual start.
      const [call, answer] = blocksOf(page).filter(({ heading }) => heading === 'The main job');
      const url = (await readFile(join(place.data, 'url'), 'utf8')).trim();
      const { output, failures } = await place.run(
        (call?.text ?? '').replace('http://127.0.0.1:4000/graphql', url.includes('/graphql') ? url : `${url}/graphql`),
      );
      const { extensions, ...said } = JSON.parse(output) as { readonly extensions: object };
      expect([failures, said]).toEqual([[], JSON.parse(answer?.text ?? '')]);
      expect(Object.keys(extensions)).toEqual(['cost', 'requestId']);
    },
    slowMs,
  );

  test(
    "README's call prints what it shows",
    async () => {
      const block = blocksOf(page).find(({ before }) => before.startsWith('A call from the command line'));
      expect(block).toBeDefined();
      if (block !== undefined) await place.compare('README.md', block);
    },
    slowMs,
  );

  test(
    'calls.md: at first the server answers, then the rule drops the packet, and tenant/42 has both objects',
    async () => {
      const output = await place.play('docs/tutorials/calls.md');
      expect(output).toMatch(/1 received[\s\S]*"SUCCEEDED"[\s\S]*0 received[\s\S]*no answer: the firewall dropped it/);
      expect(output).toMatch(/setElement[\s\S]*198\.19\.1\.10/);
    },
    slowMs,
  );

  test(
    'unknown-outcomes.md: the call is UNKNOWN, and one read settles it',
    async () => {
      expect(await place.play('docs/tutorials/unknown-outcomes.md')).toMatch(/UNKNOWN[\s\S]*SUCCEEDED/);
    },
    slowMs,
  );
});

// The tutorials of routers and service function chains, run as printed on the pages.
// needs: system, frr, nftables, iproute2, iputils-ping, openssh-server, openssh-client, openssl, curl, python3, python3-distutils, root
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../support/machine/patience.ts';
import { describeTutorial, TutorialPlace } from './support/tutorial-place.ts';

const testChains = existsSync('/usr/lib/python3.11/distutils/versionpredicate.py') ? test : test.skip;
const slowMs = 240_000 * patience;

describeTutorial('devices', () => {
  let place: TutorialPlace;
  beforeAll(async () => {
    // As root, so that it finds the Neutron packages that other tests have unpacked.
    place = await TutorialPlace.start(['--as-root']);
  }, 120_000 * patience);
  afterAll(() => place?.stop(), 60_000 * patience);

  test(
    'routers.md: the hosts reach each other by the routes, and the session is established',
    async () => {
      const output = await place.play('docs/tutorials/routers.md');
      expect(output).toMatch(/0 received[\s\S]*no answer: there is no route[\s\S]*1 received[\s\S]*Established/);
      expect(output).not.toContain('"code"');
    },
    slowMs,
  );

  testChains(
    'chains.md: the chain drifts when it is changed by hand; objects in use are refused, and everything is deleted at the end',
    async () => {
      const output = await place.play('docs/tutorials/chains.md');
      expect(output).toMatch(/DRIFTED[\s\S]*IN_USE/);
    },
    slowMs,
  );
});

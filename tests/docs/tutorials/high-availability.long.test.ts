// The tutorial of two hosts and a witness, run as printed on its page, next to a start with --ha.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, nftables, openssh-server, openssh-client, system, root
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { endLeftOver } from '../../../lab/ha/hosts.ts';
import { demoFolderIn } from '../../../lab/ha/places.ts';
import { atMost } from '../../../platform/work/within.ts';
import { startProgram } from '../../bin/support/up-process.ts';
import { patience } from '../../support/machine/patience.ts';
import { describeTutorial, TutorialPlace } from './support/tutorial-place.ts';

const readyMs = 300_000 * patience;

describeTutorial('two hosts and a witness', () => {
  let place: TutorialPlace;
  let started: ReturnType<typeof startProgram> | undefined;

  beforeAll(async () => {
    place = await TutorialPlace.prepare();
    started = startProgram(['up', '--ha', '--no-install', '--data', place.data]);
    const giveUpAt = performance.now() + readyMs;
    while (!started.output().includes('Ctrl-C stops everything.')) {
      const over = await atMost(100, started.ended);
      if (over === undefined && performance.now() < giveUpAt) continue;
      throw new Error(`the hosts did not get ready:\n${started.output()}`);
    }
  }, readyMs);

  afterAll(async () => {
    started?.child.kill('SIGTERM');
    await started?.ended;
    await endLeftOver(demoFolderIn(place.data));
    await place.stop();
  }, 120_000 * patience);

  test(
    'high-availability.md: the other host takes over, planned and unplanned, and no acknowledged write is lost',
    async () => {
      const isOfStart = ({ text }: { readonly text: string }) => text.startsWith('npm start');
      const output = await place.play('docs/tutorials/high-availability.md', (block) => !isOfStart(block));
      const primaries = [...output.matchAll(/^Primary +([ab])$/gm)].map(([, name]) => name);
      const [, afterSwitchover] = /^([ab]) is the primary/m.exec(output) ?? [];
      // The first host has it again after the second one was unplugged.
      expect([primaries[0], afterSwitchover].sort()).toEqual(['a', 'b']);
      expect(primaries.at(-1)).toBe(primaries[0]);
      expect(output).toMatch(/^Acknowledged +[1-9]\d*$/m);
      expect(output).toMatch(/^Lost +0$/m);
    },
    readyMs,
  );
});

// The trial of reboots in small: its full size is `npm run trials -- relay-reboot`.
import { expect, test } from '@jest/globals';
import { runRelayReboot } from '../../trials/relay-reboot.ts';
import { testDatabase } from '../support/database.ts';
import { describeWithLab } from '../support/lab.ts';

const seed = 7;

describeWithLab('a firewall that reboots amid calls', (lab) => {
  test(`no object of others is deleted, and no mapping stands for another one (seed ${seed})`, async () => {
    const database = await testDatabase();
    try {
      const { signal } = new AbortController();
      const result = await runRelayReboot({ seed, reboots: 8, lab: lab(), database, progress: () => {}, signal });
      expect(result).toMatchObject({ reboots: 8, foreignDeleted: 0, wrongMappings: 0, findings: [] });
      const told = Object.keys(result.calls);
      expect(told).toEqual(expect.arrayContaining(['rule.create SUCCEEDED', 'policy.create SUCCEEDED']));
      expect(told.some((each) => each.startsWith('delete'))).toBe(true);
    } finally {
      await database.drop();
    }
  }, 300_000);
});

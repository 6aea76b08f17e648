// A small run of the reboot trial. Its full size is `npm run trials -- relay-reboot`.
import { rm } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { runRelayReboot } from '../../trials/relay-reboot.ts';
import { describeWithLab } from '../support/machine/lab.ts';
import { labFolder } from '../support/machine/lab-folders.ts';
import { testDatabase } from '../support/stores/database.ts';

const seed = 7;

describeWithLab('a firewall that reboots amid calls', (lab) => {
  test(`no foreign object is deleted, and no mapping stands for a different object (seed ${seed})`, async () => {
    const database = await testDatabase();
    const folder = await labFolder();
    try {
      const { signal } = new AbortController();
      const options = { seed, reboots: 8, lab: lab(), folder, database, progress: () => {}, signal };
      const result = await runRelayReboot(options);
      expect(result).toMatchObject({ reboots: 8, foreignDeleted: 0, wrongMappings: 0, findings: [] });
      const told = Object.keys(result.calls);
      const made = ['rule', 'policy', 'routeMapEntry', 'prefixListEntry', 'bgpNeighbor', 'vlan'];
      expect(told).toEqual(expect.arrayContaining(made.map((kind) => `${kind}.create SUCCEEDED`)));
      expect(told).toEqual(expect.arrayContaining(made.slice(2).map((kind) => `${kind}.create FAILED ALREADY_EXISTS`)));
      const devices = ['firewall', 'gate', 'router', 'waf', 'switch'];
      expect(devices.filter((device) => !told.some((each) => each.includes(` on ${device} `)))).toEqual([]);
    } finally {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    }
  }, 300_000);
});

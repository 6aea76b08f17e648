// Reports every 10 ms whether a host has the virtual address, according to the host's own network. Writes one line of JSON each: [monotonic
// ms, has it]
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../ha/agent/clock.ts';
import { virtualAddress } from './network.ts';

const everyMs = 10;
for (;;) {
  const has = networkInterfaces().eth0?.some(({ address }) => address === virtualAddress) === true;
  process.stdout.write(`${JSON.stringify([monotonicMs(), has])}\n`);
  await sleep(everyMs);
}

// Whether a host has the virtual address, each 10 ms, as the host's own network says. A line of JSON each: [monotonic ms, has it]
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { virtualAddress } from './network.ts';

const everyMs = 10;
for (;;) {
  const has = networkInterfaces().eth0?.some(({ address }) => address === virtualAddress) === true;
  process.stdout.write(`${JSON.stringify([monotonicMs(), has])}\n`);
  await sleep(everyMs);
}

// Runs a host's virtual address and /health/primary as the host's agent does. Arguments: options as JSON. Commands on standard input, one a
// line: "hold" starts a lease and renews it, "release" ends it, "leave" disconnects clients (and prints "gone"), "stay" lets clients in
// again. With `waits`, the process prints "loaded" once its modules are loaded, and starts when the next line arrives.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../../embedded/setup-log.ts';
import { Clients } from '../../../ha/address/clients.ts';
import { VirtualAddress } from '../../../ha/address/virtual-address.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { together } from '../../../ha/announcer.ts';
import { PrimaryHealth } from '../../../ha/primary-health.ts';

const { leaseMs, healthPort, processFile, waits, ...options } = JSON.parse(process.argv[2] ?? '');
const lines = createInterface({ input: process.stdin });
if (waits) {
  process.stdout.write('loaded\n');
  await once(lines, 'line');
}
const announcer = together([
  await VirtualAddress.open({ ...options, log: silentLog }),
  await PrimaryHealth.open({ address: options.source, port: healthPort }),
]);
const clients = new Clients({ address: options.address.split('/')[0], processFile, log: silentLog });
let isHolder = false;
lines.on('line', (line) => {
  if (line === 'leave') void clients.leave().then(() => process.stdout.write('gone\n'));
  if (line === 'stay') void clients.stay();
  if (line === 'leave' || line === 'stay') return;
  isHolder = line === 'hold';
  if (!isHolder) announcer.lost();
});
process.stdout.write('ready\n');
for (;;) {
  if (isHolder) announcer.held(monotonicMs() + (leaseMs * 2) / 3, 1);
  await sleep(leaseMs / 10);
}

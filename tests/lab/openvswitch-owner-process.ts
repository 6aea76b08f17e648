// Owns an Open vSwitch until the process is killed, for tests of a kill. Prints one line of JSON.

import { silentLog } from '../../embedded/setup-log.ts';
import { startOpenVswitch } from '../../lab/openvswitch.ts';

const ovs = await startOpenVswitch({ folder: process.argv[2] ?? '', log: silentLog });
if (!ovs.available) throw new Error(ovs.unavailable);
process.stdout.write(`${JSON.stringify({ databasePid: ovs.databasePid, switchPid: ovs.switchPid })}\n`);
setInterval(() => {}, 60_000);

// A process whose name server never answers. It dials 40 names of users, and then a name of its own, and reports which name is resolved
// first.
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import { dial } from '../../../platform/net/dial.ts';
import { egressFrom } from '../../../platform/net/egress.ts';

const server = createSocket('udp4');
server.bind(53, '127.0.0.77');
await once(server, 'listening');

const say = (line: string): void => {
  process.stdout.write(`${line}\n`, () => process.exit());
};
const egress = egressFrom({});
for (let count = 0; count < 40; count += 1) {
  const host = `device${count}.example`;
  dial(egress, { host, port: 22 }).on('error', (error) => say(`${host} ${error.message}`));
}
// Waits until the lookups have begun.
await once(server, 'message');
dns.lookup('localhost', { family: 4 }, (error, address) => say(`localhost ${error?.message ?? address}`));

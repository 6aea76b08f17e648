// The minimum that can follow endpoints: one process that probes each of them periodically, considers it dead after two consecutive
// failures, and answers the name itself. Argument: a file with its options (ProberOptions).
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';

export interface ProberOptions {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly delayMs: number;
  readonly dnsPort: number;
}

const fall = 2;
const ttlSeconds = 5;
const { addresses, port, delayMs, dnsPort } = JSON.parse(
  await readFile(process.argv[2] ?? '', 'utf8'),
) as ProberOptions;
const failures = new Map(addresses.map((address) => [address, 0]));

function probe(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: address, port, path: '/health', timeout: Math.min(delayMs, 500), agent: false });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

for (const address of addresses) {
  const look = async () => {
    const up = await probe(address);
    failures.set(address, up ? 0 : (failures.get(address) ?? 0) + 1);
  };
  setTimeout(() => setInterval(() => void look(), delayMs), Math.random() * delayMs);
}

const socket = createSocket('udp4');
socket.on('message', (packet, from) => {
  const up = addresses.filter((address) => (failures.get(address) ?? 0) < fall);
  const answer = Buffer.from(packet);
  answer.writeUInt16BE(0x8400, 2);
  answer.writeUInt16BE(up.length, 6);
  const records = up.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, ttlSeconds, 0, 4, ...address.split('.').map(Number)]),
  );
  socket.send(Buffer.concat([answer, ...records]), from.port, from.address);
});
socket.bind(dnsPort, '127.0.0.1', () => process.stdout.write('{}\n'));

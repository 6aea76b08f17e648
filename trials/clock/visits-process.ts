// The members of the trial's load balancer, and the clients of its nodes. They have their own process, so that a busy trial neither fails
// the checks of members nor loses requests. Prints its ports, then a line for each request that failed. A line on its input has the nodes'
// addresses.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf } from '../answer-of.ts';

const [port = 0, everyMs = 0] = process.argv.slice(2).map(Number);

const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function member(): Promise<number> {
  const server = createServer((_, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Undefined if the request was answered. */
function faultOf(host: string): Promise<string | undefined> {
  return answerOf(host, port, 5_000).then(
    ({ status }) => (status === 200 ? undefined : `status ${status}`),
    (error: Error) => error.message,
  );
}

let addresses: readonly string[] = [];
createInterface({ input: process.stdin }).on('line', (line) => {
  addresses = JSON.parse(line) as readonly string[];
});
say({ ports: [await member(), await member()] });
// Runs until its parent ends it.
for (let count = 0; ; count += 1) {
  // Sends to each node in turn, like clients of both addresses.
  const address = addresses[count % addresses.length];
  const startedMs = performance.now();
  const fault = address === undefined ? undefined : await faultOf(address);
  if (fault !== undefined) say({ fault: `${address}: ${fault} after ${Math.round(performance.now() - startedMs)} ms` });
  await sleep(everyMs);
}

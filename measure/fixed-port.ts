// Ports for processes that must come back on the same one. Below the system's ephemeral ports (from 32768 on Linux): any
// connection could take one of those while its owner is down, even the one that tries to reach it.
import { createServer } from 'node:net';

const [lowest, highest] = [10_000, 29_999];
const tries = 50;

/** Was free on 127.0.0.1 a moment ago. */
export async function fixedPort(): Promise<number> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${lowest} to ${highest} is free: ${tries} were tried`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

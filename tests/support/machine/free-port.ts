// A port for a server that must restart on the same one; otherwise tests use port 0.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './temporary-folder.ts';

// Below the ports that the system gives to clients (ip_local_port_range). Otherwise a client could take one while the
// server is away.
const [first, count] = [20_000, 10_000];
const attempts = 1_000;

/**
 * A file with the owner's pid for each port given to a test process, because ports are bound long after they are
 * chosen.
 */
const claims = join(tmpdir(), 'tidegate-test-ports');

/** A port for TCP and UDP that was free on 127.0.0.1 a moment ago. No other test gets it while this process runs. */
export async function freePort(): Promise<number> {
  await mkdir(claims, { recursive: true });
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = first + Math.floor(Math.random() * count);
    if ((await isClaimed(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no port from ${first} on is free`);
}

async function isClaimed(port: number): Promise<boolean> {
  const path = join(claims, String(port));
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // An owner that has not written its pid yet counts as running.
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner !== 0 && !isRunning(owner)) await rm(path, { force: true });
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const [tcp, udp] = [createServer(), createSocket('udp4')];
  try {
    tcp.listen(port, '127.0.0.1');
    await once(tcp, 'listening');
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    await new Promise<void>((done) => udp.close(done));
    await new Promise((done) => tcp.close(done));
  }
}

// A port for a server that has to come back on the same one after a restart; otherwise tests use port 0.
import { type AddressInfo, createServer } from 'node:net';

/** Free a moment ago on 127.0.0.1. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}

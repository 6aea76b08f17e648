// A machine whose first place is a process that is killed or hangs. The machine soon connects to the second place, and its reports are stored
// there. Load balancer hosts, checkers, name servers and clusters all use this link.
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, test } from '@jest/globals';
import { pino } from 'pino';
import { LinkClient, type LinkDocuments } from '../../../platform/link/link-client.ts';
import { machineUri } from '../../../platform/machines/machine.ts';
import { Peers } from '../../../platform/machines/peers.ts';
import { certify, makeCertificate } from '../../../platform/net/certificates.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import type { JsonValue } from '../../../platform/values/json.ts';
import type { Position } from '../../../platform/values/positions.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const log = pino({ level: 'silent' });
const program = new URL('./support/link-place-process.ts', import.meta.url).pathname;
const places: ChildProcess[] = [];
let client: LinkClient | undefined;
afterEach(async () => {
  for (const place of places.splice(0)) place.kill('SIGKILL');
  await client?.stop();
});

class Documents implements LinkDocuments {
  name: JsonValue | undefined;
  readonly held = () => new Map<string, Position>();
  async put(_key: string, _position: Position, document: JsonValue): Promise<void> {
    this.name = (document as { readonly name: string }).name;
  }
  async change(): Promise<boolean> {
    return false;
  }
  async remove(): Promise<void> {}
}

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'the first place gets %s',
  async (fault) => {
    const authority = await makeCertificate({ commonName: 'Machines', use: 'authority' });
    const machine = async (role: string, name: string) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const cert = await certify({
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        ...{ issuer: authority, commonName: name, uri: machineUri({ role, name, id: newUuid() }), days: 1 },
      });
      return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), ca: authority.cert };
    };
    const start = async (name: string) => {
      const texts = JSON.stringify(await machine('loadbalancer', name));
      const child = spawn(process.execPath, [program, name, texts], { stdio: ['ignore', 'pipe', 'inherit'] });
      places.push(child);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      return { child, url: `wss://127.0.0.1:${String(line).trim()}/link` };
    };
    const [first, second] = [await start('first'), await start('second')];
    const documents = new Documents();
    const tls = { ...(await machine('lbhost', 'host-1')), peers: new Peers(log) };
    client = new LinkClient({
      ...{ urls: [first.url, second.url], role: 'loadbalancer', tls, log, documents, facts: () => ({}) },
      silentMs: 2_000,
    });
    client.start();
    await waitFor('the first place', () => documents.name === 'first');
    first.child.kill(fault);
    client.report('node/1', { applied: 1 });
    await waitFor('the second place', () => documents.name === 'second');
    await waitFor('the report', () => client?.waiting === 0);
  },
  60_000,
);

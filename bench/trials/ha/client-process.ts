// The client and the probes of the trial, in a namespace of their own. Writers insert keys through whichever host takes them; a write
// of unknown fate is tried again with its key. Each 10 ms a commit is tried at each host's own address. Every acknowledgement is a
// line: [host, key, sent, answered] with monotonic milliseconds; so is a write of unknown fate, with a fifth word. arguments: the settings' file, the number of writers
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { ClientConnection } from './client-connection.ts';
import { type DataHost, places } from './network.ts';
import type { TrialSettings } from './settings.ts';

const [, , file = '', writers = '4', oneWriter = ''] = process.argv;
const settings = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
toleratesBrokenConnects(process);
const hosts: readonly DataHost[] = ['a', 'b'];
const probeEveryMs = 10;
/** A probe that waits, as one does at a fenced primary, is given up after it. */
const timeoutMs = 1_500;
let current: DataHost = 'a';
let isEnding = false;
process.on('SIGTERM', () => {
  isEnding = true;
});

function tell(line: readonly unknown[]): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** With the epoch of the primary that took it. */
const insert =
  'INSERT INTO ha_write (id, epoch, server) SELECT ?, COALESCE(MAX(epoch), 0), @@server_id FROM db_timeline';

async function writeOn(writer: number): Promise<void> {
  const connections = {
    a: new ClientConnection(places.a, settings.applicationPassword, timeoutMs),
    b: new ClientConnection(places.b, settings.applicationPassword, timeoutMs),
  };
  for (let count = 0; !isEnding; count += 1) {
    const key = `w${writer}-${count}`;
    while (!isEnding) {
      const host = current;
      const sentMs = monotonicMs();
      const outcome = await connections[host].write(insert, [key]);
      if (outcome === 'acknowledged') {
        tell([host, key, sentMs, monotonicMs()]);
        break;
      }
      if (outcome === 'unknown') tell([host, key, sentMs, monotonicMs(), outcome]);
      if (current === host) current = host === 'a' ? 'b' : 'a';
      await sleep(5);
    }
  }
}

async function probe(host: DataHost): Promise<void> {
  const connection = new ClientConnection(places[host], settings.applicationPassword, timeoutMs);
  for (let count = 0; !isEnding; count += 1) {
    const sentMs = monotonicMs();
    const key = `p${host}-${count}`;
    if ((await connection.write(insert, [key])) === 'acknowledged') tell([host, key, sentMs, monotonicMs()]);
    await sleep(Math.max(1, probeEveryMs - (monotonicMs() - sentMs)));
  }
}

await Promise.all([
  ...Array.from({ length: Number(writers) }, (_, writer) => writeOn(writer)),
  ...(oneWriter === '' ? hosts.map(probe) : []),
]);
process.exit(0);

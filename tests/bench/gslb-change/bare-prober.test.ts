// The baseline of the benchmark of changes: a prober that follows endpoints and answers by itself, and the client that queries it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { ProberOptions } from '../../../bench/gslb-change/bare-prober.ts';
import { CommandChild } from '../../../measure/command-child.ts';
import { Endpoint } from '../../../trials/gslb-outage/endpoints.ts';
import { Outside } from '../../../trials/gslb-outage/outside.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const script = fileURLToPath(new URL('../../../bench/gslb-change/bare-prober.ts', import.meta.url));

test('an endpoint that dies is removed from the answers of the bare prober, and returns when it lives again', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await temporaryFolder(), (each) => each.remove());
  const [port, dnsPort] = [await freePort(), await freePort()];
  const [steady, victim] = ['127.95.1.1', '127.95.1.2'].map((address) => new Endpoint(address, port));
  if (steady === undefined || victim === undefined) throw new Error('there are two');
  for (const endpoint of [steady, victim]) {
    await endpoint.start();
    stack.defer(() => endpoint.die());
  }
  const addresses = [steady.address, victim.address];
  const program: ProberOptions = { addresses, port, delayMs: 100, dnsPort };
  const options = { script, file: join(folder.path, 'prober.json'), program };
  const prober = stack.adopt(new CommandChild(options), (each) => each.kill());
  await prober.start();
  const outside = stack.adopt(new Outside({ answerMs: 60_000, found: () => undefined }), (each) => each.close());
  await outside.add({ name: 'bare', port: dnsPort, fqdn: 'shop.gslb.test' });
  const answered = () => outside.last('bare')?.addresses.join();
  await waitFor('both', () => answered() === addresses.join());
  expect(outside.last('bare')?.code).toBe(0);
  await victim.die();
  await waitFor('it to leave the answers', () => answered() === steady.address);
  await victim.start();
  await waitFor('it to come back', () => answered() === addresses.join());
  await waitFor('its own log', () => victim.asked > 0);
}, 600_000);

// Places of nodes without a document are removed, each on its own.
// needs: haproxy
// needs: keepalived
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import {
  Confinement,
  usualFirstUid,
} from '../../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { LbHost } from '../../../../../subgraphs/loadbalancer/agents/lbhost/lb-host.ts';
import { LoopbackProvider } from '../../../../../subgraphs/loadbalancer/agents/lbhost/providers/loopback.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { TestControl } from '../../support/test-control.ts';

const log = pino({ level: 'silent' });
let folder: string;
let control: TestControl;
let host: LbHost | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-orphans-'));
  control = new TestControl(log);
});
afterEach(async () => {
  await host?.stop();
  await control.stop();
  await rm(folder, { recursive: true, force: true });
});

class Places extends LoopbackProvider {
  readonly removed: string[] = [];
  readonly #stuck: string;
  readonly #present = new Set<string>();

  constructor(stuck: string, present: readonly string[]) {
    super();
    this.#stuck = stuck;
    for (const name of present) this.#present.add(name);
  }

  override async remove(name?: string): Promise<void> {
    if (name === this.#stuck) throw new Error(`the namespace of node ${name} was not removed`);
    if (name !== undefined && this.#present.delete(name)) this.removed.push(name);
  }

  override async list(): Promise<readonly string[]> {
    return [...this.#present].sort();
  }
}

test("a place that can't be removed does not keep the others", async () => {
  const authority = await testAuthority();
  await control.start(authority);
  const provider = new Places('nb', ['na', 'nb', 'nc', 'nd']);
  const confinement = await Confinement.open({ folder, programs: ['/usr/sbin/haproxy'], firstUid: usualFirstUid });
  host = await LbHost.open({
    ...{ folder, log, provider, confinement, haproxy: '/usr/sbin/haproxy', keepalived: '/usr/sbin/keepalived' },
    ...{ urls: [`wss://127.0.0.1:${control.port}/link`], tls: await testMachine(authority, 'lbhost', 'host', log) },
    facts: {
      ...{ provider: provider.name, site: null, maxNodes: 10, healthPort: 8_399, tunnelAddress: null },
      ...{ publicRange: '127.92.0.0/24', managementRange: '127.92.0.0/24' },
    },
    addressesOf: () => [],
  });
  host.start();
  await waitFor('the others', () => provider.removed.length === 3);
  expect(provider.removed).toEqual(['na', 'nc', 'nd']);
}, 30_000);

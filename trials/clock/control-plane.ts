// The control plane's database with a stepped clock, a relay with a device, and retention.
// needs: system
import { ownersOf } from '../../compose/owners.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { TrustedClock } from '../../platform/leases/trusted-clock.ts';
import { platformRetention, runRetention } from '../../platform/owed/retention.ts';
import { createLocalWake } from '../../platform/work/wake.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { NftDevice } from '../../tests/subgraphs/relay/support/nft-device.ts';
import { call, RelayNode } from '../../tests/subgraphs/relay/support/relay-system.ts';
import { testPair } from '../../tests/support/product/signing-keys.ts';
import { untilTrue } from '../until.ts';
import { SteppedMariadb } from './stepped-mariadb.ts';

const dayMs = 86_400_000;
const keptTables = ['status_change', 'operation', 'idempotency_key'] as const;
const answerMs = 60_000;

interface Running {
  readonly node: RelayNode;
  readonly clock: TrustedClock;
}

export class ControlPlane {
  readonly #mariadb: SteppedMariadb;
  readonly #device: NftDevice;
  readonly #wake = createLocalWake();
  readonly #rows = new Map<string, number>();
  #running: Running | undefined;

  private constructor(mariadb: SteppedMariadb, device: NftDevice) {
    this.#mariadb = mariadb;
    this.#device = device;
  }

  static async start(folder: string, cleanup: AsyncDisposableStack): Promise<ControlPlane> {
    const mariadb = await SteppedMariadb.start(folder);
    cleanup.defer(() => mariadb.stop());
    await migrate(mariadb.server.application, ownersOf(['system', 'relay', 'worker'], subgraphRows));
    const device = await NftDevice.start();
    cleanup.defer(() => device.ssh.stop());
    const controlPlane = new ControlPlane(mariadb, device);
    cleanup.defer(() => controlPlane.#stop());
    cleanup.defer(() => controlPlane.#wake.close());
    await controlPlane.#start();
    await device.register(controlPlane.#node, 'fw');
    return controlPlane;
  }

  get #node(): RelayNode {
    if (this.#running === undefined) throw new Error('no relay is running');
    return this.#running.node;
  }

  async #start(): Promise<void> {
    const connection = this.#mariadb.server.application;
    const node = await new RelayNode({ connection }, this.#wake, {}).start();
    const clock = new TrustedClock(node);
    await clock.sample();
    clock.start();
    this.#running = { node, clock };
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.clock.stop();
    await running?.node.stop();
  }

  async restart(): Promise<void> {
    await this.#stop();
    await this.#start();
  }

  stepTo(seconds: number): Promise<void> {
    return this.#mariadb.stepTo(seconds, this.#node.db);
  }

  /** Sends the call again with its key until it succeeds. @returns the last answer if it did not succeed in time */
  async call(name: string): Promise<string | undefined> {
    const input = {
      ...{ backend: { name: 'fw' }, idempotencyKey: `key-${name}`, name, action: 'DROP' },
      cmpObject: { type: 'tenant', externalId: name },
    };
    let said = 'no answer';
    const succeeded = await untilTrue(answerMs, async () => {
      const answer = await call(this.#node, 'ruleCreate', input);
      said = JSON.stringify(answer);
      return answer.operation?.state === 'SUCCEEDED';
    });
    return succeeded ? undefined : said;
  }

  /** Used to test the judge: sends a call to the device a second time, and deletes events. */
  async harm(name: string): Promise<void> {
    this.#device.told.push(...this.#device.told.filter((stdin) => stdin.includes(name)));
    await this.#node.db.execute('DELETE FROM status_change ORDER BY seq LIMIT 1000');
  }

  /** Number of calls that arrived more than once. */
  repeated(name: string): number {
    return Math.max(0, this.#device.timesTold(name) - 1);
  }

  /** Runs retention. @returns how many rows of the last time are gone; all of them are recent */
  async lostRows(): Promise<number> {
    const node = this.#node;
    await this.#running?.clock.sample();
    const ages = { eventMs: 30 * dayMs, auditMs: 30 * dayMs };
    await runRetention(platformRetention({ ...node, ...ages, auditKeys: testPair('audit') }));
    let lost = 0;
    for (const table of keptTables) {
      const [row] = await node.db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
      const count = Number(row?.n ?? 0);
      lost += Math.max(0, (this.#rows.get(table) ?? 0) - count);
      this.#rows.set(table, count);
    }
    return lost;
  }
}

// The relay in the trial of restores: calls to a device, tokens and readers of events. The device's own log, the rows and the readers are
// the oracle.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestoreGuard } from '../../platform/restore/restore-guard.ts';
import { RevivedAccess } from '../../platform/restore/revived-access.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { systemAccess } from '../../subgraphs/system/control/access/system-access.ts';
import { NftDevice } from '../../tests/subgraphs/relay/support/nft-device.ts';
import { call, type RelayNode, RelaySystem } from '../../tests/subgraphs/relay/support/relay-system.ts';
import { backUp } from '../../tests/support/stores/backup.ts';
import { untilTrue } from '../until.ts';
import {
  type Found,
  guardOf,
  lift,
  mostMs,
  notice,
  type RestoredPlace,
  revokedMemory,
  type TrialOfRestore,
} from './place.ts';

export class RelayPlace implements RestoredPlace {
  readonly #system: RelaySystem;
  readonly #device: NftDevice;
  readonly #folder: string;
  readonly #guarded: boolean;
  #running:
    | { readonly node: RelayNode; readonly guard: RestoreGuard | undefined; readonly access: RevivedAccess }
    | undefined;

  private constructor(system: RelaySystem, device: NftDevice, folder: string, guarded: boolean) {
    this.#system = system;
    this.#device = device;
    this.#folder = folder;
    this.#guarded = guarded;
  }

  /** `guarded` false: nothing notices a restore; the trial must detect that. */
  static async open(folder: string, guarded: boolean): Promise<RelayPlace> {
    const place = new RelayPlace(await RelaySystem.start(), await NftDevice.start(), folder, guarded);
    await place.#start();
    await place.#device.register(place.#node, 'fw');
    return place;
  }

  async stop(): Promise<void> {
    await this.#stop();
    await this.#device.ssh.stop();
    // It compares events and rows, some of which belong to lost transactions.
    await this.#system.stop().catch(() => undefined);
  }

  async trial({ number, random, most }: TrialOfRestore): Promise<Found> {
    const name = `trial-${number}-rule`;
    const token = newUuid();
    const before = this.#node;
    await addToken(before, token);
    await using cleanup = new AsyncDisposableStack();
    const backup = await backUp(this.#system.database);
    cleanup.defer(() => backup.remove());
    const reader = read(before);
    const changes = random.integer(1, most);
    for (let count = 0; count < changes; count += 1) await before.append({ reason: `change ${count}` });
    const { operation } = await call(before, 'ruleCreate', rule(name));
    if (operation?.state !== 'SUCCEEDED') throw new Error(`the call of trial ${number} is ${operation?.state}`);
    await revoke(before, token);
    // Waits until the file has it.
    await sleep(3_000);
    const cursor = await before.feed.currentCursor();
    const runsOn = random.next() < 0.5;
    if (!runsOn) await this.#stop();
    await backup.restore();
    if (!runsOn) await this.#start();
    const node = this.#node;
    const waitMs = this.#guarded ? mostMs : 3_000;
    const noticed = await notice(node.db, waitMs);
    await untilTrue(
      waitMs,
      async () => (await call(node, 'ruleCreate', rule(name))).userErrors[0]?.code !== 'UNAVAILABLE',
    );
    const revived = !(await untilTrue(waitMs, async () => !(await works(node, token))));
    const silence = sleep(waitMs, undefined, { ref: false });
    const told = runsOn ? await Promise.race([reader, silence]) : await resumed(node, cursor);
    await lift(node.db);
    return {
      ...{ changes, ...noticed, revived: revived ? 1 : 0, eventGaps: told === 'RESYNC_REQUIRED' ? 0 : 1 },
      repeatedCalls: this.#device.timesTold(name) - 1,
    };
  }

  get #node(): RelayNode {
    if (this.#running === undefined) throw new Error('nothing runs');
    return this.#running.node;
  }

  async #start(): Promise<void> {
    const node = await this.#system.node();
    const { db, wake, log } = node;
    const guard = this.#guarded ? await guardOf(node, this.#folder) : undefined;
    const memories = [revokedMemory(this.#folder)];
    const access = new RevivedAccess({ db, wake, log, memories, access: systemAccess });
    await access.start();
    this.#running = { node, guard, access };
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.access.stop();
    await running?.guard?.stop();
    await running?.node.stop();
  }
}

const rule = (name: string) => ({
  ...{ backend: { name: 'fw' }, idempotencyKey: `key-${name}`, name, action: 'DROP' },
  cmpObject: { type: 'tenant', externalId: name },
});

/** The code with which the stream ends. */
async function read({ feed }: RelayNode): Promise<string | undefined> {
  return codeOf(async () => {
    for await (const _ of feed.subscribe({ filter: () => true }));
  });
}

async function resumed({ feed }: RelayNode, after: string): Promise<string | undefined> {
  return codeOf(async () => {
    const stop = AbortSignal.timeout(5_000);
    for await (const _ of feed.subscribe({ after, filter: () => true, signal: stop }));
  });
}

async function codeOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

async function addToken({ db }: RelayNode, id: string): Promise<void> {
  const project = newUuid();
  await db.execute('INSERT INTO project (id, name) VALUES (?, ?)', [project, project]);
  await db.execute(
    "INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by) VALUES (?, ?, 't', 'VIEWER', ?, 'x', ?)",
    [id, project, id, project],
  );
}

async function revoke(node: RelayNode, id: string): Promise<void> {
  await node.db.execute('UPDATE api_token SET revoked_at = NOW(3), version = version + 1 WHERE id = ?', [id]);
  const subject = { subjectType: 'ApiToken', subjectId: id, subjectVersion: 2, from: 'ACTIVE', to: 'REVOKED' };
  await node.append({ ...subject, kind: 'apiToken.revoked' });
}

const works = async ({ db }: RelayNode, id: string) =>
  (await db.query('SELECT 1 FROM api_token WHERE id = ? AND revoked_at IS NULL', [id])).length > 0;

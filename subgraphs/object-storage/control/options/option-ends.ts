// Deletes options that clusters may have used. Containers and objects are created at clusters without the control plane, so it first tells
// all clusters that the ring is ending: they stop writing to it. When every cluster has reported that nothing of it is left, the option is
// deleted. If something still refers to the option, the deletion is called off. Each process with the role object-storage polls; decisions
// are made in the transaction that has locked the federation.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { projectsNamed } from '../../../../platform/edge/projects.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { isOver, type RingEnd } from '../../wire/controller-wire.ts';
import { type OptionState, objectEvents } from '../events.ts';
import { followWish, tellMade } from '../rings/wanted-rings.ts';
import { accountOfKey } from '../stores/account-store.ts';
import { liveClusters } from '../stores/cluster-store.ts';
import { controllersOf } from '../stores/controller-store.ts';
import { putDocument } from '../stores/document-store.ts';
import { type Federation, lockFederation } from '../stores/federation-store.ts';
import {
  deleteOption,
  endingOptions,
  type OptionRow,
  readOptions,
  setOptionEnd,
  tellOptionEnd,
} from '../stores/option-store.ts';
import { insertRing, presentRings } from '../stores/ring-store.ts';
import { tellEnding } from '../stores/wanted-documents.ts';

interface OptionEndsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
}

interface Verdict {
  /** A reference to the option that was found. */
  readonly held: string | undefined;
  /** What the deletion waits for. Empty if nothing. */
  readonly waits: string;
}

const mostMessage = 1_000;

export class OptionEnds {
  readonly #options: OptionEndsOptions;

  constructor(options: OptionEndsOptions) {
    this.#options = options;
  }

  /** Polls each ending option once. Returns how many there are. */
  async advance(): Promise<number> {
    const { db, wake, log } = this.#options;
    const options = await endingOptions(db);
    for (const option of options) {
      const { id, name, endingEpoch } = option;
      if (endingEpoch === null) continue;
      const { held, waits } = await verdictOf(db, option, endingEpoch);
      if (held === undefined && waits !== '') {
        await tellOptionEnd(db, id, endingEpoch, waits.slice(0, mostMessage));
        continue;
      }
      await db.transaction(async (tx) => {
        const federation = await lockFederation(tx);
        const row = (await readOptions(tx, [id])).get(id);
        // Another process was faster, or the deletion was called off.
        if (row === undefined || row.deleted || row.endingEpoch !== endingEpoch) return;
        if (held === undefined) await removeOption(tx, wake, row, federation);
        else await keepOption(tx, wake, row, held.slice(0, mostMessage));
      });
      log.info(
        { option: name, held },
        held === undefined ? 'an option was deleted' : 'the deletion of an option was called off',
      );
    }
    return options.length;
  }
}

/** From now on clusters write nothing to its ring. Call it in the transaction that has locked the federation. */
export async function beginEnd(tx: Transaction, wake: Wake, row: OptionRow): Promise<void> {
  const epoch = await makeEpoch(tx, wake, row.number, true);
  await setOptionEnd(tx, row.id, { epoch, message: 'no cluster has reported yet' });
  await tellState(tx, wake, row, 'ENDING');
}

/** Calls the deletion off. Call it in the transaction that has locked the federation. */
export async function keepOption(tx: Transaction, wake: Wake, row: OptionRow, reason: string | null): Promise<void> {
  await makeEpoch(tx, wake, row.number, false);
  await setOptionEnd(tx, row.id, { message: reason });
  await tellState(tx, wake, row, 'KEPT', reason);
}

/** Call it in the transaction that has locked the federation. */
export async function removeOption(tx: Transaction, wake: Wake, row: OptionRow, federation: Federation): Promise<void> {
  await deleteOption(tx, row.id);
  await tellState(tx, wake, row, 'DELETED');
  await followWish(tx, wake, federation);
  await putDocument(tx, wake, ['ring', row.number], null);
}

/** `reason`: default is the option's name. */
export async function tellState(
  tx: Transaction,
  wake: Wake,
  { id, name, endingEpoch }: OptionRow,
  to: OptionState,
  reason: string | null = name,
): Promise<void> {
  const version = (await readOptions(tx, [id])).get(id)?.version ?? 1;
  const from = to === 'CREATED' ? null : endingEpoch === null ? 'CREATED' : 'ENDING';
  const event = { projectId: null, subjectId: id, subjectVersion: version, reason, from, to } as const;
  await appendStatus(tx, objectEvents, [{ ...event, kind: 'objectOption.state' }], wake);
}

async function makeEpoch(tx: Transaction, wake: Wake, number: number, isEnding: boolean): Promise<number> {
  const epoch = await tellEnding(tx, wake, number, isEnding);
  const ring = (await presentRings(tx, [number])).get(number);
  if (ring !== undefined) await tellMade(tx, wake, await insertRing(tx, number, epoch, ring));
  return epoch;
}

async function verdictOf(db: Database, { number }: OptionRow, epoch: number): Promise<Verdict> {
  const clusters = await liveClusters(db);
  const controllers = await controllersOf(
    db,
    clusters.map(({ id }) => id),
  );
  const waits: string[] = [];
  for (const { id, name, present } of clusters) {
    const told = (controllers.get(id) ?? [])
      .flatMap(({ state }) => state?.ringEnds ?? [])
      .filter((each) => each.ring === number && each.epoch === epoch)
      .toSorted((one, other) => Number(isOver(other)) - Number(isOver(one)) || one.blobs - other.blobs);
    const held = told.find((each) => each.held !== null)?.held;
    if (held != null) return { held: await describe(db, held), waits: '' };
    const [best] = told;
    if (best === undefined)
      waits.push(present ? `${name} has not reported yet` : `${name} is not connected: start it, or remove it`);
    else if (best.message !== null) waits.push(`${name}: ${best.message}`);
    else if (best.blobs > 0) waits.push(`${name} has ${best.blobs} blobs of unfinished uploads or deleted objects`);
  }
  return { held: undefined, waits: waits.join('; ') };
}

async function describe(db: Database, held: NonNullable<RingEnd['held']>): Promise<string> {
  const account = await accountOfKey(db, held.account);
  const [project] = account === undefined ? [] : await projectsNamed(db, { ids: [account.projectId] });
  const container = `${project?.name ?? held.account}/${held.container}`;
  return held.object === null
    ? `the container ${container} uses it: delete the container first`
    : `the object ${container}/${held.object} uses it: delete the object, or write it again with another option`;
}

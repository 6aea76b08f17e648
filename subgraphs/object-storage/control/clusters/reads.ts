// Reads of clusters, options and rings for the graph. Everyone may read options, because containers name them; the rest is for
// administrators.
import type {
  QueryObjectClustersArgs,
  QueryObjectOptionsArgs,
  QueryObjectRingChangesArgs,
  QueryObjectRingsArgs,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { always, type Database } from '../../../../platform/database/database.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { adminCaller, caller } from '../../../../platform/input/authorise.ts';
import { type Page, pageItems, pageRequest } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { ControllerState } from '../../wire/controller-wire.ts';
import { progressOf, type StepProgress } from '../rings/ring-changes.ts';
import { previewRing, type RingPreview } from '../rings/ring-preview.ts';
import { type ClusterRow, clustersByNumber, liveClusters, readClusters } from '../stores/cluster-store.ts';
import { type ControllerRow, controllersOf } from '../stores/controller-store.ts';
import { countAfter } from '../stores/document-store.ts';
import { reachedGenerations } from '../stores/federation-store.ts';
import { liveOptions, type OptionRow, optionsByNumber, readOptions } from '../stores/option-store.ts';
import { liveChanges, type RingChangeRow, readChanges } from '../stores/ring-change-store.ts';
import {
  coreRing,
  countRings,
  pageOfRings,
  presentRings,
  type RingRow,
  readRings,
  ringKey,
  ringsOfEpochs,
} from '../stores/ring-store.ts';
import { takingUsers } from './users-of-clusters.ts';

export interface ShownController extends ControllerRow {
  readonly behindDocuments: number;
}

export type ShownService = ControllerState['services'][number];
export type ShownLink = ControllerState['links'][number];

const controllersByCluster = Symbol('controllers by cluster');
const byId = {
  ObjectCluster: Symbol('clusters by id'),
  ObjectOption: Symbol('options by id'),
  ObjectRing: Symbol('rings by id'),
  ObjectRingChange: Symbol('changes of rings by id'),
};
const clusterByNumber = Symbol('clusters by number');
const ringByNumber = Symbol('rings by number');
const ringByEpoch = Symbol('rings by number and epoch');
const optionByNumber = Symbol('options by number');
const optionByName = Symbol('options by name');
const progressByChange = Symbol('progress of changes of rings');
const changeByNumber = Symbol('live changes of rings by number');

const clusterList: ListTable = {
  ...{ table: 'object_cluster', name: 'live_name', id: 'number', numeric: true },
  all: { time: 'object_cluster_time_idx', name: 'object_cluster_name_idx' },
};
const optionList: ListTable = {
  ...{ table: 'object_option', name: 'live_name', id: 'number', numeric: true },
  all: { time: 'object_option_time_idx', name: 'object_option_name_idx' },
};
const changeList: ListTable = { table: 'object_ring_change', shown: always, all: { time: 'PRIMARY' } };

type ChangedEntity =
  | { readonly objectCluster: ClusterRow }
  | { readonly objectOption: OptionRow }
  | { readonly objectRingChange: RingChangeRow };

function changed<Row>(
  rows: ReadonlyMap<string, Row>,
  entityOf: (row: Row) => ChangedEntity | null,
): ReadonlyMap<string, ChangedEntity> {
  const entries = [...rows].flatMap(([id, row]) => {
    const entity = entityOf(row);
    return entity === null ? [] : [[id, entity] as const];
  });
  return new Map(entries);
}

export class ObjectStorageReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID. */
  async cluster(context: RequestContext, id: string): Promise<ClusterRow | null> {
    if (!isAdmin(context)) return null;
    return alive(await loader(context, byId.ObjectCluster, id, (ids) => readClusters(this.#db, ids)));
  }

  /** Those that are not deleted, by UUID, for a stream. */
  async changedNow(type: string, ids: readonly string[]): Promise<ReadonlyMap<string, ChangedEntity>> {
    if (type === 'ObjectOption')
      return changed(await readOptions(this.#db, ids), (row) => alive(row) && { objectOption: row });
    if (type === 'ObjectRingChange')
      return changed(await readChanges(this.#db, ids), (row) => ({ objectRingChange: row }));
    return changed(await readClusters(this.#db, ids), (row) => alive(row) && { objectCluster: row });
  }

  /** For any caller who has logged in, since users log in at a cluster. Drained clusters are left out. */
  async endpoints(
    context: RequestContext,
  ): Promise<readonly { readonly id: string; readonly name: string; readonly urls: readonly string[] }[]> {
    caller(context);
    const clusters = await takingUsers(this.#db, await liveClusters(this.#db), ['objectserver', 'objectcontroller']);
    return clusters
      .map(({ id, name, s3Urls }) => ({ id: encodeId('ObjectCluster', id), name, urls: s3Urls }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async clusterByGlobalId(context: RequestContext, globalId: string): Promise<ClusterRow | null> {
    const id = decodeUuid('ObjectCluster', globalId);
    return id === undefined ? null : this.cluster(context, id);
  }

  async clusterByNumber(context: RequestContext, number: number): Promise<ClusterRow | null> {
    return (await loader(context, clusterByNumber, number, (all) => clustersByNumber(this.#db, all))) ?? null;
  }

  async optionByGlobalId(context: RequestContext, globalId: string): Promise<OptionRow | null> {
    const id = decodeUuid('ObjectOption', globalId);
    return id === undefined ? null : this.option(context, id);
  }

  /** By UUID. */
  async option(context: RequestContext, id: string): Promise<OptionRow | null> {
    if (context.identity === null || context.identity.kind === 'machine') return null;
    return alive(await loader(context, byId.ObjectOption, id, (ids) => readOptions(this.#db, ids)));
  }

  async ringByGlobalId(context: RequestContext, globalId: string): Promise<RingRow | null> {
    const id = decodeUuid('ObjectRing', globalId);
    if (id === undefined || !isAdmin(context)) return null;
    return (await loader(context, byId.ObjectRing, id, (ids) => readRings(this.#db, ids))) ?? null;
  }

  /** Null for the core ring. */
  async optionByNumber(context: RequestContext, number: number): Promise<OptionRow | null> {
    if (number === coreRing) return null;
    return (await loader(context, optionByNumber, number, () => this.#options(({ number: key }) => key))) ?? null;
  }

  /** Clusters report the name that an option has now. */
  async optionNamed(context: RequestContext, name: string): Promise<OptionRow | null> {
    return (await loader(context, optionByName, name, () => this.#options(({ name: key }) => key))) ?? null;
  }

  /** There are few. */
  async #options<Key>(keyOf: (row: OptionRow) => Key): Promise<ReadonlyMap<Key, OptionRow>> {
    return new Map((await liveOptions(this.#db)).map((row) => [keyOf(row), row]));
  }

  async ringOfEpoch(context: RequestContext, number: number, epoch: number): Promise<RingRow | null> {
    const key = ringKey({ number, epoch });
    return (await loader(context, ringByEpoch, key, (keys) => ringsOfEpochs(this.#db, keys))) ?? null;
  }

  /** The current ring with this number. */
  async ringOf(context: RequestContext, { number }: { readonly number: number }): Promise<RingRow | null> {
    if (!isAdmin(context)) return null;
    return (await loader(context, ringByNumber, number, (all) => presentRings(this.#db, all))) ?? null;
  }

  async clustersOf(context: RequestContext, { clusterIds }: OptionRow): Promise<readonly ClusterRow[] | null> {
    if (!isAdmin(context)) return null;
    const clusters = await Promise.all(clusterIds.map((id) => this.cluster(context, id)));
    return clusters.filter((cluster) => cluster !== null);
  }

  async controllers(context: RequestContext, { id }: ClusterRow): Promise<readonly ShownController[]> {
    return (await loader(context, controllersByCluster, id, (ids) => this.#controllersOf(ids))) ?? [];
  }

  async #controllersOf(clusterIds: readonly string[]): Promise<ReadonlyMap<string, readonly ShownController[]>> {
    const rows = [...(await controllersOf(this.#db, clusterIds)).values()].flat();
    const positions = rows.map(({ state, facts }) => state?.position ?? facts.position);
    const behind = await countAfter(this.#db, await reachedGenerations(this.#db, positions));
    const shown = rows.map((row, at) => ({ ...row, behindDocuments: behind[at] ?? 0 }));
    return Map.groupBy(shown, ({ clusterId }) => clusterId);
  }

  async ringChangeByGlobalId(context: RequestContext, globalId: string): Promise<RingChangeRow | null> {
    const id = decodeUuid('ObjectRingChange', globalId);
    if (id === undefined || !isAdmin(context)) return null;
    return (await loader(context, byId.ObjectRingChange, id, (ids) => readChanges(this.#db, ids))) ?? null;
  }

  async ringChangeProgress(context: RequestContext, { id, step }: RingChangeRow): Promise<readonly StepProgress[]> {
    if (step === undefined) return [];
    const read = async () => progressOf(this.#db, await liveChanges(this.#db));
    return (await loader(context, progressByChange, id, read)) ?? [];
  }

  /** The change of the ring with this number that has not ended. */
  async changeOf(context: RequestContext, number: number): Promise<RingChangeRow | null> {
    const read = async () => new Map((await liveChanges(this.#db)).map((change) => [change.number, change]));
    return (await loader(context, changeByNumber, number, read)) ?? null;
  }

  async ringPreview(context: RequestContext, number: number): Promise<RingPreview | null> {
    adminCaller(context);
    return (await previewRing(this.#db, number)) ?? null;
  }

  /** Without deleted ones. */
  async clusters(context: RequestContext, args: Partial<QueryObjectClustersArgs>): Promise<Page<ClusterRow>> {
    adminCaller(context);
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'OLDEST', projects: 'all' };
    return pageOfList(this.#db, clusterList, filter, async (numbers) =>
      byText(await clustersByNumber(this.#db, numbers.map(Number))),
    );
  }

  /** Without deleted ones. */
  async options(context: RequestContext, args: Partial<QueryObjectOptionsArgs>): Promise<Page<OptionRow>> {
    caller(context);
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'OLDEST', projects: 'all' };
    return pageOfList(this.#db, optionList, filter, async (numbers) =>
      byText(await optionsByNumber(this.#db, numbers.map(Number))),
    );
  }

  async rings(context: RequestContext, args: Partial<QueryObjectRingsArgs>): Promise<Page<RingRow>> {
    adminCaller(context);
    const orderBy = args.orderBy ?? 'OLDEST';
    const { first, take, after } = pageRequest(args, 2);
    const last = after === undefined ? undefined : lastNumber(orderBy, after);
    const rows = await pageOfRings(this.#db, orderBy, last, take);
    const items = pageItems(rows, first, ({ number }) => [orderBy, String(number)]);
    return { ...items, count: () => countRings(this.#db) };
  }

  async ringChanges(context: RequestContext, args: Partial<QueryObjectRingChangesArgs>): Promise<Page<RingChangeRow>> {
    adminCaller(context);
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'NEWEST', projects: 'all' };
    return pageOfList(this.#db, changeList, filter, (ids) => readChanges(this.#db, ids));
  }
}

function isAdmin({ identity }: RequestContext): boolean {
  return identity?.admin === true;
}

function alive<Row extends { readonly deleted: boolean }>(row: Row | undefined): Row | null {
  return row === undefined || row.deleted ? null : row;
}

function byText<Row>(rows: ReadonlyMap<number, Row>): ReadonlyMap<string, Row> {
  return new Map([...rows].map(([number, row]) => [String(number), row]));
}

function lastNumber(orderBy: string, [order, text = '']: readonly string[]): number {
  if (order === orderBy && /^\d{1,5}$/.test(text)) return Number(text);
  throw new CodedError(
    'INVALID_INPUT',
    'after: this is not an endCursor of this connection in this order; omit it for the first page.',
  );
}

// Reads of clusters, options and rings for the graph. Options are everybody's, since containers name them; the rest is administrators'.
import { adminCaller, caller } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { CodedError } from '../../../platform/errors.ts';
import {
  type Page,
  type PageArguments,
  type PageRequest,
  page,
  pageRequest,
} from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import type { ControllerState } from '../wire/controller-wire.ts';
import { type ClusterRow, clustersByNumber, liveClusters, pageOfClusters, readClusters } from './cluster-store.ts';
import { type ControllerRow, controllersOf } from './controller-store.ts';
import { countAfter } from './document-store.ts';
import { type OptionRow, pageOfOptions, readOptions } from './option-store.ts';
import { pageOfChanges, type RingChangeRow, readChanges } from './ring-change-store.ts';
import { progressOf, type StepProgress } from './ring-changes.ts';
import { previewRing, type RingPreview } from './ring-preview.ts';
import { pageOfRings, presentRings, type RingRow, readRings } from './ring-store.ts';
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

  /** By UUID, for a stream: nothing of it is kept for the batch of a request. */
  async changedNow(
    type: string,
    id: string,
  ): Promise<
    | { readonly objectCluster: ClusterRow | null }
    | { readonly objectOption: OptionRow | null }
    | { readonly objectRingChange: RingChangeRow | null }
  > {
    if (type === 'ObjectOption') return { objectOption: alive((await readOptions(this.#db, [id])).get(id)) };
    if (type === 'ObjectRingChange') return { objectRingChange: (await readChanges(this.#db, [id])).get(id) ?? null };
    return { objectCluster: alive((await readClusters(this.#db, [id])).get(id)) };
  }

  /** Anybody's who has logged in: users log in at a cluster. Without those that are drained. */
  async endpoints(
    context: RequestContext,
  ): Promise<readonly { readonly cluster: string; readonly urls: readonly string[] }[]> {
    caller(context);
    const clusters = await takingUsers(this.#db, await liveClusters(this.#db), ['objectserver', 'objectcontroller']);
    return clusters
      .map(({ name, s3Urls }) => ({ cluster: name, urls: s3Urls }))
      .sort((one, other) => (one.cluster < other.cluster ? -1 : 1));
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
    if (id === undefined || context.identity === null || context.identity.kind === 'machine') return null;
    return alive(await loader(context, byId.ObjectOption, id, (ids) => readOptions(this.#db, ids)));
  }

  async ringByGlobalId(context: RequestContext, globalId: string): Promise<RingRow | null> {
    const id = decodeUuid('ObjectRing', globalId);
    if (id === undefined || !isAdmin(context)) return null;
    return (await loader(context, byId.ObjectRing, id, (ids) => readRings(this.#db, ids))) ?? null;
  }

  /** The present ring of an option. */
  async ringOf(context: RequestContext, { number }: OptionRow): Promise<RingRow | null> {
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
    const behind = await countAfter(this.#db, positions);
    const shown = rows.map((row, at) => ({ ...row, behindDocuments: behind[at] ?? 0 }));
    return Map.groupBy(shown, ({ clusterId }) => clusterId);
  }

  async ringChangeByGlobalId(context: RequestContext, globalId: string): Promise<RingChangeRow | null> {
    const id = decodeUuid('ObjectRingChange', globalId);
    if (id === undefined || !isAdmin(context)) return null;
    return (await loader(context, byId.ObjectRingChange, id, (ids) => readChanges(this.#db, ids))) ?? null;
  }

  ringChangeProgress(row: RingChangeRow): Promise<readonly StepProgress[]> {
    return progressOf(this.#db, row);
  }

  async ringPreview(context: RequestContext, number: number): Promise<RingPreview | null> {
    adminCaller(context);
    return (await previewRing(this.#db, number)) ?? null;
  }

  async clusters(context: RequestContext, args: PageArguments): Promise<Page<ClusterRow>> {
    adminCaller(context);
    return byNumber(args, (after, take) => pageOfClusters(this.#db, after, take));
  }

  async options(context: RequestContext, args: PageArguments): Promise<Page<OptionRow>> {
    caller(context);
    return byNumber(args, (after, take) => pageOfOptions(this.#db, after, take));
  }

  async rings(context: RequestContext, args: PageArguments): Promise<Page<RingRow>> {
    adminCaller(context);
    return byNumber(args, (after, take) => pageOfRings(this.#db, after, take));
  }

  async ringChanges(context: RequestContext, args: PageArguments): Promise<Page<RingChangeRow>> {
    adminCaller(context);
    const request = pageRequest(args);
    const rows = await pageOfChanges(this.#db, request.after?.[0], request.take);
    return page(rows, request.first, ({ id }) => [id]);
  }
}

function isAdmin({ identity }: RequestContext): boolean {
  return identity?.admin === true;
}

function alive<Row extends { readonly deleted: boolean }>(row: Row | undefined): Row | null {
  return row === undefined || row.deleted ? null : row;
}

async function byNumber<Row extends { readonly number: number }>(
  args: PageArguments,
  read: (after: number, take: number) => Promise<readonly Row[]>,
): Promise<Page<Row>> {
  const request = pageRequest(args);
  return page(await read(lastNumber(request), request.take), request.first, ({ number }) => [String(number)]);
}

/** Before the first: -1. */
function lastNumber({ after }: PageRequest): number {
  if (after === undefined) return -1;
  const [text = ''] = after;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CodedError(
    'INVALID_INPUT',
    'after: this is not an endCursor of this connection; omit it for the first page.',
  );
}

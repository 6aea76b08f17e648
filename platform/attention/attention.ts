// What needs attention in one domain: each subgraph declares the sorts of things in trouble that it owns, and everything that shows them reads
// this, so that no two places disagree. What a caller may not see is counted and never listed; what can't be read throws and is never 0.
import { Gauge, type Registry } from 'prom-client';
import type { Identity, RequestContext } from '../caller/identity.ts';
import type { Sql } from '../database/database.ts';
import { type HoursOf, readHours } from '../events/uptime/uptime-reads.ts';
import { caller } from '../input/authorise.ts';
import type { Count } from '../pages/connection.ts';
import { encodeId } from '../values/ids.ts';

/** As in schema/shared.graphql. */
type AttentionKind =
  | ('BACKEND_NOT_AVAILABLE' | 'OUTCOME_UNKNOWN' | 'MAPPING_DRIFTED')
  | ('LOAD_BALANCER_NOT_UP' | 'LOAD_BALANCER_HOST_ABSENT' | 'CERTIFICATE_EXPIRES')
  | ('NAME_NOT_UP' | 'NAME_WITHOUT_VERDICT' | 'CHECKER_ABSENT' | 'NAME_SERVER_ABSENT')
  | ('CLUSTER_ABSENT' | 'SERVICE_NOT_READY')
  | ('DATABASE_ONE_COPY' | 'DATA_HOST_SILENT' | 'PROMOTION_PAUSED')
  | 'ALERT_FIRING';

interface NeedingSubject {
  /** UUID; null: it has no id of its own. */
  readonly id: string | null;
  readonly name: string;
  readonly severity: 'WARNING' | 'CRITICAL';
  readonly status: string;
  readonly reason: string | null;
  /** Null: not known. Undefined: since its newest event of `eventKind`. */
  readonly since?: Date | null | undefined;
  /** Of what ends at a given time, such as a certificate. */
  readonly endsAt?: Date | null | undefined;
}

interface Found {
  /** At most `mostNeeds` are used. */
  readonly nodes: readonly NeedingSubject[];
  readonly count: Count;
}

export interface AttentionSort {
  readonly kind: AttentionKind;
  /** In the graph. */
  readonly subjectType: string;
  /** Of the status event that says since when. */
  readonly eventKind?: string;
  /** Only administrators see them: others get their number. */
  readonly ofInstallation?: true;
  /** What the caller may see. */
  read(context: RequestContext): Promise<Found>;
  /** Further ones that only administrators see. */
  hidden?(): Promise<number | null>;
}

/** Whose last 24 hours are shown. */
interface AttentionHours extends Omit<HoursOf, 'rows' | 'values'> {
  readonly ofInstallation?: true;
  /** SQL as in HoursOf, without a condition for projects. */
  readonly rows: string;
  /** Has the project's UUID. Absent: it is the installation's. */
  readonly projectColumn?: string;
}

interface AttentionNeed extends Omit<NeedingSubject, 'id' | 'name' | 'since' | 'endsAt'> {
  readonly kind: AttentionKind;
  readonly subjectType: string;
  readonly subjectId: string | null;
  readonly subjectName: string;
  readonly since: Date | null;
  readonly endsAt: Date | null;
}

interface KindCount {
  readonly kind: AttentionKind;
  /** Null: more than 10,000. */
  readonly count: number | null;
}

interface PartOptions {
  readonly db: Sql;
  /** The field of the graph's type Attention. */
  readonly name: string;
  readonly sorts: readonly AttentionSort[];
  /** Undefined: its things are neither up nor down. */
  readonly hours?: readonly AttentionHours[] | undefined;
}

/** Of each sort, and of a part. */
const mostNeeds = 20;
/** The id of the one Attention. */
export const attentionKey = 'now';

const metricsIdentity: Identity = {
  ...{ kind: 'service', id: 'metrics', name: 'metrics', admin: true, projects: {}, credentialId: '' },
};

interface ReadOnce {
  readonly nodes: Found['nodes'];
  readonly total: ReturnType<Count>;
}

export class AttentionPart {
  readonly #options: PartOptions;
  /** What was read for a request, whatever it asks of it. */
  readonly #read = new WeakMap<RequestContext, Map<AttentionSort, Promise<ReadOnce>>>();

  constructor(options: PartOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Critical before warning, each the longest first. */
  async needs(context: RequestContext): Promise<readonly AttentionNeed[]> {
    const all = await Promise.all(this.#shown(context).map((sort) => this.#needsOf(sort, context)));
    const sinceMs = ({ since }: AttentionNeed) => since?.getTime() ?? Number.POSITIVE_INFINITY;
    const rank = ({ severity }: AttentionNeed) => (severity === 'CRITICAL' ? 0 : 1);
    return all
      .flat()
      .toSorted((one, other) => rank(one) - rank(other) || compare(sinceMs(one), sinceMs(other)))
      .slice(0, mostNeeds);
  }

  /** By kind, without those of which there are none. */
  async counts(context: RequestContext): Promise<readonly KindCount[]> {
    return (await this.#countAll(context)).filter(({ count }) => count !== 0);
  }

  /** Of the whole installation by kind, also those of which there are none. */
  everything(): Promise<readonly KindCount[]> {
    return this.#countAll(contextOf(metricsIdentity));
  }

  async #countAll(context: RequestContext): Promise<readonly KindCount[]> {
    const found = this.#shown(context).map(async (sort) => {
      const { total } = await this.#once(sort, context);
      return { kind: sort.kind, count: await total };
    });
    return Promise.all(found);
  }

  #once(sort: AttentionSort, context: RequestContext): Promise<ReadOnce> {
    const ofRequest = this.#read.get(context) ?? new Map<AttentionSort, Promise<ReadOnce>>();
    this.#read.set(context, ofRequest);
    const known = ofRequest.get(sort);
    if (known !== undefined) return known;
    const read = sort.read(context).then(({ nodes, count }): ReadOnce => {
      let total: ReturnType<Count> | undefined;
      return {
        nodes,
        get total() {
          total ??= count();
          return total;
        },
      };
    });
    ofRequest.set(sort, read);
    return read;
  }

  /** Null: more than 10,000. */
  async totalCount(context: RequestContext): Promise<number | null> {
    const counts = await this.counts(context);
    return counts.some(({ count }) => count === null) ? null : counts.reduce((sum, { count }) => sum + (count ?? 0), 0);
  }

  async notShown(context: RequestContext): Promise<readonly KindCount[]> {
    const identity = caller(context);
    if (identity.admin) return [];
    const asAdmin = contextOf({ ...identity, admin: true });
    const found = this.#options.sorts.flatMap(({ kind, ofInstallation, read, hidden }) => [
      ...(ofInstallation === true ? [read(asAdmin).then(async ({ count }) => ({ kind, count: await count() }))] : []),
      ...(hidden === undefined ? [] : [hidden().then((count) => ({ kind, count }))]),
    ]);
    return (await Promise.all(found)).filter(({ count }) => count !== 0);
  }

  /** The last 24, of what the caller may see. Null if its things are neither up nor down. */
  async hours(context: RequestContext): Promise<Awaited<ReturnType<typeof readHours>> | null> {
    const { db, hours } = this.#options;
    const { admin, projects } = caller(context);
    const seen = hours?.filter(({ ofInstallation }) => admin || ofInstallation !== true) ?? [];
    if (seen.length === 0) return null;
    const among = Object.keys(projects);
    return readHours(
      db,
      seen.map(({ projectColumn, rows, ...sort }) => {
        if (admin || projectColumn === undefined) return { ...sort, rows, values: [] };
        if (among.length === 0) return { ...sort, rows: `${rows} AND FALSE`, values: [] };
        return { ...sort, rows: `${rows} AND ${projectColumn} IN (${among.map(() => '?').join(', ')})`, values: among };
      }),
    );
  }

  #shown({ identity }: RequestContext): readonly AttentionSort[] {
    return this.#options.sorts.filter(({ ofInstallation }) => identity?.admin === true || ofInstallation !== true);
  }

  async #needsOf(sort: AttentionSort, context: RequestContext) {
    const { kind, subjectType, eventKind } = sort;
    const { nodes } = await this.#once(sort, context);
    const some = nodes.slice(0, mostNeeds);
    const wanted = some.flatMap(({ id, since }) => (since === undefined && id !== null ? [id] : []));
    const since = eventKind === undefined ? undefined : await this.#newestEvents(subjectType, eventKind, wanted);
    return some.map(
      ({ id, name, since: known, endsAt, ...rest }): AttentionNeed => ({
        ...{ ...rest, kind, subjectType, subjectName: name, subjectId: id === null ? null : encodeId(subjectType, id) },
        ...{ since: known ?? since?.get(id ?? '') ?? null, endsAt: endsAt ?? null },
      }),
    );
  }

  async #newestEvents(type: string, kind: string, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    if (ids.length === 0) return new Map();
    const own = `(SELECT subject_id AS id, at FROM status_change FORCE INDEX (status_change_subject_seq_idx)
      WHERE subject_type = ? AND subject_id = ? AND seq IS NOT NULL AND kind = ? ORDER BY seq DESC LIMIT 1)`;
    const rows = await this.#options.db.query<{ id: string; at: Date }>(
      ids.map(() => own).join(' UNION ALL '),
      ids.flatMap((id) => [type, id, kind]),
    );
    return new Map(rows.map(({ id, at }) => [id, at]));
  }
}

function compare(one: number, other: number): number {
  return one < other ? -1 : Number(one > other);
}

function contextOf(identity: Identity): RequestContext {
  return { identity, requestId: 'attention', loaders: new Map() };
}

/** Resolvers of the types that all parts share, and of the field that a subgraph adds to Attention. */
export function attentionResolvers(...parts: readonly AttentionPart[]) {
  const fields = parts.map((each) => [
    each.name,
    (_: unknown, _args: unknown, context: RequestContext) => {
      caller(context);
      return each;
    },
  ]);
  return {
    Attention: {
      __resolveReference: ({ id }: { readonly id: string }) => ({ id }),
      ...(Object.fromEntries(fields) as object),
    },
    AttentionPart: {
      totalCount: (each: AttentionPart, _: unknown, context: RequestContext) => each.totalCount(context),
      counts: (each: AttentionPart, _: unknown, context: RequestContext) => each.counts(context),
      needs: (each: AttentionPart, _: unknown, context: RequestContext) => each.needs(context),
      notShown: (each: AttentionPart, _: unknown, context: RequestContext) => each.notShown(context),
      hours: (each: AttentionPart, _: unknown, context: RequestContext) => each.hours(context),
    },
  };
}

const measured = new WeakMap<Registry, AttentionPart[]>();

/** Adds the part to the process's gauge. Every process of the role reports the same. `registry`: undefined in a process that measures nothing. */
export function measureAttention(registry: Registry | undefined, part: AttentionPart): void {
  if (registry === undefined) return;
  const known = measured.get(registry);
  if (known !== undefined) {
    known.push(part);
    return;
  }
  const parts = [part];
  measured.set(registry, parts);
  new Gauge({
    name: 'tidegate_attention',
    help: 'Things of the installation that need attention; 10001 stands for more than 10,000. Missing: it could not be read',
    labelNames: ['part', 'kind'],
    registers: [registry],
    async collect() {
      const read = async (each: AttentionPart) => ({ name: each.name, all: await each.everything() });
      const found = await Promise.allSettled(parts.map(read));
      this.reset();
      for (const each of found)
        if (each.status === 'fulfilled')
          for (const { kind, count } of each.value.all) this.set({ part: each.value.name, kind }, count ?? 10_001);
    },
  });
}

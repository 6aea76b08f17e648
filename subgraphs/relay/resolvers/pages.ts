// The relay's connections: what a page's arguments ask of the stores, and pages made of rows.
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import type { Identity } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { projectsFor } from '../access.ts';
import { type BackendRow, listBackends } from '../backends/backend-store.ts';
import { type CmpObjectInput, cmpReferenceOf } from '../calls/call-request.ts';
import { listOperations, type OperationFilter } from '../journal/operation-store.ts';
import {
  listMappings,
  type MappingFilter,
  type MappingRow,
  type MappingState,
  type VerifyResult,
} from '../mappings/mapping-store.ts';
import type { OperationRow } from '../model/operation.ts';
import type { OperationState } from '../model/states.ts';

export interface ListArguments<State> extends PageArguments {
  readonly projectId?: string | null;
  readonly backendId?: string | null;
  readonly states?: readonly State[] | null;
}

export interface MappingArguments extends ListArguments<MappingState> {
  readonly cmpObject?: CmpObjectInput | null;
  readonly resource?: string | null;
  readonly scope?: string | null;
  readonly key?: string | null;
  readonly verification?: readonly VerifyResult[] | null;
  readonly updatedFrom?: Date | null;
  readonly updatedBefore?: Date | null;
}

export interface BackendArguments extends PageArguments {
  readonly projectId?: string | null;
  readonly family?: string | null;
  readonly site?: string | null;
  readonly label?: { readonly name: string; readonly value: string } | null;
  readonly operatingStatus?: string | null;
}

type Narrow = Pick<OperationFilter, 'backendId' | 'cmp'>;

export class Pages {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async backends(identity: Identity | null, args: BackendArguments): Promise<Page<BackendRow>> {
    const { first, take, after } = pageRequest(args, 2);
    const rows = await listBackends(this.#db, {
      projects: projectsFor(identity, args.projectId),
      family: args.family ?? undefined,
      site: args.site ?? undefined,
      label: args.label ?? undefined,
      operatingStatus: args.operatingStatus ?? undefined,
      after: after === undefined ? undefined : [after[0] ?? '', after[1] ?? ''],
      take,
    });
    return page(rows, first, (row) => [row.name, row.id]);
  }

  async operations(
    identity: Identity | null,
    args: ListArguments<OperationState>,
    narrow: Narrow = {},
  ): Promise<Page<OperationRow>> {
    const { first, filter } = this.#filter<OperationState>(identity, args, narrow);
    const rows = filter === undefined ? [] : await listOperations(this.#db, filter as OperationFilter);
    return page(rows, first, (row) => [row.id]);
  }

  async mappings(identity: Identity | null, args: MappingArguments, narrow: Narrow = {}): Promise<Page<MappingRow>> {
    const cmp = cmpReferenceOf(args.cmpObject);
    const narrower = cmp === null ? narrow : { ...narrow, cmp };
    const { first, filter } = this.#filter<MappingState>(identity, args, narrower);
    const own = {
      ...(args.resource == null ? {} : { resource: args.resource }),
      ...(args.scope == null ? {} : { scope: args.scope }),
      ...(args.key == null ? {} : { objectKey: args.key }),
      ...(args.verification == null ? {} : { verification: args.verification }),
      ...(args.updatedFrom == null ? {} : { updatedFrom: args.updatedFrom }),
      ...(args.updatedBefore == null ? {} : { updatedBefore: args.updatedBefore }),
    };
    const rows = filter === undefined ? [] : await listMappings(this.#db, { ...(filter as MappingFilter), ...own });
    return page(rows, first, (row) => [row.id]);
  }

  /** `filter` undefined: nothing can match. */
  #filter<State>(identity: Identity | null, args: ListArguments<State>, narrow: Narrow) {
    const { first, take, after } = pageRequest(args);
    const backendId = args.backendId == null ? narrow.backendId : decodeUuid('Backend', args.backendId);
    if (args.backendId != null && backendId === undefined) return { first, filter: undefined };
    const filter = {
      ...narrow,
      projects: projectsFor(identity, args.projectId),
      before: after?.[0],
      take,
      ...(backendId === undefined ? {} : { backendId }),
      ...(args.states == null ? {} : { states: args.states }),
    };
    return { first, filter };
  }
}

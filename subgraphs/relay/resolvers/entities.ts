// The one way from an id to something of the relay: batched, and only what the caller may see. Queries, payloads, entity
// references and feeds all come through here, so that none can forget to ask.
import type { Database } from '../../../platform/database/database.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { maySee } from '../access.ts';
import {
  type BackendRow,
  type CredentialRow,
  credentialsOf,
  type LabelRow,
  labelsOf,
  readBackends,
} from '../backends/backend-store.ts';
import { type EvidenceRow, evidenceOf } from '../journal/evidence-store.ts';
import { type QueueFigures, queueFigures, readOperations } from '../journal/operation-store.ts';
import { type MappingRow, mappingsOfOperations, readMappings } from '../mappings/mapping-store.ts';
import type { OperationRow } from '../model/operation.ts';

const backends = Symbol('backends by id');
const labels = Symbol('labels by backend');
const credentials = Symbol('credential fields by backend');
const queues = Symbol('queues by backend');
const operations = Symbol('operations by id');
const evidence = Symbol('evidence by operation');
const operationMappings = Symbol('mappings by operation');
const mappings = Symbol('mappings by id');

/** Keys are UUIDs, unless they are said to be global ids. Undefined: no such thing, or none the caller may see. */
export class Entities {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async backend(context: RequestContext, id: string): Promise<BackendRow | undefined> {
    return visible(context, await loader(context, backends, id, (ids) => readBackends(this.#db, ids)));
  }

  async operation(context: RequestContext, id: string): Promise<OperationRow | undefined> {
    return visible(context, await loader(context, operations, id, (ids) => readOperations(this.#db, ids)));
  }

  async mapping(context: RequestContext, id: string): Promise<MappingRow | undefined> {
    return visible(context, await loader(context, mappings, id, (ids) => readMappings(this.#db, ids)));
  }

  /** By global id. */
  async byGlobalId(
    context: RequestContext,
    type: 'Backend' | 'Operation' | 'Mapping',
    globalId: string,
  ): Promise<BackendRow | OperationRow | MappingRow | undefined> {
    const id = decodeUuid(type, globalId);
    if (id === undefined) return undefined;
    if (type === 'Backend') return this.backend(context, id);
    return type === 'Operation' ? this.operation(context, id) : this.mapping(context, id);
  }

  async labels(context: RequestContext, backendId: string): Promise<readonly LabelRow[]> {
    return (await loader(context, labels, backendId, (ids) => labelsOf(this.#db, ids))) ?? [];
  }

  async credentialFields(context: RequestContext, backendId: string): Promise<readonly string[]> {
    const rows = await loader<string, CredentialRow[]>(context, credentials, backendId, (ids) =>
      credentialsOf(this.#db, ids),
    );
    return (rows ?? []).map((row) => row.field);
  }

  async queue(context: RequestContext, backendId: string): Promise<QueueFigures> {
    const figures = await loader(context, queues, backendId, (ids) => queueFigures(this.#db, ids));
    return figures ?? { waiting: 0, inFlight: 0 };
  }

  async evidence(context: RequestContext, operationId: string): Promise<readonly EvidenceRow[]> {
    return (await loader(context, evidence, operationId, (ids) => evidenceOf(this.#db, ids))) ?? [];
  }

  async mappingsOf(context: RequestContext, operationId: string): Promise<readonly MappingRow[]> {
    const rows = await loader(context, operationMappings, operationId, (ids) => mappingsOfOperations(this.#db, ids));
    return (rows ?? []).filter((row) => maySee(context.identity, row.projectId));
  }
}

function visible<Row extends { readonly projectId: string }>(
  context: RequestContext,
  row: Row | undefined,
): Row | undefined {
  return row !== undefined && maySee(context.identity, row.projectId) ? row : undefined;
}

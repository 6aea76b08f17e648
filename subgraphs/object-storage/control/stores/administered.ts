// What the mutations of clusters and options share: only administrators may call them, and they find and lock their row in the same way.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, LookFirst, MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale } from '../../../../platform/input/refusals.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';

export type ServiceDependencies = Pick<SubgraphContext, 'db' | 'wake' | 'mutations'>;

interface NamedInput {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}

interface AdministeredRow {
  readonly name: string;
  readonly version: number;
  readonly settingsVersion?: number;
  readonly deleted: boolean;
}

interface AdministeredKind<Row> {
  /** Name of the type in the graph. */
  readonly type: 'ObjectCluster' | 'ObjectOption';
  /** By UUID, including deleted ones. */
  read(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
}

export class Administered<Row extends AdministeredRow> {
  readonly #dependencies: ServiceDependencies;
  readonly #kind: AdministeredKind<Row>;

  constructor(dependencies: ServiceDependencies, kind: AdministeredKind<Row>) {
    this.#dependencies = dependencies;
    this.#kind = kind;
  }

  /** `name`: name of the mutation. */
  run(
    name: string,
    context: RequestContext,
    input: object,
    prepare: (attempt: Attempt) => Promise<Effect | LookFirst> | Effect,
  ): Promise<MutationOutcome<Row>> {
    const { db, mutations } = this.#dependencies;
    const { type, read } = this.#kind;
    return mutations.run({
      ...{ name, context, input, subject: type },
      prepare: (attempt) => {
        requireAdmin(caller(context));
        return prepare(attempt);
      },
      read: async (id) => (await read(db, [id])).get(id),
    });
  }

  /** Finds deleted ones too: a repeated request is prepared again, and must get its first answer. `field`: of the input. */
  async find(check: InputCheck, { id }: NamedInput, field = 'id'): Promise<Row> {
    const { type, read } = this.#kind;
    const uuid = check.id(field, id, type);
    const row = uuid === undefined ? undefined : (await read(this.#dependencies.db, [uuid])).get(uuid);
    if (uuid !== undefined && row === undefined) check.fault(field, unknownId(type, id), 'NOT_FOUND');
    check.throwIfAny();
    return row as Row;
  }

  /** Call it in the transaction that has locked the federation. Refuses NOT_FOUND if it is deleted, STALE_VERSION if its settings changed since. */
  async present(tx: Transaction, { id, expectedVersion }: NamedInput): Promise<Row> {
    const row = await this.#fresh(tx, id);
    if (row === undefined || row.deleted)
      refuse('NOT_FOUND', unknownId(this.#kind.type, id), { field: ['input', 'id'] });
    refuseStale(expectedVersion, row);
    return row;
  }

  async #fresh(tx: Transaction, id: string): Promise<Row | undefined> {
    const uuid = new InputCheck().id('id', id, this.#kind.type) ?? '';
    return (await this.#kind.read(tx, [uuid])).get(uuid);
  }
}

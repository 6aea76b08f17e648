// What the mutations of clusters and of options have in common: only administrators may, and what they name is found and locked alike.
import { caller, requireAdmin } from '../../../platform/authorise.ts';
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse, unknownId } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { Attempt, Effect, LookFirst, MutationOutcome } from '../../../platform/mutation.ts';
import { refuseStale } from '../../../platform/refusals.ts';
import type { SubgraphGround } from '../../../platform/subgraph-row.ts';

export type ServiceGround = Pick<SubgraphGround, 'db' | 'wake' | 'mutations'>;

export interface NamedInput {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}

interface AdministeredRow {
  readonly name: string;
  readonly version: number;
  readonly deleted: boolean;
}

export interface AdministeredKind<Row> {
  /** In the graph. */
  readonly type: 'ObjectCluster' | 'ObjectOption';
  /** By UUID, deleted ones too. */
  read(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
}

export class Administered<Row extends AdministeredRow> {
  readonly #ground: ServiceGround;
  readonly #kind: AdministeredKind<Row>;

  constructor(ground: ServiceGround, kind: AdministeredKind<Row>) {
    this.#ground = ground;
    this.#kind = kind;
  }

  /** `name`: of the mutation. */
  run(
    name: string,
    context: RequestContext,
    input: object,
    prepare: (attempt: Attempt) => Promise<Effect | LookFirst> | Effect,
  ): Promise<MutationOutcome<Row>> {
    const { db, mutations } = this.#ground;
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

  /** Also a deleted one: a repeated request is prepared again, and must get its first answer. */
  async find(check: InputCheck, { id }: NamedInput): Promise<Row> {
    const { type, read } = this.#kind;
    const uuid = check.id('id', id, type);
    const row = uuid === undefined ? undefined : (await read(this.#ground.db, [uuid])).get(uuid);
    if (uuid !== undefined && row === undefined) check.fault('id', unknownId(type, id), 'NOT_FOUND');
    check.throwIfAny();
    return row as Row;
  }

  /** In the transaction that has locked the federation. Refuses NOT_FOUND a deleted one, STALE_VERSION another version. */
  async present(tx: Transaction, { id, expectedVersion }: NamedInput): Promise<Row> {
    const row = await this.#fresh(tx, id);
    if (row === undefined || row.deleted)
      refuse('NOT_FOUND', unknownId(this.#kind.type, id), { field: ['input', 'id'] });
    refuseStale(expectedVersion, row.version);
    return row;
  }

  async #fresh(tx: Transaction, id: string): Promise<Row | undefined> {
    const uuid = new InputCheck().id('id', id, this.#kind.type) ?? '';
    return (await this.#kind.read(tx, [uuid])).get(uuid);
  }
}

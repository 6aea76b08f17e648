// Each subgraph describes its root fields, entities and mutations as rows. The suites in isolation.ts and bad-input.ts
// check every row.
import { afterAll, beforeAll } from '@jest/globals';
import {
  buildASTSchema,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  parse,
} from 'graphql';
import type { Identity } from '../../../platform/caller/identity.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { StatusFeed } from '../../../platform/events/feed.ts';
import { readSubgraphSdl } from '../../../platform/graph/sdl.ts';
import { cellValue, type Names, rowsOf } from '../../support/jest/text-rows.ts';

export type Input = Readonly<Record<string, unknown>>;

export interface World {
  readonly schema: GraphQLSchema;
  readonly db: Database;
  /**
   * IDs of the owner's objects, and other values that rows need. IDs are hidden from strangers, except those named
   * `their…`.
   */
  readonly names: Names;
  readonly owner: Identity;
  readonly admin: Identity;
  /** Operators of another project, and other callers who may not see the owner's objects. */
  readonly strangers: Readonly<Record<string, Identity>>;
  readonly feed: Pick<StatusFeed, 'currentCursor'>;
  run(
    who: Identity | null,
    text: string,
    variables?: Input,
  ): Promise<{ readonly data: unknown; readonly errors?: readonly Told[] | undefined }>;
  /** State outside the database that a refused request must not change. */
  outside?(): unknown;
  stop(): Promise<void>;
}

export interface Told {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A faulty input, made from the description of a field. */
export interface FieldFault {
  readonly what: string;
  readonly change: Input;
  /** Code and path. */
  readonly fault: string;
}

export interface Contract {
  readonly subgraph: string;
  open(): Promise<World>;
  /** Names of callers in the world, at least `a stranger`. */
  readonly strangers: readonly string[];
  /** Root fields and mutations that only administrators may use. */
  readonly administered: RegExp;
  /** `field | document | text in the owner's answer (default: secret; - for nothing) | code for others` */
  readonly queries: string;
  /** `type | id | selection | text in the owner's answer` */
  readonly entities: string;
  /** `mutation | valid input` */
  readonly mutations: string;
  /**
   * `mutation | name | change of the valid input | faults` with paths below `input`. A `…` at the end allows more
   * faults.
   */
  readonly refused: string;
  /** `mutation | change | other change`: two inputs with the same key. */
  readonly keyed?: string;
  readonly fieldFaults?: (mutation: string) => readonly FieldFault[];
  /** IDs that other projects' callers may give, as `mutation field`. Tidegate knows nothing about these. */
  readonly freeIds?: readonly string[];
  /** Mutations whose input is tested elsewhere, because they report few faults or need more than a database. */
  readonly inputElsewhere?: RegExp;
  /** Mutations that are refused as a whole, not in `userErrors`. */
  readonly refusedWhole?: RegExp;
  /** Fields that anybody may call. */
  readonly openToAll?: RegExp;
  readonly streams: Readonly<Record<string, Stream>>;
  /**
   * Error codes for callers without a login. `changes`: for refused mutations. `reads`: the only code for all queries.
   */
  readonly nobody: { readonly changes: string; readonly reads?: string };
  /** The file that tests viewers, for a subgraph where viewers must be users of the database. */
  readonly viewersElsewhere?: string;
  /** Text that only the owner may read. Default: the word secret. */
  readonly secret?: RegExp;
  /** Types whose objects everybody may see. */
  readonly openTypes?: readonly string[];
  /** Text that no message may contain. */
  readonly neverTold?: RegExp;
}

interface Stream {
  readonly selection: string;
  /**
   * Makes an event of the owner's with `secret` in it, and then one of the stranger's (`theirs`). Without it, the
   * stream must be refused.
   */
  readonly events?: (world: World, stream: string) => Promise<void>;
  /** Text in the stranger's event. Default: own-. */
  readonly theirs?: RegExp;
  readonly elsewhere?: string;
}

type Sent = Awaited<ReturnType<ContractRun['send']>>;

export type { Sent };

/** The subgraph of a contract, opened for all tests of a file. */
export class ContractRun {
  readonly schema: GraphQLSchema;
  readonly #inputs: ReadonlyMap<string, string>;
  #world: World | undefined;
  #tables = '';

  constructor(of: Contract) {
    this.schema = buildASTSchema(parse(readSubgraphSdl(of.subgraph)), { assumeValid: true, assumeValidSDL: true });
    this.#inputs = new Map(rowsOf(of.mutations).map(([name = '', input = '{}']) => [name, input]));
    beforeAll(async () => {
      this.#world = await of.open();
      const found = await this.#world.db.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()
        AND table_name NOT IN ('audit_entry', 'audit_chain', 'lease', 'status_sequencer', 'status_change')`,
      );
      this.#tables = found.map(({ name }) => `\`${name}\``).join();
    });
    afterAll(() => this.#world?.stop());
  }

  get world(): World {
    if (this.#world === undefined) throw new Error('it is not open');
    return this.#world;
  }

  get mutations(): readonly string[] {
    return [...this.#inputs.keys()];
  }

  inputText(mutation: string): string {
    return this.#inputs.get(mutation) ?? '{}';
  }

  input(mutation: string, names = this.world.names): Input {
    return cellValue(this.inputText(mutation), names) as Input;
  }

  async state(without: readonly string[] = []): Promise<unknown> {
    const sums = await this.world.db.query<{ Table: string; Checksum: unknown }>(`CHECKSUM TABLE ${this.#tables}`);
    const shown = sums.filter(({ Table }) => !without.includes(Table.slice(Table.indexOf('.') + 1)));
    const events =
      'SELECT COUNT(*) AS count, BIT_XOR(CRC32(CONCAT_WS(0, event_id, to_status, at))) AS sum FROM status_change';
    return [shown, await this.world.db.query(events), this.world.outside?.()];
  }

  inputFields(mutation: string): Readonly<Record<string, { readonly type: unknown }>> {
    const type = this.schema
      .getMutationType()
      ?.getFields()
      [mutation]?.args.find(({ name }) => name === 'input')?.type;
    return type === undefined ? {} : (getNamedType(type) as GraphQLInputObjectType).getFields();
  }

  /** `content`: the payload without its errors. */
  async send(who: Identity | null, mutation: string, input: Input) {
    const field = this.schema.getMutationType()?.getFields()[mutation];
    const payload = getNamedType(field?.type) as GraphQLObjectType;
    const shown = Object.values(payload.getFields())
      .filter(({ name }) => !['userErrors', 'clientMutationId'].includes(name))
      .map(({ name, type }) => `${name} ${shownOf(getNamedType(type))}`);
    const type = field?.args.find(({ name }) => name === 'input')?.type;
    const [head, args] = type === undefined ? ['', ''] : [`($input: ${type})`, '(input: $input)'];
    const text = `mutation ${head} { payload: ${mutation}${args} { ${shown.join(' ')} userErrors { code message field retry } } }`;
    const { data, errors = [] } = await this.world.run(who, text, type === undefined ? {} : { input });
    const { userErrors = [], ...content }: Payload = (data as { payload?: Payload } | null)?.payload ?? {};
    const faults = [
      ...errors.map(({ extensions }) => `${extensions?.code} `),
      ...userErrors.map(({ code, field: path }) => `${code} ${path.join('.')}`),
    ];
    return { faults, userErrors, content, errors };
  }
}

interface Payload {
  readonly [field: string]: unknown;
  readonly userErrors?: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: readonly string[];
  }[];
}

function shownOf(type: GraphQLNamedType): string {
  if (!isObjectType(type)) return '';
  return 'id' in type.getFields() ? '{ id }' : '{ __typename }';
}

// What every subgraph keeps at all its root fields, entities and mutations, as rows that it gives. isolation.ts and bad-input.ts have the suites.
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
  /** Of the owner's objects, and whatever else rows need. Ids are hidden from strangers, but for those of `their…`. */
  readonly names: Names;
  readonly owner: Identity;
  readonly admin: Identity;
  /** Operators of another project, and others who may see nothing of the owner's. */
  readonly strangers: Readonly<Record<string, Identity>>;
  readonly feed: Pick<StatusFeed, 'currentCursor'>;
  run(
    who: Identity | null,
    text: string,
    variables?: Input,
  ): Promise<{ readonly data: unknown; readonly errors?: readonly Told[] | undefined }>;
  /** Beside the database, what a refused request leaves as it was. */
  outside?(): unknown;
  stop(): Promise<void>;
}

export interface Told {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Input with a fault that is made from the description of a field. */
export interface FieldFault {
  readonly what: string;
  readonly change: Input;
  /** CODE and path. */
  readonly fault: string;
}

export interface Contract {
  readonly subgraph: string;
  open(): Promise<World>;
  /** Who they are in the world, at least `a stranger`. */
  readonly strangers: readonly string[];
  /** Root fields and mutations that only administrators may use. */
  readonly administered: RegExp;
  /** `field | document | what the owner's answer has (default: secret; - for nothing) | code for others` */
  readonly queries: string;
  /** `type | id | selection | what the owner's answer has` */
  readonly entities: string;
  /** `mutation | valid input` */
  readonly mutations: string;
  /** `mutation | what | change of the valid input | faults` with paths below `input`; `…` at the end: among others. */
  readonly refused: string;
  /** `mutation | change | other change`: two inputs with the same key. */
  readonly keyed?: string;
  readonly fieldFaults?: (mutation: string) => readonly FieldFault[];
  /** Ids that other projects' callers may give, as `mutation field`: nothing is known of them. */
  readonly freeIds?: readonly string[];
  /** Mutations whose input has tests elsewhere: they tell little of it, or need more than a database. */
  readonly inputElsewhere?: RegExp;
  /** Mutations that are refused as a whole, not in `userErrors`. */
  readonly refusedWhole?: RegExp;
  /** Anybody may call them. */
  readonly openToAll?: RegExp;
  readonly streams: Readonly<Record<string, Stream>>;
  /** The codes of refused changes of a caller without login. With `reads`, it is the only code of all that they ask. */
  readonly nobody: { readonly changes: string; readonly reads?: string };
  /** The file with the tests of viewers: here, they must be users of the database. */
  readonly viewersElsewhere?: string;
  /** Only the owner reads it; default: the word secret. */
  readonly secret?: RegExp;
  /** Everybody sees their objects. */
  readonly openTypes?: readonly string[];
  /** In no message. */
  readonly neverTold?: RegExp;
}

interface Stream {
  readonly selection: string;
  /** Makes an event of the owner's with `secret` in it, and then one of the stranger's (`theirs`). Without it, the stream is refused. */
  readonly events?: (world: World, stream: string) => Promise<void>;
  /** In the stranger's event; default: own-. */
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

  /** `content`: all that the payload has beside its errors. */
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

// The common operations on an API's kinds of objects: get, list, create, update and delete, each one call. A driver's engine
// defines how each operation is sent and how its reply is read. Names, effects and the changes of mappings are the same for all
// drivers.
import type {
  ArgumentFault,
  BackendObject,
  DriverOperation,
  JobReader,
  JsonObject,
  OperationSpec,
  Outcome,
  Probe,
  RenderContext,
  Reply,
  WireCall,
} from './driver.ts';
import { argumentsSchema } from './json.ts';

export interface Arguments {
  readonly properties: JsonObject;
  readonly required: readonly string[];
  readonly example: JsonObject;
}

/** One of the five operations, defined by the engine. */
interface Verb<R extends Reply> {
  readonly arguments: Arguments;
  /** A one-line description, if the standard one does not fit. */
  readonly summary?: string;
  refine?(args: JsonObject): readonly ArgumentFault[];
  render(args: JsonObject, context: RenderContext): WireCall;
  interpret(reply: R, args: JsonObject, context: RenderContext): Outcome;
  readonly probe?: Probe<JsonObject, R>;
  readonly job?: JobReader<JsonObject, R>;
}

interface ChangingVerb<R extends Reply> extends Verb<R>, Pick<OperationSpec<JsonObject, R>, 'recognised'> {
  object(args: JsonObject): BackendObject;
  addressedId?(args: JsonObject): string;
}

interface SettingVerb<R extends Reply> extends ChangingVerb<R> {
  desired(args: JsonObject): JsonObject;
}

export interface KindVerbs<R extends Reply> {
  /** Prefix of the operations' names, for example `addressGroup`. */
  readonly prefix: string;
  /** Name in texts, for example `an address group`. */
  readonly one: string;
  readonly get: Verb<R>;
  readonly list: Verb<R> & { readonly summary: string };
  /** Never idempotent: a second object of the same name is refused, made twice, or may belong to another caller. */
  readonly create: SettingVerb<R>;
  /** Absent if it can't be changed. `changes`: at least one of these arguments must be given. */
  readonly update?: SettingVerb<R> & { readonly changes: readonly string[] };
  /** Idempotent: deleting a missing object is refused, which changes nothing. */
  readonly delete: ChangingVerb<R>;
}

export function kindOperations<R extends Reply>(verbs: KindVerbs<R>): readonly DriverOperation[] {
  const { prefix, one, get, list, create, update, delete: remove } = verbs;
  const operation = (
    verb: string,
    { arguments: args, ...rest }: Verb<R>,
    more: Pick<OperationSpec<JsonObject, R>, 'summary' | 'effect' | 'mapping'>,
  ): OperationSpec<JsonObject, R> => ({
    ...more,
    name: `${prefix}.${verb}`,
    category: 'USER',
    argumentsSchema: argumentsSchema(args.properties, args.required),
    example: args.example,
    ...rest,
  });
  return [
    operation('get', get, { summary: `Reads ${one}.`, effect: 'READ' }),
    operation('list', list, { summary: list.summary, effect: 'READ' }),
    operation('create', create, { summary: `Creates ${one}.`, effect: 'NON_IDEMPOTENT', mapping: 'creates' }),
    ...(update === undefined ? [] : [operation('update', updating(update), updated(one))]),
    operation('delete', remove, { summary: `Deletes ${one}.`, effect: 'IDEMPOTENT', mapping: 'deletes' }),
  ];
}

function updated(one: string) {
  return { summary: `Changes the given fields of ${one}.`, effect: 'IDEMPOTENT', mapping: 'updates' } as const;
}

/** An update that changes nothing is a mistake of the caller. */
function updating<R extends Reply>({ changes, ...verb }: NonNullable<KindVerbs<R>['update']>): SettingVerb<R> {
  return {
    ...verb,
    refine: (args) =>
      changes.some((name) => args[name] !== undefined)
        ? (verb.refine?.(args) ?? [])
        : [{ path: [], message: `give at least one of ${changes.join(', ')}` }],
  };
}

// Verbs that work alike for every kind of object: `list`, `show`, `delete`, and each that sends one mutation. A verb declares how to read
// or find its objects, and what to print. `--json` prints all data that was read or changed.
import { randomUUID } from 'node:crypto';
import type { GraphqlDocument, InputOf, PayloadIn, UserError } from './graph-client.ts';
import type { Option, Options } from './option.ts';
import type { Columns, Printer } from './printer.ts';
import { type RemoteCall, remoteVerb } from './remote-verb.ts';
import type { Names, Verb } from './verb.ts';
import { type Commit, replicated, type WaitingCall } from './wait.ts';

type Rows<Row> = AsyncIterable<Row> | Iterable<Row>;

interface ListVerb<O extends Options, Row> {
  readonly summary: string;
  readonly examples?: readonly string[];
  readonly options: O;
  read(call: RemoteCall<O, readonly []>): Rows<Row> | Promise<Rows<Row>>;
  /** A function if the columns depend on the rows, or on further requests. */
  readonly columns: Columns<NoInfer<Row>> | ColumnsOf<NoInfer<Row>>;
}

type ColumnsOf<Row> = (rows: readonly Row[], call: Pick<RemoteCall, 'client'>) => Columns<Row> | Promise<Columns<Row>>;

export function listVerb<O extends Options, Row>({ read, columns, ...verb }: ListVerb<O, Row>): Verb {
  return remoteVerb<O, readonly []>({
    ...verb,
    takes: [],
    async run(call) {
      const found: Row[] = [];
      for await (const row of await read(call)) found.push(row);
      if (wantsJson(call) && call.output !== 'name') return call.printer.json(found);
      return call.printer.rows(typeof columns === 'function' ? await columns(found, call) : columns, found);
    },
  });
}

interface ShowVerb<O extends Options, N extends readonly string[], Found> {
  readonly summary: string;
  readonly takes: N;
  readonly options: O;
  read(call: RemoteCall<O, N>): Promise<Found>;
  print(printer: Printer, found: NoInfer<Found>): Promise<void>;
}

export function showVerb<O extends Options, const N extends readonly string[], Found>({
  read,
  print,
  ...verb
}: ShowVerb<O, N, Found>): Verb {
  return remoteVerb<O, N>({
    ...verb,
    async run(call) {
      const found = await read(call);
      return wantsJson(call) ? call.printer.json(found) : print(call.printer, found);
    },
  });
}

interface ChangeVerb<O extends Options, N extends readonly string[], Data, Variables> extends Omit<Verb<O, N>, 'run'> {
  /** With one mutation. */
  readonly document: GraphqlDocument<Data, Variables>;
  /** Without the key. */
  input(call: RemoteCall<O, N>): Promise<InputOf<NoInfer<Variables>>>;
  /** Throws CommandFailure if what was changed is missing in the payload. */
  says(payload: PayloadIn<NoInfer<Data>>, call: RemoteCall<O, N>): string;
}

/** Sends one mutation, and waits until the standby has the write. */
export function changeVerb<O extends Options, const N extends readonly string[], Data, Variables>(
  verb: ChangeVerb<O, N, Data, Variables>,
): Verb {
  return remoteVerb<O, N>({
    ...verb,
    async run(call) {
      const input = { idempotencyKey: randomUUID(), ...((await verb.input(call)) as object) };
      const payload = await call.client.mutate(verb.document, input as InputOf<Variables>);
      const { commit = null, userErrors, ...made } = payload as unknown as DeletePayload;
      await replicated(call as unknown as WaitingCall, commit);
      const words = verb.says(payload, call);
      if (wantsJson(call)) await call.printer.json(Object.values(made)[0]);
      else await call.printer.line(words);
    },
  });
}

interface DeletePayload {
  readonly commit: Commit;
  readonly userErrors: readonly UserError[];
}

type DeleteOptions = Options & { readonly wait: Option<number | undefined> };

export interface DeleteVerb<O extends DeleteOptions, Target extends { readonly id: string }> {
  readonly summary: string;
  readonly options: O;
  readonly document: GraphqlDocument<
    Readonly<Record<string, DeletePayload>>,
    { readonly input: { readonly id: string; readonly idempotencyKey: string } }
  >;
  find(call: RemoteCall<O, readonly ['NAME']>): Promise<Target>;
  /** Runs before the deletion. True if nothing should be deleted. */
  preview?(call: RemoteCall<O, readonly ['NAME']>, target: NoInfer<Target>): Promise<boolean>;
  /** Waits for `--wait`. Default: until the standby has the write. */
  settle?(call: WaitingCall, commit: Commit, target: NoInfer<Target>): Promise<void>;
  /** The name printed in the confirmation. Default: NAME. */
  readonly named?: (name: string) => string;
}

export function deleteVerb<O extends DeleteOptions, Target extends { readonly id: string }>({
  summary,
  options,
  document,
  find,
  preview,
  settle = replicated,
  named = (name) => name,
}: DeleteVerb<O, Target>): Verb {
  return remoteVerb<O, readonly ['NAME']>({
    summary,
    takes: ['NAME'],
    options,
    async run(call) {
      const target = await find(call);
      if ((await preview?.(call, target)) === true) return;
      const { id } = target;
      const { commit } = await call.client.mutate(document, { idempotencyKey: randomUUID(), id });
      await settle(call as unknown as WaitingCall, commit, target);
      if (wantsJson(call)) await call.printer.json({ id, deleted: true });
      else await call.printer.line(`${named((call.names as Names<readonly ['NAME']>)[0])} is deleted`);
    },
  });
}

function wantsJson(call: { readonly options: unknown }): boolean {
  return (call.options as { readonly json: boolean }).json;
}

// Replies as transports pass them to drivers, and their outcomes. Each driver has rows of them
// (drivers/NAME/replies.ts); the suite is drivers/replies.test.ts.
import type {
  CliReply,
  DriverOperation,
  ExecReply,
  HttpReply,
  JobFinding,
  JsonObject,
  JsonValue,
  NetconfReply,
  Outcome,
  OvsdbReply,
  Reply,
  ResourceFinding,
  SelfDescription,
} from '../../../../subgraphs/relay/drivers/driver.ts';

export const exec = (stdout: string, more: Partial<ExecReply> = {}): ExecReply => ({
  ...{ kind: 'exec', exitCode: 0, stdout, stderr: '', truncated: false },
  ...more,
});

/** `body`: text, or a value that is sent as JSON. */
export const http = (status: number, body: unknown = '', more: Partial<HttpReply> = {}): HttpReply => ({
  ...{ kind: 'http', status, headers: {}, truncated: false },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...more,
});

export const cli = (outputs: CliReply['outputs'], more: Partial<CliReply> = {}): CliReply => ({
  ...{ kind: 'cli', outputs, truncated: false },
  ...more,
});

export const rpc = (more: Partial<OvsdbReply> = {}): OvsdbReply => ({
  ...{ kind: 'ovsdb', result: null, error: null, truncated: false },
  ...more,
});

export const rpcReply = (more: Partial<NetconfReply> = {}): NetconfReply => ({
  ...{ kind: 'netconf', step: 'done', errors: [], data: null, modules: {}, truncated: false },
  ...more,
});

/** The ID of every call in the rows. */
export const ownId = '01900000-0000-7000-8000-000000000001';

/** `STATE`, `STATE CODE` or `STATE CODE absent`, or the whole outcome. */
type Wanted<Whole> = string | Whole;

export type Named = readonly [what: string, reply: Reply];
export type Verdict = readonly [what: string, reply: Reply, wanted: Wanted<Outcome>, args?: JsonObject];
type Look = readonly [what: string, reply: Reply, wanted: Wanted<ResourceFinding>, key?: string];
type Job = readonly [what: string, reply: Reply, wanted: Wanted<JobFinding>, args: JsonObject, accepted: JsonValue];

type Rows<Row> = readonly Row[] | ((operation: DriverOperation) => readonly Row[]);

export interface ReplyRows {
  /** In a reply to an operation, the verdict line that repeats the ID of its call. */
  readonly verdict?: RegExp;
  /**
   * Replies that answer nothing. A change is UNKNOWN, a read FAILED, a probe UNREADABLE, and the health check has no
   * result.
   */
  readonly unreadable: Rows<Named>;
  /** Replies in `unreadable` that a read or a probe may accept. */
  readonly readable?: readonly string[];
  /** Replies with which a check of the device fails. Default: the unreadable ones. */
  readonly dryRuns?: readonly Named[];
  /** A word in replies that no outcome may quote. */
  readonly silent?: { readonly word: string; readonly replies: readonly Named[] };
  /** Rows for every operation that makes changes. */
  readonly changes?: Rows<Verdict>;
  readonly reads?: Rows<Verdict>;
  /** Rows by the operation that deletes such objects. */
  readonly looks?: Rows<Look>;
  readonly operations?: Readonly<Record<string, readonly Verdict[]>>;
  readonly objects?: Readonly<Record<string, readonly Look[]>>;
  readonly jobs?: Readonly<Record<string, readonly Job[]>>;
  readonly health?: readonly (readonly [what: string, reply: Reply, wanted: SelfDescription | undefined])[];
}

export const rowsFor = <Row>(rows: Rows<Row> | undefined, operation: DriverOperation): readonly Row[] =>
  typeof rows === 'function' ? rows(operation) : (rows ?? []);

// What a driver is: data and pure functions. It renders a call to what goes over the wire and reads the reply; a
// transport does the wire, the backend manager decides when.

import type { JsonObject, JsonValue } from '../../../platform/json.ts';
import type { HttpCall, HttpLogin, HttpReply } from '../../../platform/net/http.ts';

export type { HttpCall, HttpLogin, HttpReply, JsonObject, JsonValue };

export type Family = 'FIREWALL' | 'WAF' | 'SWITCH' | 'SWITCH_CONTROLLER' | 'NETWORK';
export type Effect = 'READ' | 'IDEMPOTENT' | 'NON_IDEMPOTENT';
export type Category = 'INIT' | 'USER';

/** What claims and mappings are about: a thing on the backend, in the backend's own words. */
export interface BackendObject {
  /** The kind of thing, for example `rule`. */
  readonly resource: string;
  /** Where, for example `inet filter forward`. */
  readonly scope: string;
  /** Its name there. */
  readonly key: string;
}

/** Over which wire: SSH (exec or a command line), HTTPS, or OVSDB's JSON-RPC on mutual TLS. */
export type TransportKind = 'ssh' | 'https' | 'ovsdb';

/** One SSH exec: the command is a constant of the driver, everything from a user is in `stdin`. */
export interface ExecCall {
  readonly kind: 'exec';
  readonly command: string;
  readonly stdin?: string;
}

/** One block typed at the device's prompt over SSH: each line when the prompt came back from the line before. */
export interface CliCall {
  readonly kind: 'cli';
  readonly lines: readonly string[];
}

/** One `transact` of RFC 7047 section 4.1.3 on the database Open_vSwitch. */
export interface OvsdbCall {
  readonly kind: 'ovsdb';
  readonly operations: readonly JsonObject[];
}

/** One unit that the backend itself takes. */
export type WireCall = ExecCall | CliCall | HttpCall | OvsdbCall;

/** What came back is bounded by the transport; `truncated`: it was longer than allowed, and the rest was not read. */
export interface ExecReply {
  readonly kind: 'exec';
  /** Null when the command was killed by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

export interface CliReply {
  readonly kind: 'cli';
  /** What came after each line until the next prompt, without echo and prompt; one for each line that was sent. */
  readonly outputs: readonly { readonly line: string; readonly output: string }[];
  readonly truncated: boolean;
}

export interface OvsdbReply {
  readonly kind: 'ovsdb';
  readonly result: JsonValue;
  readonly error: JsonValue;
  readonly truncated: boolean;
}

export type Reply = ExecReply | CliReply | HttpReply | OvsdbReply;

/** What a reply means. */
export type Outcome =
  /** `uuid`: the device's own stable id of the object, for example a rule's handle. */
  | { readonly state: 'SUCCEEDED'; readonly result: JsonValue; readonly uuid?: string }
  /**
   * The device said no: `message` has its own words, at most 4096 characters. `absent`: it said that the object is not
   * there, which is what a deletion wanted, so its mapping can end.
   */
  | { readonly state: 'FAILED'; readonly code: string; readonly message: string; readonly absent?: boolean }
  /** The device took a job. */
  | { readonly state: 'ACCEPTED'; readonly result: JsonValue }
  /** No verdict can be read from the reply. */
  | { readonly state: 'UNKNOWN'; readonly code: string; readonly message: string };

/** The backend, as far as it decides how a call is worded. */
export interface BackendContext {
  /** Its main wire. */
  readonly transport: TransportKind;
  /** As the driver's `optionsSchema` has it, defaults filled in. */
  readonly options: JsonObject;
  /** As the last health check read it; null before the first. */
  readonly softwareVersion: string | null;
}

export interface RenderContext {
  /** Put into the device object's comment where the device has one: the mark by which a probe knows its own. */
  readonly operationId: string;
  readonly backend: BackendContext;
}

/** PRESENT only with this call's own mark, or with exactly its values where twice is the same as once. */
export type ProbeFinding =
  | { readonly finding: 'PRESENT'; readonly uuid?: string }
  | { readonly finding: 'ABSENT' }
  | { readonly finding: 'UNREADABLE'; readonly message: string };

/**
 * Looks, by one read, whether a call's effect is on the device. The finding is about the object: for an operation
 * that deletes (`mapping: 'deletes'`), ABSENT is what success looks like.
 */
export interface Probe<Arguments, R extends Reply = Reply> {
  render(args: Arguments, context: RenderContext): WireCall;
  interpret(reply: R, args: Arguments, context: RenderContext): ProbeFinding;
}

/** How far a job is that the device took (ACCEPTED). */
export type JobFinding =
  | { readonly finding: 'RUNNING'; readonly message: string }
  | { readonly finding: 'SUCCEEDED'; readonly result: JsonValue; readonly uuid?: string }
  | { readonly finding: 'FAILED'; readonly code: string; readonly message: string }
  | { readonly finding: 'UNREADABLE'; readonly message: string };

/** Looks, by one read, what became of a job; `accepted` is the result of the ACCEPTED outcome, with the job's id. */
export interface JobReader<Arguments, R extends Reply = Reply> {
  render(accepted: JsonValue, args: Arguments, context: RenderContext): WireCall;
  interpret(reply: R, accepted: JsonValue, args: Arguments): JobFinding;
}

/** An object as a mapping names it. */
export interface MappedObject {
  readonly scope: string;
  readonly key: string;
  readonly uuid: string | null;
}

export type ResourceFinding =
  | {
      readonly finding: 'PRESENT';
      readonly uuid?: string;
      /** The mark of the call that made it, where the device keeps one. */
      readonly operationId?: string;
      /** Its settings, in the words of the arguments that create it; lists sorted where order means nothing. */
      readonly values: JsonObject;
    }
  | { readonly finding: 'ABSENT' }
  | { readonly finding: 'UNREADABLE'; readonly message: string };

/** A kind of backend object: how to look at one. Verification, adoption and (without a probe of its own) settling use it. */
export interface ResourceReader<R extends Reply = Reply> {
  render(object: MappedObject, context: RenderContext): WireCall;
  /** Must not throw, whatever the reply. */
  interpret(reply: R, object: MappedObject): ResourceFinding;
  /** What deletes it; undefined when the mapping lacks what that takes. */
  remove?(object: MappedObject): TypedCall | undefined;
}

export interface ArgumentFault {
  /** Inside the arguments, for example ['source', 'address']; empty: the arguments as a whole. */
  readonly path: readonly string[];
  readonly message: string;
  /** The value is longer than it may be. */
  readonly tooLong?: boolean;
}

/** One operation of a driver. `Arguments` is what fits `argumentsSchema`, defaults filled in; `R` answers what it renders. */
export interface OperationSpec<Arguments, R extends Reply = Reply> {
  /** For `relayCall`, for example rule.create. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  readonly category: Category;
  readonly effect: Effect;
  /** JSON Schema (2020-12) of the arguments; published in the graph. */
  readonly argumentsSchema: JsonObject;
  /** Arguments that work in the lab. */
  readonly example: JsonObject;
  /** Faults that the schema can't express; for arguments that fit it. `validateArguments` calls it. */
  refine?(args: Arguments): readonly ArgumentFault[];
  /** Absent for READ. */
  object?(args: Arguments): BackendObject;
  /** What success does to the mapping of `object`. Absent: nothing. */
  readonly mapping?: MappingEffect;
  /** What it sets, in the words of its resource's `values`, for drift checks. Absent: its arguments. */
  desired?(args: Arguments): JsonObject;
  /** Must not throw for arguments that fit the schema. */
  render(args: Arguments, context: RenderContext): WireCall;
  /** The device's own check, which changes nothing. Its reply is for `interpretDryRun`. */
  renderDryRun?(args: Arguments, context: RenderContext): WireCall;
  interpretDryRun?(reply: R, args: Arguments): Outcome;
  /** Must not throw, whatever the reply. */
  interpret(reply: R, args: Arguments): Outcome;
  /** Absent: the object's ResourceReader settles an unknown outcome, where it can. */
  readonly probe?: Probe<Arguments, R>;
  /** For operations whose outcome is ACCEPTED. */
  readonly job?: JobReader<Arguments, R>;
}

/** What success does to an object's mapping: makes it live, keeps it live with other values, or ends it. */
export type MappingEffect = 'creates' | 'updates' | 'deletes';

/** As the relay sees an operation: arguments are validated by `validateArguments` (drivers/arguments.ts) first. */
export type DriverOperation = OperationSpec<JsonObject>;

/** What a health check reads from the device. */
export interface SelfDescription {
  readonly softwareVersion: string;
  readonly serial: string | null;
}

export interface Health<R extends Reply = Reply> {
  render(context: RenderContext): WireCall;
  /** Undefined: the reply is none that a healthy device gives. */
  interpret(reply: R): SelfDescription | undefined;
}

/** What is in a backend's credentials; which of them a driver uses is in `credentialFields`. */
export interface Credentials {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly passphrase?: string;
  /** A long-lived API token, used instead of a log-in. */
  readonly apiToken?: string;
  /** PEM; its key is `privateKey`. */
  readonly clientCertificate?: string;
}
export type CredentialField = keyof Credentials;

/**
 * The plumbing of an HTTPS session. What it exchanges may depend on replies, unlike a call. A call may name another origin
 * than the backend's only when an option names it too, one whose name ends with `Url` (`authUrl`).
 */
export interface HttpSessions {
  open(
    exchange: (call: HttpCall) => Promise<HttpReply>,
    credentials: Credentials,
    backend: BackendContext,
  ): Promise<HttpLogin>;
  /** True when the device did nothing because the session is gone: the transport logs in once and sends it again. */
  refusedSession(reply: HttpReply): boolean;
}

/** How a device's command line behaves. */
export interface CliDialect {
  /** Matches the end of the output when the device waits for a line. */
  readonly prompt: RegExp;
  /** Typed after log-in, for example to switch paging off. */
  readonly setup: readonly string[];
  /** Matches the end of the output when the device waits to be told to go on, and what tells it. */
  readonly pager?: { readonly pattern: RegExp; readonly answer: string };
  /** Typed after a block to come back to the first prompt, whatever the block did. */
  readonly reset?: readonly string[];
}

export interface Driver {
  /** For example linux-nftables. */
  readonly name: string;
  readonly family: Family;
  /** What it speaks to, in one line. */
  readonly summary: string;
  /** Versions of the device that it is written for. */
  readonly versions: string;
  /** What its tests run against: the real thing with its version, or a simulator of it. */
  readonly triedAgainst: string;
  /** Its wires with their usual ports; the first is the main one unless the option `transport` says another. */
  readonly ports: Readonly<Partial<Record<TransportKind, number>>>;
  /** JSON Schema (2020-12) of a backend's `options`, made with `optionsSchema` (drivers/options.ts). */
  readonly optionsSchema: JsonObject;
  /** Names of options that have no part in where credentials go, to whom and how: they may change without sending them again. */
  readonly harmlessOptions?: readonly string[];
  readonly credentialFields: readonly CredentialField[];
  readonly operations: ReadonlyMap<string, DriverOperation>;
  /** By the word that BackendObject.resource has for it. */
  readonly resources?: ReadonlyMap<string, ResourceReader>;
  readonly health: Health;
  readonly https?: HttpSessions;
  readonly cli?: CliDialect;
  /** The typed mutations of its family (families/), by name; one that is missing is NOT_SUPPORTED. */
  readonly typed: Readonly<Record<string, (input: JsonObject) => TypedCall | undefined>>;
}

/** An operation of the driver with its arguments, still to be validated like any other. */
export interface TypedCall {
  readonly operation: string;
  readonly arguments: JsonObject;
  /** The input's field behind an argument, where it has another name: a fault names the field. */
  readonly fields?: Readonly<Record<string, string>>;
}

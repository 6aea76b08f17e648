// The interface of a driver: data and pure functions. It renders a call for the wire and reads the reply; a transport does the
// I/O, and the backend manager the scheduling.

import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import type { HttpCall, HttpLogin, HttpReply } from '../../../platform/net/http.ts';
import type { JsonObject, JsonValue } from '../../../platform/values/json.ts';
import type { XmlElement } from '../../../platform/xml/read-xml.ts';

export type { HttpCall, HttpLogin, HttpReply, JsonObject, JsonValue, XmlElement };

export type Family = 'FIREWALL' | 'WAF' | 'SWITCH' | 'SWITCH_CONTROLLER' | 'NETWORK' | 'ROUTER';
export type Effect = 'READ' | 'IDEMPOTENT' | 'NON_IDEMPOTENT';
type Category = 'INIT' | 'USER';

/** The subject of claims and mappings: an object on the backend, in the backend's own terms. */
export interface BackendObject {
  /** The kind of object, for example `rule`. */
  readonly resource: string;
  /** Its container, for example `inet filter forward`. */
  readonly scope: string;
  /** Its name in the container. */
  readonly key: string;
}

/** The wire: SSH (exec or a command line), HTTPS, OVSDB's JSON-RPC over mutual TLS, or NETCONF over an SSH subsystem. */
export type TransportKind = 'ssh' | 'https' | 'ovsdb' | 'netconf';

/** One SSH exec: the command is a constant of the driver, and all user data is in `stdin`. */
export interface ExecCall {
  readonly kind: 'exec';
  readonly command: string;
  readonly stdin?: string;
}

/** One block typed at the device's prompt over SSH: each line after the prompt of the line before. */
export interface CliCall {
  readonly kind: 'cli';
  readonly lines: readonly string[];
  /** The lines are typed only if the output of another one, typed directly before, allows it. */
  readonly guard?: { readonly line: string; allows(reply: CliReply): boolean };
}

/** One `transact` of RFC 7047 section 4.1.3 on the database Open_vSwitch. */
export interface OvsdbCall {
  readonly kind: 'ovsdb';
  readonly operations: readonly JsonObject[];
  /** A `select` that is sent directly before. The id of the row that it finds takes the place of `foundRow` in `operations`. */
  readonly find?: JsonObject;
}

/** No row has this id. */
export const foundRow = '00000000-0000-0000-0000-000000000000';

/**
 * One read, or one edit with its commit and a read of the result, on one session (RFC 6241). The session adds locks, and decides by
 * the server's capabilities whether the edit goes to the candidate or to the running configuration.
 */
export interface NetconfCall {
  readonly kind: 'netconf';
  /** If absent, nothing is changed. */
  readonly edit?: {
    /** XML: the content of `<config>` (section 7.2). */
    readonly config: string;
    /** With `none`, the elements around the edited one must exist. */
    readonly defaultOperation: 'merge' | 'none';
    /** Edits of others in an unlocked candidate: discarded, or a reason to refuse the call. They are never committed. */
    readonly foreignEdits: 'discard' | 'refuse';
    /** The edit is sent only if the call's read, under the same lock, allows it. */
    readonly guard?: { allows(reply: NetconfReply): boolean };
  };
  /** The source of the read: configuration (after an edit, that of `running`), or the state too (`<get>`). */
  readonly source: 'running' | 'candidate' | 'startup' | 'state';
  /** XML: the content of a subtree filter (section 6). Null for everything. */
  readonly filter: string | null;
  /** Namespaces by the name of their module, for reading the reply; on the wire they are in the XML. */
  readonly modules: Readonly<Record<string, string>>;
}

/** One unit that the backend itself processes. */
export type WireCall = ExecCall | CliCall | HttpCall | OvsdbCall | NetconfCall;

/** The reply, bounded by the transport; `truncated`: it was longer, and the rest was not read. */
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
  /** The output of each line up to the next prompt, without echo and prompt; one for each line sent. */
  readonly outputs: readonly { readonly line: string; readonly output: string }[];
  readonly truncated: boolean;
  /** The transport's word, not the device's: this is the reply to the guard of the call, of which nothing was typed. */
  readonly unsent?: true;
}

export interface OvsdbReply {
  readonly kind: 'ovsdb';
  readonly result: JsonValue;
  readonly error: JsonValue;
  readonly truncated: boolean;
}

/** An `<rpc-error>` of severity error (RFC 6241, section 4.3), each text at most 1024 characters. */
export interface NetconfError {
  /** error-tag (appendix A). */
  readonly tag: string;
  readonly message: string;
  readonly path: string;
  /** Id of the session that has the lock, for lock-denied. 0 if a program outside NETCONF has it. */
  readonly holder?: string;
}

export interface NetconfReply {
  readonly kind: 'netconf';
  /** The step whose answer is in `errors` or `fault`. `done` if all steps succeeded. */
  readonly step: 'lock' | 'edit' | 'commit' | 'read' | 'done';
  readonly errors: readonly NetconfError[];
  /** Why the answer of the step is no answer of NETCONF. */
  readonly fault?: string;
  /** The `<data>` of the read. */
  readonly data: XmlElement | null;
  /** The target of an edit. An error in `running` may have left a part of the edit behind if the server can't roll back. */
  readonly edited?: 'candidate' | 'running' | 'running without rollback';
  /** As in the call. */
  readonly modules: Readonly<Record<string, string>>;
  readonly truncated: boolean;
  /** The transport's word, not the server's: this is the reply to the guard of the edit, of which nothing was sent. */
  readonly unsent?: true;
}

export type Reply = ExecReply | CliReply | HttpReply | OvsdbReply | NetconfReply;

/** Bound of the text that an outcome or a finding quotes. */
export const maxMessageLength = 4_096;

/** The result of a call, derived from the reply. */
export type Outcome =
  /** `uuid`: the device's own stable id of the object, for example a rule's handle. */
  | { readonly state: 'SUCCEEDED'; readonly result: JsonValue; readonly uuid?: string }
  /**
   * The device refused: `message` quotes it, at most 4096 characters. `absent`: the refusal shows that the object does not exist.
   * That is the goal of a deletion, so its mapping can end.
   */
  | { readonly state: 'FAILED'; readonly code: string; readonly message: string; readonly absent?: boolean }
  /** The device accepted a job. */
  | { readonly state: 'ACCEPTED'; readonly result: JsonValue }
  /**
   * The reply gives no verdict. `ended`: it proves that this call has no further effect, for example by the end of its script with
   * the call's id. If absent, the call may still act, as when the reply belongs to another call.
   */
  | { readonly state: 'UNKNOWN'; readonly code: string; readonly message: string; readonly ended?: true };

/** The properties of a backend that determine how a call is rendered. */
export interface BackendContext {
  /** Its main wire. */
  readonly transport: TransportKind;
  /** Matches the driver's `optionsSchema`, defaults filled in. */
  readonly options: JsonObject;
  /** As read by the last health check; null before the first. */
  readonly softwareVersion: string | null;
}

export interface RenderContext {
  /** Written into the comment of the device's object, if it has one: the mark by which a probe recognises it. */
  readonly operationId: string;
  readonly backend: BackendContext;
  /**
   * A device's values of the call's object as a mapping records them: with hashes in place of secrets, by the same keys as in `like`. Absent
   * if the call changes nothing.
   */
  readonly recordedAs?: (values: JsonObject, like: JsonObject) => JsonObject;
}

/**
 * PRESENT only with this call's own mark or, for idempotent calls, with exactly its values. `own`: the mark proves that this call,
 * and no other, has acted. Without it the call may still be on its way, and the finding counts only once that is over.
 */
export type ProbeFinding =
  | { readonly finding: 'PRESENT'; readonly uuid?: string; readonly own?: true }
  | { readonly finding: 'ABSENT'; readonly own?: true }
  | { readonly finding: 'UNREADABLE'; readonly message: string };

/**
 * Checks, by one read, whether a call's effect is on the device. The finding is about the object: for an operation that deletes
 * (`mapping: 'deletes'`), ABSENT means success.
 */
export interface Probe<Arguments, R extends Reply = Reply> {
  render(args: Arguments, context: RenderContext): WireCall;
  interpret(reply: R, args: Arguments, context: RenderContext): ProbeFinding;
}

/** The progress of a job that the device accepted (ACCEPTED). */
export type JobFinding =
  | { readonly finding: 'RUNNING'; readonly message: string }
  | { readonly finding: 'SUCCEEDED'; readonly result: JsonValue; readonly uuid?: string }
  | { readonly finding: 'FAILED'; readonly code: string; readonly message: string }
  | { readonly finding: 'UNREADABLE'; readonly message: string };

/** Reads the state of a job; `accepted` is the result of the ACCEPTED outcome, with the job's id. */
export interface JobReader<Arguments, R extends Reply = Reply> {
  render(accepted: JsonValue, args: Arguments, context: RenderContext): WireCall;
  /** `context`: as in `render`. A job of another call, which may have the same id on a device that was restored, is UNREADABLE. */
  interpret(reply: R, accepted: JsonValue, args: Arguments, context: RenderContext): JobFinding;
}

/** An object, as named by a mapping. */
export interface MappedObject {
  readonly scope: string;
  readonly key: string;
  readonly uuid: string | null;
  /** The call that made it, whose mark it has if the device keeps marks. Absent if it was adopted. */
  readonly madeBy?: string;
  /** The last call that changed it, whose mark it may have instead. */
  readonly changedBy?: string;
  /** Its recorded settings, with hashes in place of secrets. Absent if only its name is known. */
  readonly recorded?: JsonObject;
}

/**
 * What makes sure that a call acts on the meant object, and not on another one that somebody made at the same key since: a device
 * that restarts may lose what was not saved, and an administrator may use the number again.
 *
 * - `MARK`, `SETTINGS`: the unit that changes the object compares the mark of the call that made it, or its whole settings. A call that creates is
 *   refused if there is another object.
 * - `ID`: the device's own id is part of the request, and the device never gives it to another object.
 * - `KEY`: the key says all that there is to know of the object, so that nothing can stand in its place. `because` gives the reason.
 * - `KEY_ALONE`: nothing makes sure of it. Another object at the key is taken for the meant one. For a new kind, take one of the others.
 *
 * A number, a position or a name that others choose too is no reason for `KEY`.
 */
type Ownership =
  | { readonly by: 'MARK' | 'SETTINGS' | 'ID' | 'KEY_ALONE' }
  | { readonly by: 'KEY'; readonly because: string };

export type ResourceFinding =
  | {
      readonly finding: 'PRESENT';
      readonly uuid?: string;
      /** The mark of the call that made it, if the device keeps one. */
      readonly operationId?: string;
      /** Its settings, in the terms of the arguments that create it. */
      readonly values: JsonObject;
    }
  | { readonly finding: 'ABSENT' }
  | { readonly finding: 'UNREADABLE'; readonly message: string };

/** Whether the order of a list means something: `ORDERED` if it does, `SET` if not. */
type ListKind = 'ORDERED' | 'SET';

/** A kind of backend object: how to read one. Used by verification, adoption and (without a probe) settling. */
export interface ResourceReader<R extends Reply = Reply> {
  /** Every list among its values, by path with dots. One that is missing here is taken as ordered. */
  readonly lists: Readonly<Record<string, ListKind>>;
  /**
   * Settings that the device itself chooses, or keeps, when the call that creates the object leaves them out. Any other setting
   * that was left out is a difference when the object has it.
   */
  readonly own: readonly string[];
  /** Secrets among its values, by name. The values that `interpret` reads there are only compared, never shown or kept. */
  readonly secrets?: readonly string[];
  /**
   * Values with members whose names the driver does not know. Any of these members may be a secret, so they are compared, and never
   * shown or kept. By name, with the members that are shown all the same. `all` means that each of its values is like this.
   */
  readonly freeForm?: 'all' | Readonly<Record<string, readonly string[]>>;
  render(object: MappedObject, context: RenderContext): WireCall;
  /** Must not throw for any reply. */
  interpret(reply: R, object: MappedObject): ResourceFinding;
  /** The operation that deletes it; undefined when the mapping lacks data for it. It also determines which names are allowed. */
  remove?(object: MappedObject): TypedCall | undefined;
  /** For kinds that no operation deletes: the keys that are allowed. Their scope is empty. */
  readonly names?: RegExp;
}

export type ArgumentFault = SchemaFault;

/**
 * One operation of a driver. `Arguments` matches `argumentsSchema`, defaults filled in; `R` is the reply to the rendered call.
 */
export interface OperationSpec<Arguments, R extends Reply = Reply> {
  /** For `relayCall`, for example rule.create. */
  readonly name: string;
  /** Its effect, in one line. */
  readonly summary: string;
  readonly category: Category;
  readonly effect: Effect;
  /**
   * JSON Schema (2020-12) of the arguments; published in the graph. A string with `writeOnly: true` is a secret: only `render` gets
   * its value, and it is shown as `***` wherever the call is shown. `desired` gets a hash of it. The same applies to all values
   * under names that the schema does not have. So name every value in `properties` that may be shown.
   */
  readonly argumentsSchema: JsonObject;
  /** Example arguments that work in the lab. */
  readonly example: JsonObject;
  /**
   * Faults that the schema can't express, for arguments that match it. `validateArguments` calls this. `backend`: the backend of
   * the call, whose options may restrict names. If absent, only a name's form is checked.
   */
  refine?(args: Arguments, backend?: BackendContext): readonly ArgumentFault[];
  /** Absent for READ. */
  object?(args: Arguments): BackendObject;
  /** The effect of success on the mapping of `object`. Absent if it has no effect. */
  readonly mapping?: MappingEffect;
  /**
   * For a device that gives an id (`uuid` of the outcome) only once in several scopes: the common prefix of these scopes. If
   * absent, ids are unique in the object's own scope.
   */
  idScopes?(scope: string): string;
  /**
   * For a call that addresses its object by the device's own id, beside the key: this id. A call with the id of another mapping, or with
   * another id than the one of its own mapping, is refused. If absent, the device finds the object by the key alone.
   */
  addressedId?(args: Arguments): string;
  /**
   * For an operation that compares the object which it changes: the arguments by which the object of this mapping is recognised. A call on
   * it that leaves them out gets them.
   */
  recognised?(object: MappedObject): JsonObject;
  /** The settings it makes, in the terms of its resource's `values`, for drift checks. Default: its arguments. */
  desired?(args: Arguments): JsonObject;
  /** Must not throw for arguments that match the schema. */
  render(args: Arguments, context: RenderContext): WireCall;
  /** The device's own check, which changes nothing. `interpretDryRun` reads its reply. The driver describes its depth in `checks`. */
  renderDryRun?(args: Arguments, context: RenderContext): WireCall;
  interpretDryRun?(reply: R, args: Arguments, context: RenderContext): Outcome;
  /** Must not throw for any reply. `context`: as in `render`. An answer about another object or another call is UNKNOWN. */
  interpret(reply: R, args: Arguments, context: RenderContext): Outcome;
  /** If absent, the object's ResourceReader settles an unknown outcome if it can. */
  readonly probe?: Probe<Arguments, R>;
  /** For operations with the outcome ACCEPTED. */
  readonly job?: JobReader<Arguments, R>;
  /** As in Driver, for this operation. */
  readonly actsForMs?: number;
  readonly checks?: string;
}

/** The effect of success on an object's mapping: it becomes live, stays live with other values, or ends. */
export type MappingEffect = 'creates' | 'updates' | 'deletes';

/** An operation for the relay: `validateArguments` (drivers/arguments.ts) validates the arguments first. */
export type DriverOperation = OperationSpec<JsonObject> & {
  /** Of the reader of its object; `defineDriver` sets it. */
  readonly freeForm?: ResourceReader['freeForm'];
};

/** The data that a health check reads from the device. */
export interface SelfDescription {
  readonly softwareVersion: string;
  readonly serial: string | null;
}

export interface Health<R extends Reply = Reply> {
  render(context: RenderContext): WireCall;
  /** Undefined if it is not the reply of a healthy device. */
  interpret(reply: R): SelfDescription | undefined;
  /** Asked if the first reply is not that of a healthy device, for releases that lack the first request. */
  readonly otherwise?: Health<R>;
}

/** The fields of a backend's credentials. `credentialFields` lists the fields that a driver uses. */
export interface Credentials {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly passphrase?: string;
  /** A long-lived API token, used instead of a login. */
  readonly apiToken?: string;
  /** PEM; its key is `privateKey`. */
  readonly clientCertificate?: string;
}
export type CredentialField = keyof Credentials;

/**
 * How HTTPS sessions are opened and closed. Unlike a call, a login may be an exchange in which requests depend on replies. A call
 * may name another origin than the backend's only if an option whose name ends with `Url` (`authUrl`) names it too.
 */
export interface HttpSessions {
  open(
    exchange: (call: HttpCall) => Promise<HttpReply>,
    credentials: Credentials,
    backend: BackendContext,
  ): Promise<HttpLogin>;
  /** True when the device did nothing because the session has ended: the transport logs in once and sends the call again. */
  refusedSession(reply: HttpReply): boolean;
}

/** The behaviour of a device's command line. */
export interface CliDialect {
  /** Matches the end of the output when the device waits for a command. */
  readonly prompt: RegExp;
  /**
   * `pattern` matches the end of the device's output before its first prompt, when the device waits for a key. `answer` is the key
   * to type.
   */
  readonly banner?: { readonly pattern: RegExp; readonly answer: string };
  /** Typed after login, for example to switch paging off. */
  readonly setup: readonly string[];
  /** Matches the end of the output when the pager waits, and the key that continues. */
  readonly pager?: { readonly pattern: RegExp; readonly answer: string };
  /** Typed after a block to return to the first prompt, whatever the block did. */
  readonly reset?: readonly string[];
}

export interface Driver {
  /** For example linux-nftables. */
  readonly name: string;
  readonly family: Family;
  /** The devices it supports, in one line. */
  readonly summary: string;
  /** The device versions it was written for. */
  readonly versions: string;
  /** The test target: a real device with its version, or a simulator. */
  readonly triedAgainst: string;
  /** Its wires with their usual ports; the first is the main one unless the option `transport` names another. */
  readonly ports: Readonly<Partial<Record<TransportKind, number>>>;
  /** JSON Schema (2020-12) of a backend's `options`, made with `optionsSchema` (drivers/options.ts). */
  readonly optionsSchema: JsonObject;
  /**
   * Names of options that affect neither where credentials are sent nor what the account is used for: they may change without
   * sending the credentials again.
   */
  readonly harmlessOptions?: readonly string[];
  /**
   * Names of options that select a part of the device: backends with different values have no object in common. Their values are
   * text on one line.
   */
  readonly scopeOptions?: readonly string[];
  readonly credentialFields: readonly CredentialField[];
  /**
   * How long the device may still act on a call once its connection was cut, jobs included. At most `longestActsForMs`. Name the
   * source. If there is none, state that and give a figure on the safe side. An effect that has not happened by then must never
   * happen. Default: the setting relay.deviceGraceMs, which is always the minimum.
   */
  readonly actsForMs?: number;
  /** The coverage of the device's own check (`renderDryRun`) and its limits, for example `words alone, not values`. */
  readonly checks?: string;
  readonly operations: ReadonlyMap<string, DriverOperation>;
  /** By the name in BackendObject.resource. */
  readonly resources?: ReadonlyMap<string, ResourceReader>;
  /** Of every kind that an operation creates, changes or deletes, by the name in BackendObject.resource. */
  readonly ownership: Readonly<Record<string, Ownership>>;
  readonly health: Health;
  readonly https?: HttpSessions;
  readonly cli?: CliDialect;
  /** Its implementations of the typed mutations of its family (families/), by name; missing ones are NOT_SUPPORTED. */
  readonly typed: Readonly<Record<string, (input: JsonObject) => TypedCall | undefined>>;
  /**
   * The opposite of `typed`, by resource: a wanted object in the terms of the typed mutation that creates it. `values`: of its
   * resource, without secrets. Undefined if the mutation can't express it.
   */
  readonly objects?: TypedObjects;
}

/** A wanted object as the graph shows it: the type of MappingObject, and its fields. */
export interface TypedObject {
  readonly type: string;
  readonly fields: JsonObject;
}

export type TypedObjects = Readonly<
  Record<string, (values: JsonObject, object: Pick<MappedObject, 'scope' | 'key'>) => TypedObject | undefined>
>;

/** An operation of the driver with its arguments, which are still to be validated. */
export interface TypedCall {
  readonly operation: string;
  readonly arguments: JsonObject;
  /** The input's field, with dots, for an argument with another name: faults name the field. */
  readonly fields?: Readonly<Record<string, string>>;
}

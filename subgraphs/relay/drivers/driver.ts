// What a driver is: data and pure functions. It renders a call to what goes over the wire and reads the reply; a
// transport does the wire, the backend manager decides when.

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

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

/** One SSH exec: the command is a constant of the driver, everything from a user is in `stdin`. */
export interface ExecCall {
  readonly kind: 'exec';
  readonly command: string;
  readonly stdin?: string;
}

/** One unit that the backend itself takes. */
export type WireCall = ExecCall;

/** What came back, bounded by the transport. */
export interface Reply {
  /** Null when the command was killed by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True when the reply was longer than allowed: the rest was not read. */
  readonly truncated: boolean;
}

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

export interface RenderContext {
  /** Put into the device object's comment where the device has one: the mark by which a probe knows its own. */
  readonly operationId: string;
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
export interface Probe<Arguments> {
  render(args: Arguments, context: RenderContext): WireCall;
  interpret(reply: Reply, args: Arguments, context: RenderContext): ProbeFinding;
}

export interface ArgumentFault {
  /** Inside the arguments, for example ['source', 'address']; empty: the arguments as a whole. */
  readonly path: readonly string[];
  readonly message: string;
}

/** One operation of a driver. `Arguments` is what fits `argumentsSchema`, defaults filled in. */
export interface OperationSpec<Arguments> {
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
  readonly mapping?: 'creates' | 'deletes';
  /** Must not throw for arguments that fit the schema. */
  render(args: Arguments, context: RenderContext): WireCall;
  /** The device's own check, which changes nothing. Its reply is for `interpretDryRun`. */
  renderDryRun?(args: Arguments, context: RenderContext): WireCall;
  interpretDryRun?(reply: Reply, args: Arguments): Outcome;
  /** Must not throw, whatever the reply. */
  interpret(reply: Reply, args: Arguments): Outcome;
  readonly probe?: Probe<Arguments>;
}

/** As the relay sees an operation: arguments are validated by `validateArguments` (drivers/arguments.ts) first. */
export type DriverOperation = OperationSpec<JsonObject>;

/** What a health check reads from the device. */
export interface SelfDescription {
  readonly softwareVersion: string;
  readonly serial: string | null;
}

export interface Health {
  render(): WireCall;
  /** Undefined: the reply is none that a healthy device gives. */
  interpret(reply: Reply): SelfDescription | undefined;
}

export interface Driver {
  /** For example linux-nftables. */
  readonly name: string;
  readonly family: Family;
  /** What it speaks to, in one line. */
  readonly summary: string;
  readonly defaultPort: number;
  readonly transport: 'ssh';
  /** Which fields of BackendCredentialsInput it can use. */
  readonly credentialFields: readonly CredentialField[];
  readonly operations: ReadonlyMap<string, DriverOperation>;
  readonly health: Health;
  /** The typed mutations of family FIREWALL, as operations of this driver. */
  readonly firewall?: FirewallCalls;
}

export type CredentialField = 'username' | 'password' | 'privateKey' | 'passphrase';

/** An operation of the driver with its arguments, still to be validated like any other. */
export interface TypedCall {
  readonly operation: string;
  readonly arguments: JsonObject;
}

export interface FirewallPeer {
  readonly address?: string | null;
  readonly set?: string | null;
  /** Of the set's addresses; null: as the other side's address, else 4. */
  readonly setIpVersion?: number | null;
}

/**
 * The typed mutations of the graph that every firewall driver offers; undefined: the driver can't express it. Arguments have
 * the names of the inputs' fields, so a fault's path in the arguments is its path in the input.
 */
export interface FirewallCalls {
  addressSetElementAdd(input: { set: string; address: string; comment?: string | null }): TypedCall | undefined;
  addressSetElementRemove(input: { set: string; address: string }): TypedCall | undefined;
  ruleCreate(input: {
    name: string;
    chain?: string | null;
    source?: FirewallPeer | null;
    destination?: FirewallPeer | null;
    protocol?: 'TCP' | 'UDP' | 'ICMP' | null;
    destinationPort?: number | null;
    action: 'ACCEPT' | 'DROP' | 'REJECT';
  }): TypedCall | undefined;
  /** From the rule's mapping; undefined when the mapping has no handle. */
  ruleDelete(mapping: { scope: string; key: string; uuid: string | null }): TypedCall | undefined;
}

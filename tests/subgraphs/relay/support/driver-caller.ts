// Calls a driver with a real or simulated device the way the relay does: validated arguments, the relay's own
// transports, and replies read by the driver. The tests of every driver use it and only add where their device is.
import { randomUUID } from 'node:crypto';
import type { SendFailure } from '../../../../platform/net/send.ts';
import { validateArguments } from '../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  Driver,
  DriverOperation,
  Health,
  HttpSessions,
  JobFinding,
  JsonObject,
  JsonValue,
  MappedObject,
  Outcome,
  ProbeFinding,
  RenderContext,
  Reply,
  ResourceFinding,
  SelfDescription,
  TransportKind,
  WireCall,
} from '../../../../subgraphs/relay/drivers/driver.ts';
import { mainTransport, transportOf } from '../../../../subgraphs/relay/drivers/options.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { createTransport } from '../../../../subgraphs/relay/transports/factories.ts';
import type { Endpoint, SendResult, Transport } from '../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { renderContext } from './render-context.ts';

/** The device's endpoint by wire. */
type EndpointOf = (wire: TransportKind) => Endpoint;

export interface DriverCallerOptions {
  /** The backend's options. */
  readonly options?: JsonObject;
  /** The version that the last health check read. */
  readonly softwareVersion?: string;
  /** Deadline of each call; default 20 s. */
  readonly deadlineMs?: number;
  readonly concurrency?: number;
  readonly connectTimeoutMs?: number;
  /** Replaces the driver's own sessions. */
  readonly sessions?: HttpSessions;
}

/** The result of a call: the driver's outcome, or the reason why there was no reply. */
export type Called = Outcome | { readonly state: 'NO_REPLY'; readonly failure: SendFailure };

/** `Result`: type of the result of successful calls. */
export class DriverCaller<Result = JsonObject> {
  readonly driver: Driver;
  readonly #endpointOf: EndpointOf;
  readonly #options: DriverCallerOptions;
  readonly #transports = new Map<TransportKind, Transport>();
  /** The device's acceptance of each call that became a job, mapped to the call's ID. */
  readonly #acceptedBy = new Map<string, string>();

  constructor(driver: Driver, endpoint: Endpoint | EndpointOf, options: DriverCallerOptions = {}) {
    this.driver = driver;
    this.#endpointOf = typeof endpoint === 'function' ? endpoint : () => endpoint;
    this.#options = options;
  }

  async call(name: string, args: JsonObject = {}, operationId?: string): Promise<Called> {
    const { operation, checked } = this.#checked(name, args);
    const context = this.context(operationId);
    const sent = await this.send(operation.render(checked, context));
    return sent.ok ? operation.interpret(sent.reply, checked, context) : { state: 'NO_REPLY', failure: sent.failure };
  }

  /** The result of a call that must succeed. */
  async done(name: string, args: JsonObject = {}, operationId?: string): Promise<Result> {
    const called = await this.call(name, args, operationId);
    if (called.state !== 'SUCCEEDED') throw new Error(`${name}: ${JSON.stringify(called)}`);
    return called.result as Result;
  }

  /** The result of a call that must become a job. */
  async accepted(name: string, args: JsonObject, operationId?: string): Promise<JsonObject> {
    const id = operationId ?? randomUUID();
    const called = await this.call(name, args, id);
    if (called.state !== 'ACCEPTED') throw new Error(`${name}: ${JSON.stringify(called)}`);
    this.#acceptedBy.set(JSON.stringify(called.result), id);
    return called.result as JsonObject;
  }

  /** State and code of a call that must not succeed. */
  async refused(name: string, args: JsonObject): Promise<string> {
    const called = await this.call(name, args);
    if (called.state === 'NO_REPLY') return `${called.failure.kind} ${called.failure.code}`;
    return 'code' in called ? `${called.state} ${called.code}` : called.state;
  }

  async dryRun(name: string, args: JsonObject): Promise<Outcome | undefined> {
    const { operation, checked } = this.#checked(name, args);
    const context = this.context();
    const call = operation.renderDryRun?.(checked, context);
    if (!call) throw new Error(`${name} has no dry run`);
    return operation.interpretDryRun?.(await this.ask(call), checked, context);
  }

  async probe(name: string, args: JsonObject, operationId?: string): Promise<ProbeFinding> {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.probe) throw new Error(`${name} has no probe`);
    const context = this.context(operationId);
    return operation.probe.interpret(await this.ask(operation.probe.render(checked, context)), checked, context);
  }

  /** `operationId`: default: the call that was accepted. */
  async job(name: string, args: JsonObject, accepted: JsonValue, operationId?: string): Promise<JobFinding> {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.job) throw new Error(`${name} makes no jobs`);
    const context = this.context(operationId ?? this.#acceptedBy.get(JSON.stringify(accepted)));
    const reply = await this.ask(operation.job.render(accepted, checked, context));
    return operation.job.interpret(reply, accepted, checked, context);
  }

  async look(resource: string, object: Partial<MappedObject> & { readonly key: string }): Promise<ResourceFinding> {
    const reader = this.driver.resources?.get(resource);
    if (!reader) throw new Error(`no reader of ${resource}`);
    const mapped = { scope: '', uuid: null, ...object };
    return reader.interpret(await this.ask(reader.render(mapped, this.context())), mapped);
  }

  async health(): Promise<SelfDescription | undefined> {
    for (let health: Health | undefined = this.driver.health; health !== undefined; health = health.otherwise) {
      const self = health.interpret(await this.ask(health.render(this.context())));
      if (self !== undefined) return self;
    }
    return undefined;
  }

  /** The desired values that the relay stores for a call, as JSON. */
  desired(name: string, args: JsonObject): JsonObject {
    const { operation, checked } = this.#checked(name, args);
    return JSON.parse(JSON.stringify(operation.desired?.(checked) ?? checked)) as JsonObject;
  }

  /** The object in the form of the call's mapping. */
  objectOf(name: string, args: JsonObject): { resource: string; scope: string; key: string } {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.object) throw new Error(`${name} is about nothing`);
    return { ...operation.object(checked) };
  }

  render(name: string, args: JsonObject = {}, operationId?: string): WireCall {
    const { operation, checked } = this.#checked(name, args);
    return operation.render(checked, this.context(operationId));
  }

  send(call: WireCall, deadlineMs = this.#options.deadlineMs ?? 20_000): Promise<SendResult> {
    return this.transport(transportOf(call)).send(call, { deadlineMs });
  }

  /** The reply of a call that must have one. */
  async ask(call: WireCall): Promise<Reply> {
    const sent = await this.send(call);
    if (!sent.ok) throw new Error(`${sent.failure.code}: ${sent.failure.message}`);
    return sent.reply;
  }

  context(operationId?: string): RenderContext {
    const { options = {}, softwareVersion } = this.#options;
    return renderContext(this.driver, {
      operationId: operationId ?? randomUUID(),
      options,
      ...(softwareVersion === undefined ? {} : { softwareVersion }),
    });
  }

  /** The transport of the given or main wire, created on first use. */
  transport(kind: TransportKind = mainTransport(this.driver, this.context().backend.options)): Transport {
    const known = this.#transports.get(kind);
    if (known) return known;
    const { concurrency = 4, connectTimeoutMs, sessions = this.driver.https } = this.#options;
    const { cli } = this.driver;
    const made = createTransport(kind, this.#endpointOf(kind), {
      egress: testEgress,
      concurrency,
      backend: this.context().backend,
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      ...(sessions && kind === 'https' ? { https: sessions } : {}),
      ...(cli && kind === 'ssh' ? { cli } : {}),
    });
    this.#transports.set(kind, made);
    return made;
  }

  async stop(): Promise<void> {
    for (const transport of this.#transports.values()) await transport.close();
    this.#transports.clear();
  }

  #checked(name: string, args: JsonObject): { operation: DriverOperation; checked: JsonObject } {
    return { operation: operationOf(this.driver, name), checked: checkedFor(this.driver, name, args) };
  }
}

export function driverOf(name: string): Driver {
  const driver = drivers.get(name);
  if (driver === undefined) throw new Error(`no driver ${name}`);
  return driver;
}

export function operationOf(driver: Driver, name: string): DriverOperation {
  const operation = driver.operations.get(name);
  if (!operation) throw new Error(`no operation ${name}`);
  return operation;
}

/** Valid arguments, defaults filled in. */
export function checkedFor(driver: Driver, name: string, args: JsonObject): JsonObject {
  const result = validateArguments(operationOf(driver, name), args);
  if (!result.ok) throw new Error(`${name}: ${JSON.stringify(result.faults)}`);
  return result.args;
}

/** The faults of arguments, `path: message`; empty when valid. */
export function faultsOf(driver: Driver, name: string, args: unknown): string[] {
  const result = validateArguments(operationOf(driver, name), args);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

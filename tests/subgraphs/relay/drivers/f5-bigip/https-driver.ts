// A driver at a simulated device, used like the relay uses it: arguments validated, calls over the relay's own HTTPS transport,
// replies read by the driver.

import { randomUUID } from 'node:crypto';
import type { SendFailure } from '../../../../../platform/net/send.ts';
import type { TlsServer } from '../../../../../simulators/support/tls-server.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  Driver,
  DriverOperation,
  JobFinding,
  JsonObject,
  JsonValue,
  MappedObject,
  Outcome,
  ProbeFinding,
  ResourceFinding,
  WireCall,
} from '../../../../../subgraphs/relay/drivers/driver.ts';
import { createHttpsTransport } from '../../../../../subgraphs/relay/transports/https-transport.ts';
import type { Endpoint, SendResult, Transport } from '../../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../../support/egress.ts';
import { renderContext } from '../../support/render-context.ts';
import { pinOf } from '../../transports/support/web-device.ts';

export interface HttpsDriverOptions {
  readonly username?: string;
  readonly password?: string;
  readonly options?: JsonObject;
  readonly deadlineMs?: number;
}

/** The result of a call: the driver's outcome, or the reason why there was no reply. */
export type Called = Outcome | { readonly state: 'NO_REPLY'; readonly failure: SendFailure };

export class HttpsDriver {
  readonly transport: Transport;
  readonly #driver: Driver;
  readonly #options: HttpsDriverOptions;

  constructor(driver: Driver, server: TlsServer, options: HttpsDriverOptions = {}) {
    this.#driver = driver;
    this.#options = options;
    const endpoint: Endpoint = {
      host: server.host,
      port: server.port,
      hostKeySha256: null,
      certificateSha256: pinOf(server.certificate.sha256),
      cryptoProfile: 'MODERN',
      credentials: { username: options.username ?? 'admin', password: options.password ?? 'secret' },
    };
    const { backend } = this.#context();
    const https = driver.https ? { https: driver.https } : {};
    this.transport = createHttpsTransport(endpoint, { egress: testEgress, concurrency: 2, backend, ...https });
  }

  /** The operation's outcome; the arguments must be valid. */
  async call(name: string, args: JsonObject, operationId: string = randomUUID()): Promise<Called> {
    const { operation, checked } = this.#checked(name, args);
    const sent = await this.send(operation.render(checked, this.#context(operationId)));
    if (!sent.ok) return { state: 'NO_REPLY', failure: sent.failure };
    return operation.interpret(sent.reply, checked);
  }

  /** The result of a call that must succeed. */
  async done(name: string, args: JsonObject, operationId?: string): Promise<JsonObject> {
    const called = await this.call(name, args, operationId);
    if (called.state !== 'SUCCEEDED') throw new Error(JSON.stringify(called));
    return called.result as JsonObject;
  }

  /** The result of a call that must become a job. */
  async accepted(name: string, args: JsonObject, operationId?: string): Promise<JsonObject> {
    const called = await this.call(name, args, operationId);
    if (called.state !== 'ACCEPTED') throw new Error(JSON.stringify(called));
    return called.result as JsonObject;
  }

  async probe(name: string, args: JsonObject, operationId: string): Promise<ProbeFinding> {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.probe) throw new Error(`${name} has no probe`);
    const context = this.#context(operationId);
    return operation.probe.interpret(await this.#reply(operation.probe.render(checked, context)), checked, context);
  }

  async job(name: string, args: JsonObject, accepted: JsonValue): Promise<JobFinding> {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.job) throw new Error(`${name} makes no jobs`);
    const reply = await this.#reply(operation.job.render(accepted, checked, this.#context()));
    return operation.job.interpret(reply, accepted, checked);
  }

  async look(
    resource: string,
    object: Omit<MappedObject, 'uuid'> & { readonly uuid?: string },
  ): Promise<ResourceFinding> {
    const reader = this.#driver.resources?.get(resource);
    if (!reader) throw new Error(`no reader of ${resource}`);
    const mapped = { uuid: null, ...object };
    return reader.interpret(await this.#reply(reader.render(mapped, this.#context())), mapped);
  }

  /** The desired values that the relay stores for a call. */
  desired(name: string, args: JsonObject): JsonObject {
    const { operation, checked } = this.#checked(name, args);
    return operation.desired?.(checked) ?? checked;
  }

  /** In the form of the call's mapping. */
  objectOf(name: string, args: JsonObject): { resource: string; scope: string; key: string } {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.object) throw new Error(`${name} is about nothing`);
    return { ...operation.object(checked) };
  }

  async health() {
    return this.#driver.health.interpret(await this.#reply(this.#driver.health.render(this.#context())));
  }

  send(call: WireCall): Promise<SendResult> {
    return this.transport.send(call, { deadlineMs: this.#options.deadlineMs ?? 10_000 });
  }

  stop(): Promise<void> {
    return this.transport.close();
  }

  async #reply(call: WireCall) {
    const sent = await this.send(call);
    if (!sent.ok) throw new Error(JSON.stringify(sent.failure));
    return sent.reply;
  }

  #checked(name: string, args: JsonObject): { operation: DriverOperation; checked: JsonObject } {
    const operation = operationOf(this.#driver, name);
    const result = validateArguments(operation, args);
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    return { operation, checked: result.args };
  }

  #context(operationId: string = randomUUID()) {
    return renderContext(this.#driver, { operationId, options: this.#options.options ?? {} });
  }
}

export function operationOf(driver: Driver, name: string): DriverOperation {
  const operation = driver.operations.get(name);
  if (!operation) throw new Error(`no operation ${name}`);
  return operation;
}

/** The faults of arguments, `path: message`; empty when valid. */
export function faultsOf(driver: Driver, name: string, args: JsonObject): string[] {
  const result = validateArguments(operationOf(driver, name), args);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

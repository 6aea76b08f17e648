// A simulated FortiGate behind the relay's own transports and the driver: arguments validated, calls sent, replies read. Both are
// stopped after the test.

import { randomUUID } from 'node:crypto';
import { afterEach } from '@jest/globals';
import type { SendFailure } from '../../../../../../platform/net/send.ts';
import { FortiGate, type FortiGateOptions } from '../../../../../../simulators/fortios/fortigate.ts';
import { validateArguments } from '../../../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  Credentials,
  DriverOperation,
  JsonObject,
  MappedObject,
  Outcome,
  ProbeFinding,
  ResourceFinding,
  TransportKind,
  WireCall,
} from '../../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { transportOf } from '../../../../../../subgraphs/relay/drivers/options.ts';
import { createTransport } from '../../../../../../subgraphs/relay/transports/factories.ts';
import type { SendResult, Transport } from '../../../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../../../support/egress.ts';
import { renderContext } from '../../../support/render-context.ts';
import { pinOf } from '../../../transports/support/web-device.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface RelayedOptions {
  readonly credentials?: Partial<Credentials>;
  readonly options?: JsonObject;
  /** As read by the last health check. */
  readonly softwareVersion?: string;
  readonly deadlineMs?: number;
}

/** The result of a call: the driver's outcome, or the reason why there was no reply. */
export type Called = Outcome | { readonly state: 'NO_REPLY'; readonly failure: SendFailure };

export class RelayedGate {
  readonly gate: FortiGate;
  readonly #options: RelayedOptions;
  /** At the time when the operator accepted it. */
  readonly #certificateSha256: string;
  readonly #transports = new Map<TransportKind, Transport>();

  constructor(gate: FortiGate, options: RelayedOptions = {}) {
    this.gate = gate;
    this.#options = options;
    this.#certificateSha256 = pinOf(gate.https.certificate.sha256);
    cleanups.push(() => this.close());
  }

  static async start(gate: FortiGateOptions = {}, options: RelayedOptions = {}): Promise<RelayedGate> {
    const started = await FortiGate.start(gate);
    cleanups.push(() => started.stop());
    return new RelayedGate(started, options);
  }

  async call(name: string, args: JsonObject, operationId: string = randomUUID()): Promise<Called> {
    const { operation, checked } = this.#checked(name, args);
    const sent = await this.send(operation.render(checked, this.#context(operationId)));
    return sent.ok ? operation.interpret(sent.reply, checked) : { state: 'NO_REPLY', failure: sent.failure };
  }

  /** The result of a call that must succeed. */
  async done(name: string, args: JsonObject = {}, operationId?: string): Promise<JsonObject> {
    const called = await this.call(name, args, operationId);
    if (called.state !== 'SUCCEEDED') throw new Error(JSON.stringify(called));
    return called.result as JsonObject;
  }

  /** State and code of a call that must not succeed. */
  async refused(name: string, args: JsonObject): Promise<string> {
    const called = await this.call(name, args);
    if (called.state === 'NO_REPLY') return `${called.failure.kind} ${called.failure.code}`;
    return 'code' in called ? `${called.state} ${called.code}` : called.state;
  }

  async probe(name: string, args: JsonObject): Promise<ProbeFinding> {
    const { operation, checked } = this.#checked(name, args);
    if (!operation.probe) throw new Error(`${name} has no probe`);
    const sent = await this.send(operation.probe.render(checked, this.#context()));
    if (!sent.ok) throw new Error(JSON.stringify(sent.failure));
    return operation.probe.interpret(sent.reply, checked, this.#context());
  }

  async look(resource: string, object: Partial<MappedObject>): Promise<ResourceFinding> {
    const reader = fortios.resources?.get(resource);
    if (!reader) throw new Error(`no reader of ${resource}`);
    const mapped = { scope: 'root', key: '', uuid: null, ...object };
    const sent = await this.send(reader.render(mapped, this.#context()));
    if (!sent.ok) throw new Error(JSON.stringify(sent.failure));
    return reader.interpret(sent.reply, mapped);
  }

  /** The desired values that the relay stores for a call. */
  desired(name: string, args: JsonObject): JsonObject {
    const { operation, checked } = this.#checked(name, args);
    return operation.desired?.(checked) ?? checked;
  }

  async health() {
    const sent = await this.send(fortios.health.render(this.#context()));
    return sent.ok ? fortios.health.interpret(sent.reply) : sent.failure;
  }

  send(call: WireCall): Promise<SendResult> {
    return this.#transport(transportOf(call)).send(call, { deadlineMs: this.#options.deadlineMs ?? 10_000 });
  }

  async close(): Promise<void> {
    for (const transport of this.#transports.values()) await transport.close();
    this.#transports.clear();
  }

  #transport(kind: TransportKind): Transport {
    const known = this.#transports.get(kind);
    if (known) return known;
    const { https, ssh } = this.gate;
    const { cli, https: sessions } = fortios;
    const made = createTransport(
      kind,
      {
        host: this.gate.host,
        port: kind === 'ssh' ? ssh.port : https.port,
        hostKeySha256: ssh.hostKeySha256,
        certificateSha256: this.#certificateSha256,
        cryptoProfile: 'MODERN',
        credentials: { username: 'admin', password: 'secret', ...this.#options.credentials },
      },
      {
        egress: testEgress,
        concurrency: 2,
        backend: this.#context().backend,
        ...(sessions && kind === 'https' ? { https: sessions } : {}),
        ...(cli && kind === 'ssh' ? { cli } : {}),
      },
    );
    this.#transports.set(kind, made);
    return made;
  }

  #checked(name: string, args: JsonObject): { operation: DriverOperation; checked: JsonObject } {
    const operation = operationOf(name);
    const result = validateArguments(operation, args);
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    return { operation, checked: result.args };
  }

  #context(operationId: string = randomUUID()) {
    const { options = {}, softwareVersion } = this.#options;
    return renderContext(fortios, {
      operationId,
      options,
      ...(softwareVersion === undefined ? {} : { softwareVersion }),
    });
  }
}

export function operationOf(name: string): DriverOperation {
  const operation = fortios.operations.get(name);
  if (!operation) throw new Error(`no operation ${name}`);
  return operation;
}

/** The faults of arguments, `path: message`; empty when valid. */
export function faultsOf(name: string, args: JsonObject): string[] {
  const result = validateArguments(operationOf(name), args);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

// The driver at a real Apache with ModSecurity, used like the relay uses it: arguments validated, calls over the relay's own SSH
// transport, replies read by the driver.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RunningWaf } from '../../../../../lab/apache-waf.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  DriverOperation,
  JsonObject,
  MappedObject,
  Outcome,
  Reply,
  ResourceFinding,
  WireCall,
} from '../../../../../subgraphs/relay/drivers/driver.ts';
import { modSecurity } from '../../../../../subgraphs/relay/drivers/modsecurity/driver.ts';
import type { Endpoint, Transport } from '../../../../../subgraphs/relay/transports/session.ts';
import { createSshTransport } from '../../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../../support/egress.ts';
import { renderContext } from '../../support/render-context.ts';

export function operationOf(name: string): DriverOperation {
  const found = modSecurity.operations.get(name);
  if (!found) throw new Error(`no operation ${name}`);
  return found;
}

export function checked(name: string, args: JsonObject): JsonObject {
  const result = validateArguments(operationOf(name), args);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.args;
}

export function faultsOf(name: string, args: JsonObject): string[] {
  const result = validateArguments(operationOf(name), args);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

export async function endpointOf(waf: RunningWaf): Promise<Endpoint> {
  const { host, port, username, privateKeyPath, hostKeySha256 } = waf.ssh;
  const privateKey = await readFile(privateKeyPath, 'utf8');
  return { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username, privateKey } };
}

export class WafDriver {
  readonly transport: Transport;

  constructor(endpoint: Endpoint) {
    this.transport = createSshTransport(endpoint, { egress: testEgress, concurrency: 4 });
  }

  async call(name: string, args: JsonObject, operationId: string = randomUUID()): Promise<Outcome> {
    const given = checked(name, args);
    const reply = await this.ask(operationOf(name).render(given, renderContext(modSecurity, { operationId })));
    return operationOf(name).interpret(reply, given);
  }

  async dryRun(name: string, args: JsonObject): Promise<Outcome | undefined> {
    const given = checked(name, args);
    const wire = operationOf(name).renderDryRun?.(given, renderContext(modSecurity));
    if (!wire) throw new Error(`${name} has no dry run`);
    return operationOf(name).interpretDryRun?.(await this.ask(wire), given);
  }

  async look(resource: string, object: Omit<MappedObject, 'uuid'>): Promise<ResourceFinding> {
    const reader = modSecurity.resources?.get(resource);
    if (!reader) throw new Error(`no reader of ${resource}`);
    const mapped = { ...object, uuid: null };
    return reader.interpret(await this.ask(reader.render(mapped, renderContext(modSecurity))), mapped);
  }

  async ask(wire: WireCall): Promise<Reply> {
    const sent = await this.transport.send(wire, { deadlineMs: 20_000 });
    if (!sent.ok) throw new Error(sent.failure.message);
    return sent.reply;
  }

  stop(): Promise<void> {
    return this.transport.close();
  }
}

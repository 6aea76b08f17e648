// Queries of a backend (`relayRead`) and dry runs of calls: rendered and sent, never journaled.
import type { RelayReadInput } from '../../../../generated/graph/relay.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { toUserErrors } from '../../../../platform/edge/mutation.ts';
import { Refusal, refuse, type UserError } from '../../../../platform/errors/errors.ts';
import { requireRole } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { validateArguments } from '../../drivers/arguments.ts';
import type { Driver, DriverOperation, JsonObject, RenderContext, WireCall } from '../../drivers/driver.ts';
import { contextOf, driverOf } from '../backends/endpoint.ts';
import { checkSelector, selectBackend } from '../backends/selector.ts';
import type { DeviceReader } from '../holding/device-reader.ts';
import { wireText } from '../model/operation.ts';
import type { CallSecrets } from '../model/secret-arguments.ts';
import { argumentFaults, notSupported } from './call-request.ts';

interface ReadResult {
  readonly result: unknown;
  readonly wireCall: string | null;
  readonly userErrors: readonly UserError[];
  readonly deviceError: { readonly code: string; readonly message: string } | null;
}

interface ReadServiceOptions {
  readonly db: Database;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly reader: DeviceReader;
}

export class ReadService {
  readonly #options: ReadServiceOptions;

  constructor(options: ReadServiceOptions) {
    this.#options = options;
  }

  async read(context: RequestContext, input: RelayReadInput): Promise<ReadResult> {
    try {
      return await this.#read(context, input);
    } catch (error) {
      const userErrors = toUserErrors(error);
      if (userErrors === undefined) throw error;
      return { result: null, wireCall: null, userErrors, deviceError: null };
    }
  }

  async #read(context: RequestContext, input: RelayReadInput): Promise<ReadResult> {
    const { db, drivers, reader } = this.#options;
    const check = new InputCheck();
    checkSelector(check, input.backend, null);
    check.text('operation', input.operation, { required: true, min: 1, max: 64 });
    check.throwIfAny();
    const backend = await selectBackend(db, context.identity, { ...input, cmp: null });
    requireRole(context.identity, backend.projectId, 'MEMBER', 'relayRead');
    const driver = driverOf(drivers, backend);
    const operation = driver.operations.get(input.operation) ?? notSupported(driver, input.operation);
    if (operation.effect !== 'READ')
      refuse('NOT_SUPPORTED', `${operation.name} changes the backend: use relayCall`, {
        field: ['input', 'operation'],
      });
    const checked = validateArguments(operation, input.arguments, contextOf(driver, backend));
    const fieldOf = (path: readonly string[]) => ['input', 'arguments', ...path];
    const plan = { ...input, fieldOf, faultCode: 'INVALID_ARGUMENTS' } as const;
    if (!checked.ok) throw new Refusal(argumentFaults(plan, checked.faults));
    const rendering = { operationId: newUuid(), backend: contextOf(driver, backend) };
    const wire = operation.render(checked.args, rendering);
    const asked = await reader.ask(backend, wire, backend.deadlineMs);
    const answer = { wireCall: wireText(wire), userErrors: [], result: null, deviceError: null };
    const { redactor } = asked;
    if (!asked.ok) return { ...answer, deviceError: redactor.value(asked.failure) };
    const outcome = operation.interpret(asked.reply, checked.args, rendering);
    if (outcome.state === 'SUCCEEDED' || outcome.state === 'ACCEPTED')
      return { ...answer, result: redactor.value(outcome.result) };
    return { ...answer, deviceError: { code: outcome.code, message: redactor.text(outcome.message) } };
  }
}

/** The device's own check of a call; null if it has none. Refuses like DeviceReader.ask. */
export async function deviceCheck(
  reader: DeviceReader,
  call: {
    readonly backend: Parameters<DeviceReader['ask']>[0];
    readonly operation: DriverOperation;
    readonly args: JsonObject;
    readonly rendering: RenderContext;
    readonly deadlineMs: number;
    readonly secrets?: CallSecrets | undefined;
  },
): Promise<{ code: string; message: string } | null> {
  const { operation, args, rendering } = call;
  const wire: WireCall | undefined = operation.renderDryRun?.(args, rendering);
  if (wire === undefined) return null;
  const asked = await reader.ask(call.backend, wire, call.deadlineMs);
  const hide = (text: string) => call.secrets?.redactor.text(asked.redactor.text(text)) ?? asked.redactor.text(text);
  if (!asked.ok) return { code: asked.failure.code, message: hide(asked.failure.message) };
  const outcome = (operation.interpretDryRun ?? operation.interpret)(asked.reply, args, rendering);
  if (outcome.state === 'SUCCEEDED' || outcome.state === 'ACCEPTED')
    return { code: 'OK', message: `the device found no fault; it checks ${operation.checks ?? 'the call'}` };
  return { code: outcome.code, message: hide(outcome.message) };
}

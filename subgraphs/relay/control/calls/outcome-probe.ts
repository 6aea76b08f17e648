// Ways to find out how a call ended: by the job of an accepted call, by the driver's own probe, or by the object itself. The object
// is conclusive if the device keeps the mark of the call that made it, or if the call is idempotent.
import type {
  Driver,
  DriverOperation,
  JobFinding,
  JsonObject,
  JsonValue,
  ProbeFinding,
  RenderContext,
  Reply,
  ResourceFinding,
  ResourceReader,
  WireCall,
} from '../../drivers/driver.ts';
import { type Comparison, differences } from '../mappings/differences.ts';
import type { OperationRow } from '../model/operation.ts';
import { secretNamesOf } from '../model/secret-arguments.ts';

/** `proven`: by the call's own mark or job. Otherwise the call may still act, and the finding counts only once that is over. */
export type Finding =
  | {
      readonly is: 'DONE';
      readonly note: string;
      readonly proven: boolean;
      readonly uuid?: string;
      readonly result?: JsonValue;
    }
  | {
      readonly is: 'NOT_DONE';
      readonly note: string;
      readonly proven: boolean;
      readonly error: { readonly code: string; readonly message: string };
    }
  | { readonly is: 'OPEN'; readonly finding: string; readonly note: string };

interface Look {
  render(context: RenderContext): WireCall;
  interpret(reply: Reply, context: RenderContext): Finding;
}

/**
 * `uuid`: the device's own id of the object, from its mapping. `args`: the call's arguments, with its secrets. Undefined if only a
 * person can find out.
 */
export function outcomeProbe(
  driver: Driver,
  row: OperationRow,
  uuid: string | null,
  args = JSON.parse(row.arguments) as JsonObject,
): Look | undefined {
  const operation = driver.operations.get(row.name);
  if (operation === undefined) return undefined;
  const { job, probe } = operation;
  if (row.state === 'ACCEPTED') {
    if (job === undefined) return undefined;
    const accepted = JSON.parse(row.result ?? 'null') as JsonValue;
    return {
      render: (context) => job.render(accepted, args, context),
      interpret: (reply, context) => ofJob(job.interpret(reply, accepted, args, context)),
    };
  }
  if (probe !== undefined)
    return {
      render: (context) => probe.render(args, context),
      interpret: (reply, context) => ofProbe(probe.interpret(reply, args, context), operation),
    };
  const reader = driver.resources?.get(row.resource);
  if (reader === undefined || operation.mapping === undefined) return undefined;
  const object = { scope: row.scope, key: row.objectKey, uuid };
  return {
    render: (context) => reader.render(object, context),
    interpret: (reply) => ofResource(reader.interpret(reply, object), reader, operation, args, row.id),
  };
}

function ofJob(found: JobFinding): Finding {
  switch (found.finding) {
    case 'RUNNING':
    case 'UNREADABLE':
      return { is: 'OPEN', finding: found.finding, note: found.message };
    case 'SUCCEEDED': {
      const uuid = found.uuid === undefined ? {} : { uuid: found.uuid };
      return { is: 'DONE', note: 'the job succeeded', proven: true, result: found.result, ...uuid };
    }
    case 'FAILED': {
      const { code, message } = found;
      return { is: 'NOT_DONE', note: message, proven: true, error: { code, message } };
    }
  }
}

function ofProbe(found: ProbeFinding, operation: DriverOperation): Finding {
  if (found.finding === 'UNREADABLE') return { is: 'OPEN', finding: 'UNREADABLE', note: found.message };
  const proven = found.own === true;
  const note = `the object is ${found.finding.toLowerCase()}${proven ? ', by the mark of this call' : ''}`;
  const wanted = operation.mapping === 'deletes' ? 'ABSENT' : 'PRESENT';
  if (found.finding !== wanted) return notDone(note);
  if (!proven && found.finding === 'PRESENT' && operation.effect === 'NON_IDEMPOTENT') return notOurs;
  const uuid = found.finding === 'PRESENT' && found.uuid !== undefined ? { uuid: found.uuid } : {};
  return { is: 'DONE', note, proven, ...uuid };
}

/**
 * Only its own mark, or for idempotent calls exactly the values that it sets, proves that a call took effect. Another call's mark
 * on the object of a non-idempotent call proves nothing.
 */
function ofResource(
  found: ResourceFinding,
  reader: ResourceReader,
  operation: DriverOperation,
  args: JsonObject,
  operationId: string,
): Finding {
  if (found.finding === 'UNREADABLE') return { is: 'OPEN', finding: 'UNREADABLE', note: found.message };
  if (found.finding === 'ABSENT') {
    const note = 'the object is absent';
    return operation.mapping === 'deletes' ? { is: 'DONE', note, proven: false } : notDone(note);
  }
  const uuid = found.uuid === undefined ? {} : { uuid: found.uuid };
  if (operation.mapping === 'deletes') return notDone('the object is present');
  if (found.operationId === operationId)
    return { is: 'DONE', note: 'the object has the mark of this call', proven: true, ...uuid };
  if (operation.effect === 'IDEMPOTENT') {
    const unlike = differences(
      operation.desired?.(comparable(operation, args, reader)) ?? comparable(operation, args, reader),
      found.values,
      comparisonFor(operation, reader),
    );
    if (unlike.length === 0) return { is: 'DONE', note: 'the object is as this call sets it', proven: false, ...uuid };
    return notDone(
      `the object exists, but differs from what this call sets: ${unlike.map((one) => one.path).join(', ')}`,
    );
  }
  return notOurs;
}

/** Without the secrets that can't be read from the device. */
function comparable(operation: DriverOperation, args: JsonObject, { secrets = [] }: ResourceReader): JsonObject {
  const hidden = secretNamesOf(operation).filter((name) => !secrets.includes(name));
  return hidden.length === 0 ? args : { ...args, ...Object.fromEntries(hidden.map((name) => [name, undefined])) };
}

/** A change of some settings is no evidence about the other settings. */
export function comparisonFor({ mapping }: DriverOperation, { lists, own }: ResourceReader): Comparison {
  return mapping === 'creates' ? { lists, own } : { lists };
}

const notOurs: Finding = {
  is: 'OPEN',
  finding: 'NOT_OURS',
  note: 'an object with this name exists, without the mark of this call: inspect it and give a verdict',
};

function notDone(note: string): Finding {
  return { is: 'NOT_DONE', note, proven: false, error: { code: 'NOT_APPLIED', message: `not carried out: ${note}` } };
}

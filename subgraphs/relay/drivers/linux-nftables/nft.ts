// Requests and replies of nft 1.0: libnftables-json(5) on standard input, so that user data is never part of a command line or of
// nft's own language.

import {
  type Refused,
  readFailure,
  refusal,
  tooLong,
  type Unreadable,
  unknown,
  unreadable,
  writeFailure,
} from '../answer.ts';
import {
  type ExecCall,
  type ExecReply,
  type JsonObject,
  type JsonValue,
  maxMessageLength,
  type OperationSpec,
  type Outcome,
} from '../driver.ts';
import { isObject } from '../json.ts';

export type NftOperation<Arguments> = OperationSpec<Arguments, ExecReply>;

/** `-e` echoes the changes, `-a` with handles. */
const applyCommand = 'nft -j -e -a -f -';
const checkCommand = 'nft -c -j -f -';
const readCommand = 'nft -j -a -f -';

export function apply(command: JsonObject): ExecCall {
  return call(applyCommand, [command]);
}

/** Applies the commands as one batch: all or nothing. */
export function applyAll(commands: readonly JsonObject[]): ExecCall {
  return call(applyCommand, commands);
}

/** Lets the device check a command without changing anything. */
export function check(command: JsonObject): ExecCall {
  return call(checkCommand, [command]);
}

export function checkAll(commands: readonly JsonObject[]): ExecCall {
  return call(checkCommand, commands);
}

export function list(what: JsonObject): ExecCall {
  return call(readCommand, [{ list: what }]);
}

function call(command: string, nftables: readonly JsonObject[]): ExecCall {
  return { kind: 'exec', command, stdin: `${JSON.stringify({ nftables })}\n` };
}

/** nft's answer: its objects, a refusal in its own words, or nothing understandable. */
type NftAnswer =
  | { readonly kind: 'objects'; readonly objects: readonly JsonObject[] }
  | (Refused & { readonly absent: boolean })
  | Unreadable;

/**
 * nft applies a batch as a whole or not at all. If it refuses, it exits with 1 and `Error: …`. Other ends (a signal, a killed
 * shell) leave the outcome unknown.
 */
export function readAnswer(reply: ExecReply): NftAnswer {
  const { exitCode, stdout } = reply;
  const words = reply.stderr
    .trim()
    .replaceAll(/^internal:\d+:\d+-\d+: /gm, '')
    .slice(0, maxMessageLength);
  if (reply.truncated) return tooLong;
  if (exitCode === 126 || exitCode === 127) {
    return {
      kind: 'refused',
      code: 'COMMAND_NOT_FOUND',
      message: words || 'The program nft is missing on the device.',
      absent: false,
    };
  }
  // The kernel may have committed before it ran out of space for the echo.
  if (exitCode === 1 && /\bError: /.test(words) && !/No buffer space/i.test(words)) {
    const absent = /element does not exist|No such file or directory/.test(words);
    return { kind: 'refused', code: 'DEVICE_REFUSED', message: words, absent };
  }
  if (exitCode !== 0) {
    return unreadable(`nft ended with ${exitCode ?? 'a signal'}: ${words || 'no message'}.`);
  }
  const objects = parseObjects(stdout);
  return objects ? { kind: 'objects', objects } : unreadable('nft reported success, but its answer is unreadable.');
}

function parseObjects(text: string): readonly JsonObject[] | undefined {
  try {
    const parsed = JSON.parse(text) as unknown;
    const objects = isObject(parsed) ? parsed.nftables : undefined;
    return Array.isArray(objects) && objects.length > 0 && objects.every(isObject) ? objects : undefined;
  } catch {
    return undefined;
  }
}

/** The objects of one kind in an answer, for example all rules. */
export function objectsOf(objects: readonly JsonObject[], kind: string): JsonObject[] {
  return objects.map((object) => object[kind]).filter(isObject);
}

/** Whether an echo names this object: an answer to another request is no verdict. */
export function isIn(echoed: JsonObject, wanted: Readonly<Record<string, JsonValue>>): boolean {
  return Object.entries(wanted).every(([member, value]) => echoed[member] === value);
}

/**
 * Outcome of a write. `read` makes the result from nft's echo. It returns undefined if the echo lacks data, or is about another
 * object.
 */
export function writeOutcome(
  reply: ExecReply,
  verb: 'add' | 'create' | 'delete',
  kind: string,
  read: (echoed: JsonObject) => { result: JsonValue; uuid?: string } | undefined,
): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') {
    const isTaken = kind === 'set' && /File exists/.test(answer.message);
    return refusal(isTaken ? { ...answer, code: 'ALREADY_EXISTS' } : answer, verb === 'delete' && answer.absent);
  }
  if (answer.kind === 'unreadable') return writeFailure(answer);
  const [echoed] = objectsOf(objectsOf(answer.objects, verb), kind);
  const succeeded = echoed && read(echoed);
  return succeeded
    ? { state: 'SUCCEEDED', ...succeeded }
    : unknown(`nft reported success, but did not echo the ${kind}.`);
}

/** Outcome of a read: READ operations have no unknown outcome. */
export function readOutcome(reply: ExecReply, read: (objects: readonly JsonObject[]) => JsonValue): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'objects') return { state: 'SUCCEEDED', result: read(answer.objects) };
  return readFailure(answer);
}

/** Outcome of `nft -c`, which prints nothing on success. */
export function checkOutcome(reply: ExecReply): Outcome {
  if (reply.exitCode === 0 && !reply.truncated) return { state: 'SUCCEEDED', result: null };
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return refusal(answer);
  return {
    state: 'FAILED',
    code: 'UNREADABLE_REPLY',
    message: answer.kind === 'unreadable' ? answer.message : 'nft did not answer.',
  };
}

/** A handle as the device's own stable id. */
export function handleOf(object: JsonObject): string | undefined {
  return typeof object.handle === 'number' && Number.isSafeInteger(object.handle) ? String(object.handle) : undefined;
}

// Requests and replies of nft 1.0: libnftables-json(5) on standard input, so that user data is never part of a command line or of
// nft's own language.

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

/** One batch: all of it or nothing. */
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
export type NftAnswer =
  | { readonly kind: 'objects'; readonly objects: readonly JsonObject[] }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly absent: boolean }
  | { readonly kind: 'unreadable'; readonly message: string };

/**
 * nft applies a batch as a whole or not at all; in the latter case it exits with 1 and `Error: …`. Other ends (a signal, a killed
 * shell) say nothing about the outcome.
 */
export function readAnswer(reply: ExecReply): NftAnswer {
  const { exitCode, stdout } = reply;
  const words = reply.stderr
    .trim()
    .replaceAll(/^internal:\d+:\d+-\d+: /gm, '')
    .slice(0, maxMessageLength);
  if (reply.truncated) return { kind: 'unreadable', message: 'The reply is too long to be read.' };
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
    return { kind: 'unreadable', message: `nft ended with ${exitCode ?? 'a signal'}: ${words || 'no message'}.` };
  }
  const objects = parseObjects(stdout);
  return objects
    ? { kind: 'objects', objects }
    : { kind: 'unreadable', message: 'nft reported success, but its answer is unreadable.' };
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

/** Outcome of a write. `read` makes the result from nft's echo; undefined when required data is missing. */
export function writeOutcome(
  reply: ExecReply,
  verb: 'add' | 'create' | 'delete',
  kind: string,
  read: (echoed: JsonObject) => { result: JsonValue; uuid?: string } | undefined,
): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') {
    const { code, message, absent } = answer;
    return { state: 'FAILED', code, message, ...(verb === 'delete' && absent ? { absent } : {}) };
  }
  if (answer.kind === 'unreadable') return unknown(answer.message);
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
  const code = answer.kind === 'refused' ? answer.code : reply.truncated ? 'REPLY_TOO_LONG' : 'UNREADABLE_REPLY';
  return { state: 'FAILED', code, message: answer.message };
}

/** Outcome of `nft -c`, which prints nothing on success. */
export function checkOutcome(reply: ExecReply): Outcome {
  if (reply.exitCode === 0 && !reply.truncated) return { state: 'SUCCEEDED', result: null };
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  return {
    state: 'FAILED',
    code: 'UNREADABLE_REPLY',
    message: answer.kind === 'unreadable' ? answer.message : 'nft did not answer.',
  };
}

function unknown(message: string): Outcome {
  return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message };
}

/** A handle as the device's own stable id. */
export function handleOf(object: JsonObject): string | undefined {
  return typeof object.handle === 'number' && Number.isSafeInteger(object.handle) ? String(object.handle) : undefined;
}

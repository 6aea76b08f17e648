// The messages of a link, one JSON text for each WebSocket frame. A link connects a machine without a database to the role that
// controls it. Documents with generations go to the machine, and reports come back.
import { z } from 'zod';
import { isObject, type JsonValue } from '../values/json.ts';
import { positionShape } from '../values/positions.ts';

/** Rises with each change that an older peer would misunderstand. */
export const linkVersion = 2;

/** Header of the upgrade: a UUID of the process, so that a second process with the credentials of a machine is told apart. */
export const processHeader = 'tidegate-process';

/** A hello has the position of each document. */
export const mostFromMachineBytes = 4 * 1024 * 1024;
export const mostToMachineBytes = 16 * 1024 * 1024;
export const mostDocuments = 10_000;

/** The other end counts as lost after this time without a sign of life, unless a role sets its own time. */
export const usualSilentMs = 5_000;

/** Longest answer to a question. */
export const mostAnswerBytes = 1024 * 1024;
const mostFailure = 1_000;

const key = z.string().min(1).max(255);
const json = z.custom<JsonValue>((value) => value !== undefined);
const object = z.custom<Readonly<Record<string, JsonValue>>>(isObject);

const mark = z.strictObject({
  position: positionShape,
  /** Sealed by the other end, so that no machine can invent a mark. */
  proof: z.string().min(1).max(200),
});
export type Mark = z.output<typeof mark>;

const number = z.number().int().positive();

/** Either end asks the other; see questions.ts. */
const ask = z.strictObject({ type: z.literal('ask'), number, body: json });
const answer = z.strictObject({
  ...{ type: z.literal('answer'), number, body: json.optional() },
  /** Why there is none. */
  failed: z.string().max(mostFailure).optional(),
});
export type QuestionMessage = z.output<typeof ask> | z.output<typeof answer>;

const fromMachine = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    version: z.number().int(),
    /** Properties and resources of the machine, for the role that it connects to. */
    facts: object,
    /** The positions of the documents that it has. */
    held: z.record(key, positionShape),
    /** The highest mark that it has received. Null if none. */
    mark: mark.nullable(),
  }),
  /** The state of something. A later report with the same key replaces it. */
  z.strictObject({ type: z.literal('report'), number, key, body: json }),
  /** A change did not follow the document that the machine has, or a document refers to one that it lacks. */
  z.strictObject({ type: z.literal('resend'), key }),
  ...[ask, answer],
]);

const toMachine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('welcome'), epoch: z.number().int().nonnegative() }),
  z.strictObject({ type: z.literal('document'), key, position: positionShape, document: json }),
  z.strictObject({ type: z.literal('change'), key, change: object }),
  z.strictObject({ type: z.literal('gone'), key }),
  /**
   * How far the database of the other end has come. A machine keeps the highest mark and sends it in its next hello. If a database
   * has a lower mark in the same history, it was set back.
   */
  z.strictObject({ type: z.literal('mark'), mark }),
  /** Every document that the machine must have is now there: it was sent on this connection, or the machine already had it. */
  z.strictObject({ type: z.literal('whole') }),
  /** The report of this number is stored. */
  z.strictObject({ type: z.literal('stored'), number }),
  ...[ask, answer],
]);

export type FromMachine = z.output<typeof fromMachine>;
export type ToMachine = z.output<typeof toMachine>;

/** Undefined if it is not a message. */
export function readFromMachine(text: string): FromMachine | undefined {
  return read(fromMachine, text);
}

/** Undefined if it is not a message. */
export function readToMachine(text: string): ToMachine | undefined {
  return read(toMachine, text);
}

/** The version of a hello that can't be read because its sender uses another version. */
export function versionOfHello(text: string): number | undefined {
  return read(z.looseObject({ type: z.literal('hello'), version: z.number().int() }), text)?.version;
}

function read<Shape extends z.ZodType>(shape: Shape, text: string): z.output<Shape> | undefined {
  try {
    const message = shape.safeParse(JSON.parse(text));
    return message.success ? message.data : undefined;
  } catch {
    return undefined;
  }
}

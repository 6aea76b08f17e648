// The messages of a link, one JSON text for each WebSocket frame. A link connects a machine without a database to the role that tells
// it what to do: documents with generations go to the machine, reports come back.
import { z } from 'zod';
import { isObject, type JsonValue } from '../json.ts';

/** Rises with each change that an older peer would misunderstand. */
export const linkVersion = 1;

/** A hello has the generation of each document. */
export const mostFromMachineBytes = 4 * 1024 * 1024;
export const mostToMachineBytes = 16 * 1024 * 1024;
export const mostDocuments = 10_000;

/** Without a sign of life for so long, the other end is taken for lost; unless a role has a time of its own. */
export const usualSilentMs = 5_000;

/** Of an answer to a question. */
export const mostAnswerBytes = 1024 * 1024;
const mostFailure = 1_000;

const key = z.string().min(1).max(255);
const generation = z.number().int().nonnegative();
const json = z.custom<JsonValue>((value) => value !== undefined);
const object = z.custom<Readonly<Record<string, JsonValue>>>(isObject);

const number = z.number().int().positive();

/** Either end asks the other; see questions.ts. */
const ask = z.object({ type: z.literal('ask'), number, body: json });
const answer = z.object({
  ...{ type: z.literal('answer'), number, body: json.optional() },
  /** Why there is none. */
  failed: z.string().max(mostFailure).optional(),
});
export type QuestionMessage = z.output<typeof ask> | z.output<typeof answer>;

const fromMachine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.number().int(),
    /** What the machine is and has, for the role that it connects to. */
    facts: object,
    /** The documents that it has, with their generations. */
    held: z.record(key, generation),
  }),
  /** The state of something. A later report with the same key replaces it. */
  z.object({ type: z.literal('report'), number, key, body: json }),
  /** A change did not follow the document that the machine has. */
  z.object({ type: z.literal('resend'), key }),
  ...[ask, answer],
]);

const toMachine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), epoch: generation }),
  z.object({ type: z.literal('document'), key, generation, document: json }),
  z.object({ type: z.literal('change'), key, change: object }),
  z.object({ type: z.literal('gone'), key }),
  /** Every document that the machine must have was sent on this connection, or is among those that it has. */
  z.object({ type: z.literal('whole') }),
  /** The report of this number is stored. */
  z.object({ type: z.literal('stored'), number }),
  ...[ask, answer],
]);

export type FromMachine = z.output<typeof fromMachine>;
export type ToMachine = z.output<typeof toMachine>;

/** Undefined: not a message. */
export function readFromMachine(text: string): FromMachine | undefined {
  return read(fromMachine, text);
}

/** Undefined: not a message. */
export function readToMachine(text: string): ToMachine | undefined {
  return read(toMachine, text);
}

function read<Shape extends z.ZodType>(shape: Shape, text: string): z.output<Shape> | undefined {
  try {
    const message = shape.safeParse(JSON.parse(text));
    return message.success ? message.data : undefined;
  } catch {
    return undefined;
  }
}

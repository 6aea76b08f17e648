// An answer that may share its data with other requests. It is written without a copy of the data.
import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';

/** Longer texts are encoded once, and written separately. Shorter texts are joined with the rest. */
const longText = 16 * 1024;

/** The result of an execution, shared by all its callers, and never changed. */
export class Outcome {
  readonly result: ExecutionResult;
  #text: string | undefined;
  #bytes: number | undefined;
  #encoded: Buffer | undefined;

  constructor(result: ExecutionResult) {
    this.result = result;
  }

  /** The data as JSON. */
  get text(): string {
    this.#text ??= JSON.stringify(this.result.data ?? null);
    return this.#text;
  }

  /** Size of `text` in UTF-8. */
  get bytes(): number {
    this.#bytes ??= Buffer.byteLength(this.text);
    return this.#bytes;
  }

  get encoded(): Buffer {
    this.#encoded ??= Buffer.from(this.text, 'utf8');
    return this.#encoded;
  }
}

export class AnswerParts {
  readonly #head = '{"data":';
  readonly #data: Outcome;
  readonly #tail: string;

  constructor(data: Outcome, extensions: ExecutionResult['extensions']) {
    this.#data = data;
    this.#tail = `,"extensions":${JSON.stringify(extensions)}}`;
  }

  get text(): string {
    return this.#head + this.#data.text + this.#tail;
  }

  /** Size of `text` in UTF-8. */
  get bytes(): number {
    return this.#head.length + this.#data.bytes + Buffer.byteLength(this.#tail);
  }

  /** Called after its head was written. */
  end(response: ServerResponse): void {
    if (this.#data.bytes < longText) {
      endText(response, this.text, this.bytes);
      return;
    }
    response.cork();
    response.write(this.#head, 'latin1');
    response.write(this.#data.encoded);
    response.end(this.#tail, 'utf8');
    response.uncork();
  }
}

/** `bytes`: size of the text in UTF-8. ASCII is written as Latin-1, for which Node needs no buffer of three times the length. */
export function endText(response: ServerResponse, text: string, bytes: number): void {
  response.end(text, bytes === text.length ? 'latin1' : 'utf8');
}

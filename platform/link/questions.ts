// Questions over a link. Either end may ask, and gets the answer or a reason within its deadline. Questions belong to a connection.
// When it ends, they have failed, and the asker decides whether to ask again. Both ends bound how many questions are open at once.

import type { Logger } from '../log/log.ts';
import type { JsonValue } from '../values/json.ts';
import { TooLateError, within } from '../work/within.ts';
import { mostAnswerBytes, type QuestionMessage } from './messages.ts';

/** It is not known whether the other end did what the question asked, because it is gone, too slow, or failed. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** `signal` is aborted when nobody waits for the answer any more. An error that it throws reaches the other end only as a failure. */
export type AnswerQuestion = (body: JsonValue, signal: AbortSignal) => Promise<JsonValue>;

interface LinkQuestionsOptions {
  readonly send: (message: QuestionMessage) => void;
  /** Absent if this end answers no questions. */
  readonly answer?: AnswerQuestion | undefined;
  readonly log: Logger;
}

const mostAsked = 256;
const mostAnswered = 64;
/** Nobody waits for longer. */
const longestAnswerMs = 30_000;

export class LinkQuestions {
  readonly #options: LinkQuestionsOptions;
  readonly #asked = new Map<number, PromiseWithResolvers<JsonValue>>();
  #ended = new AbortController();
  #answering = 0;
  #number = 0;

  constructor(options: LinkQuestionsOptions) {
    this.#options = options;
  }

  /** @throws UnansweredError, or the reason of `signal` if it is aborted */
  async ask(body: JsonValue, deadlineMs: number, signal?: AbortSignal): Promise<JsonValue> {
    if (this.#asked.size >= mostAsked) throw new UnansweredError(`${mostAsked} questions wait for the other end`);
    this.#number += 1;
    const number = this.#number;
    const answer = Promise.withResolvers<JsonValue>();
    this.#asked.set(number, answer);
    const ask = () => {
      this.#options.send({ type: 'ask', number, body });
      return answer.promise;
    };
    try {
      return await within(Math.min(deadlineMs, longestAnswerMs), 'the other end did not answer', ask, signal);
    } catch (error) {
      throw error instanceof TooLateError ? new UnansweredError(error.message) : error;
    } finally {
      this.#asked.delete(number);
    }
  }

  take(message: QuestionMessage): void {
    if (message.type === 'ask') return void this.#answer(message.number, message.body);
    const asked = this.#asked.get(message.number);
    if (message.failed !== undefined) asked?.reject(new UnansweredError(message.failed));
    else asked?.resolve(message.body ?? null);
  }

  /** The connection is over. */
  end(): void {
    const lost = new UnansweredError('the link was lost');
    this.#ended.abort(lost);
    this.#ended = new AbortController();
    for (const { promise, reject } of this.#asked.values()) {
      promise.catch(() => undefined);
      reject(lost);
    }
  }

  async #answer(number: number, body: JsonValue): Promise<void> {
    const { send, answer, log } = this.#options;
    const fail = (failed: string) => send({ type: 'answer', number, failed });
    if (answer === undefined) return fail('this end answers no questions');
    if (this.#answering >= mostAnswered) return fail('this end has too many questions at once');
    this.#answering += 1;
    const { signal } = this.#ended;
    try {
      const found = await within(longestAnswerMs, 'no answer', (ended) => answer(body, ended), signal);
      if (signal.aborted) return;
      if (Buffer.byteLength(JSON.stringify(found)) > mostAnswerBytes) fail('the answer is too large');
      else send({ type: 'answer', number, body: found });
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, 'a question over a link was not answered');
      fail('the other end failed: its log says why');
    } finally {
      this.#answering -= 1;
    }
  }
}

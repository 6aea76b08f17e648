// Carries the questions for one controller over its link, whichever process asked them, as soon as they arrive.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../../platform/database/database.ts';
import type { LinkPeer } from '../../../../platform/link/link-server.ts';
import { UnansweredError } from '../../../../platform/link/questions.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import {
  answerTopic,
  questionTopic,
  storeAnswer,
  takeQuestion,
  type WaitingQuestion,
  waitingQuestions,
} from './question-store.ts';

interface QuestionCarrierOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly peer: Pick<LinkPeer, 'machine' | 'ask'>;
}

/** How often to poll, in case a wake-up is lost. */
const lookAgainMs = 500;
const mostAtOnce = 32;
const fullPauseMs = 20;

export class QuestionCarrier {
  readonly #options: QuestionCarrierOptions;
  readonly #loop: Loop;
  readonly #under = new Set<Promise<void>>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: QuestionCarrierOptions) {
    this.#options = options;
    const { log, peer } = options;
    this.#loop = new Loop({
      ...{ name: `questions to controller ${peer.machine.name}`, log, pauseMs: () => lookAgainMs },
      run: () => this.#look(),
    });
  }

  start(): void {
    const { wake, peer } = this.#options;
    this.#unsubscribe = wake.on(questionTopic(peer.machine.id), () => this.#loop.trigger());
    this.#loop.start();
  }

  /** The link has ended: running questions have failed by now. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
    await Promise.all(this.#under);
  }

  async #look(): Promise<boolean> {
    const { db, peer } = this.#options;
    const room = mostAtOnce - this.#under.size;
    if (room <= 0) {
      await sleep(fullPauseMs);
      return true;
    }
    const questions = await waitingQuestions(db, peer.machine.id, room);
    for (const question of questions) {
      const carried = this.#carry(question).finally(() => this.#under.delete(carried));
      this.#under.add(carried);
    }
    return questions.length === room;
  }

  async #carry({ id, body, leftMs }: WaitingQuestion): Promise<void> {
    const { db, wake, log, peer } = this.#options;
    try {
      if (!(await takeQuestion(db, id))) return;
      const asked = peer.ask(JSON.parse(body) as JsonValue, leftMs).then(
        (answer) => ({ answer: JSON.stringify(answer) }),
        (error: unknown) => {
          if (error instanceof UnansweredError) return { failed: error.message };
          throw error;
        },
      );
      await storeAnswer(db, id, await asked);
      wake.notify(answerTopic(id));
    } catch (error) {
      log.warn({ err: error, controller: peer.machine.name }, 'a question could not be carried to a cluster');
    }
  }
}

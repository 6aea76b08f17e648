// Sends questions about containers and objects to clusters. Any connected cluster gives the same answer; if one fails, another is asked. A
// change takes effect once, however often it is sent.
import type { Database } from '../../../../platform/database/database.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { atMost } from '../../../../platform/work/within.ts';
import {
  type AskedFailure,
  type ClusterAnswer,
  type ClusterQuestion,
  clusterAnswer,
} from '../../wire/cluster-questions.ts';
import {
  type AskableController,
  answerTopic,
  askableControllers,
  deleteQuestion,
  insertQuestion,
  questionTopic,
  readQuestion,
} from './question-store.ts';

export type Asked = Extract<ClusterAnswer, { readonly containers: unknown }>;

/** No cluster answered. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  /** The change may have taken effect, or may take effect later. */
  readonly mayHappen: boolean;

  constructor(message: string, mayHappen: boolean) {
    super(message);
    this.mayHappen = mayHappen;
  }
}

/** A cluster answered with a refusal. */
export class RefusedByCluster extends Error {
  override readonly name = 'RefusedByCluster';
  readonly code: AskedFailure;

  constructor(code: AskedFailure, message: string) {
    super(message);
    this.code = code;
  }
}

interface ClusterQuestionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  /** Deadlines for the whole question and for one cluster; default 12 s and 5 s. */
  readonly deadlineMs?: number;
  readonly clusterMs?: number;
}

const usualDeadlineMs = 12_000;
const usualClusterMs = 5_000;
const mostClustersAsked = 3;
/** How often to poll, in case a wake-up is lost. */
const lookAgainMs = 100;
/** Limits for this process and for one account, so that one account can't hold up the others. */
const mostAtOnce = 64;
const mostOfAccount = 8;

/** Failures after which another cluster may succeed. */
const elsewhere: ReadonlySet<AskedFailure> = new Set<AskedFailure>([
  'NO_QUORUM',
  'FATE_UNKNOWN',
  'ISOLATED',
  'NOT_READY',
]);

interface Attempt {
  readonly answer?: Asked;
  readonly wrong: string;
  readonly mayHappen: boolean;
}

export class ClusterQuestions {
  readonly #options: ClusterQuestionsOptions;
  readonly #asking = new Map<string, number>();
  #count = 0;

  constructor(options: ClusterQuestionsOptions) {
    this.#options = options;
  }

  /** `cluster`: name of the cluster to ask. Default: any. @throws NoAnswerError, RefusedByCluster */
  async ask(question: ClusterQuestion, cluster?: string): Promise<Asked> {
    const account = 'account' in question ? question.account : '';
    const ofAccount = this.#asking.get(account) ?? 0;
    if (this.#count >= mostAtOnce || ofAccount >= mostOfAccount)
      throw new NoAnswerError('too many questions to clusters of object storage are waiting: ask again later', false);
    this.#count += 1;
    this.#asking.set(account, ofAccount + 1);
    try {
      return await this.#ask(question, cluster);
    } finally {
      this.#count -= 1;
      const left = (this.#asking.get(account) ?? 1) - 1;
      if (left === 0) this.#asking.delete(account);
      else this.#asking.set(account, left);
    }
  }

  async #ask(question: ClusterQuestion, named: string | undefined): Promise<Asked> {
    const { db, deadlineMs = usualDeadlineMs } = this.#options;
    const untilMs = performance.now() + deadlineMs;
    const askable = (await askableControllers(db)).filter(({ cluster }) => named === undefined || cluster === named);
    const controllers = oneOfEach(askable).slice(0, mostClustersAsked);
    const who = named === undefined ? 'no cluster of object storage is' : `the cluster ${named} is not`;
    if (controllers.length === 0)
      throw new NoAnswerError(`${who} connected to the control plane: ask again later`, false);
    const wrong: string[] = [];
    let mayHappen = false;
    for (const controller of controllers) {
      if (performance.now() >= untilMs) break;
      const attempt = await this.#askOne(controller, question, untilMs);
      if (attempt.answer !== undefined) return attempt.answer;
      wrong.push(`${controller.cluster}: ${attempt.wrong}`);
      mayHappen ||= attempt.mayHappen;
    }
    throw new NoAnswerError(`no cluster of object storage answered (${wrong.join('; ')})`, mayHappen);
  }

  /** @throws RefusedByCluster */
  async #askOne(controller: AskableController, question: ClusterQuestion, untilMs: number): Promise<Attempt> {
    const { clusterMs = usualClusterMs } = this.#options;
    const text = await this.#carried(controller, question, Math.min(clusterMs, untilMs - performance.now()));
    if (!('answer' in text)) return { wrong: text.failed, mayHappen: text.taken };
    const answer = clusterAnswer.safeParse(JSON.parse(text.answer));
    if (!answer.success) return { wrong: 'its answer cannot be read', mayHappen: true };
    if (!('failure' in answer.data)) return { answer: answer.data, wrong: '', mayHappen: false };
    const { failure, message } = answer.data;
    if (!elsewhere.has(failure)) throw new RefusedByCluster(failure, message);
    return { wrong: message, mayHappen: failure === 'FATE_UNKNOWN' };
  }

  async #carried(
    { id: controllerId }: AskableController,
    question: ClusterQuestion,
    deadlineMs: number,
  ): Promise<{ readonly answer: string } | { readonly failed: string; readonly taken: boolean }> {
    const { db, wake } = this.#options;
    const untilMs = performance.now() + deadlineMs;
    const id = newUuid();
    let came = Promise.withResolvers<void>();
    const unsubscribe = wake.on(answerTopic(id), () => came.resolve());
    try {
      await insertQuestion(db, { id, controllerId, body: JSON.stringify(question), deadlineMs });
      wake.notify(questionTopic(controllerId));
      for (;;) {
        const state = await readQuestion(db, id);
        if (state?.answer != null) return { answer: state.answer };
        if (state?.failed != null) return { failed: state.failed, taken: true };
        const leftMs = untilMs - performance.now();
        if (leftMs <= 0) return { failed: 'it did not answer in time', taken: state?.taken === true };
        await atMost(Math.min(lookAgainMs, leftMs), came.promise);
        came = Promise.withResolvers<void>();
      }
    } finally {
      unsubscribe();
      await deleteQuestion(db, id).catch(() => undefined);
    }
  }
}

/** The first controller of each cluster. */
function oneOfEach(controllers: readonly AskableController[]): readonly AskableController[] {
  return [...new Map(controllers.toReversed().map((each) => [each.cluster, each])).values()].toReversed();
}

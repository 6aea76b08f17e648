// Logins at this cluster: the centre says who it is, this cluster signs a token for it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonValue } from '../../../platform/json.ts';
import { UnansweredError } from '../../../platform/link/questions.ts';
import type { Logger } from '../../../platform/log.ts';
import type { TokenSigner } from '../login/cluster-tokens.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { centreAnswer, centreAnswerMs, type Grant, type LoginAnswer, type LoginQuestion } from '../wire/login-wire.ts';

export interface ClusterLoginOptions {
  /** Over the link. */
  readonly askCentre: (body: JsonValue, deadlineMs: number) => Promise<JsonValue>;
  readonly documents: Pick<DocumentStore, 'find'>;
  readonly signer: TokenSigner;
  /** This cluster's number; undefined: its controller does not know it yet. */
  readonly cluster: () => number | undefined;
  /** An administrator has drained this controller: it takes no logins. */
  readonly isDrained: () => boolean;
  /** In words, with addresses. */
  readonly elsewhere: () => string;
  readonly log: Logger;
}

/** What the centre has just made comes with the next document. */
const accountsMs = 5_000;
const lookMs = 50;

export class ClusterLogin {
  readonly #options: ClusterLoginOptions;

  constructor(options: ClusterLoginOptions) {
    this.#options = options;
  }

  async logIn(login: LoginQuestion): Promise<LoginAnswer> {
    const { askCentre, cluster, signer, log, isDrained, elsewhere } = this.#options;
    if (isDrained())
      return {
        refused: { code: 'DRAINED', message: `This controller is drained, and takes no logins: ${elsewhere()}` },
      };
    const number = cluster();
    if (number === undefined) return unavailable('This cluster does not know the federation yet: log in again soon.');
    const answer = await askCentre({ login: login as unknown as JsonValue }, centreAnswerMs).catch((error: unknown) => {
      if (!(error instanceof UnansweredError)) throw error;
      log.warn({ err: error }, 'the centre did not answer a login');
      return undefined;
    });
    if (answer === undefined)
      return unavailable(
        'The centre, which checks logins, does not answer this cluster: log in again later, or at another cluster. Tokens and access keys go on working.',
      );
    const told = centreAnswer.parse(answer);
    if ('refused' in told) return told;
    const { user, grants } = told;
    await this.#known(grants);
    const accounts = Object.fromEntries(grants.map(({ account, canWrite }) => [account, canWrite]));
    const { token, expiresAt } = await signer.sign(number, { userId: user.id, name: user.name, accounts });
    return { token, expiresAt: expiresAt.toISOString(), user: user.name, grants };
  }

  /** Until the accounts are here: else the first request with the token may come before them. */
  async #known(grants: readonly Grant[]): Promise<void> {
    const { documents } = this.#options;
    const untilMs = performance.now() + accountsMs;
    for (const { account } of grants)
      while ((await documents.find('account', account)) === undefined && performance.now() < untilMs)
        await sleep(lookMs);
  }
}

function unavailable(message: string): LoginAnswer {
  return { refused: { code: 'UNAVAILABLE', message } };
}

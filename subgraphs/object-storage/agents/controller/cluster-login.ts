// Logins at this cluster: the control plane identifies the user, and this cluster signs a token.
import { setTimeout as sleep } from 'node:timers/promises';
import { UnansweredError } from '../../../../platform/link/questions.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import type { DocumentStore } from '../../engine/store/document-store.ts';
import type { TokenSigner } from '../../wire/cluster-tokens.ts';
import {
  controlPlaneAnswer,
  controlPlaneAnswerMs,
  type Grant,
  type LoginAnswer,
  type LoginQuestion,
} from '../../wire/login-wire.ts';

interface ClusterLoginOptions {
  /** Over the link. */
  readonly askControlPlane: (body: JsonValue, deadlineMs: number) => Promise<JsonValue>;
  readonly documents: Pick<DocumentStore, 'find'>;
  readonly signer: TokenSigner;
  /** This cluster's number. Undefined until the controller knows it. */
  readonly cluster: () => number | undefined;
  /** Whether an administrator has drained this controller: it takes no logins then. */
  readonly isDrained: () => boolean;
  /** A phrase that names other clusters with their addresses. */
  readonly elsewhere: () => string;
  readonly log: Logger;
}

/** An account that has just been created arrives with the next document. */
const accountsMs = 5_000;
const lookMs = 50;

export class ClusterLogin {
  readonly #options: ClusterLoginOptions;

  constructor(options: ClusterLoginOptions) {
    this.#options = options;
  }

  async logIn(login: LoginQuestion): Promise<LoginAnswer> {
    const { askControlPlane, cluster, signer, log, isDrained, elsewhere } = this.#options;
    if (isDrained())
      return {
        refused: { code: 'DRAINED', message: `This controller is drained and takes no logins: ${elsewhere()}` },
      };
    const number = cluster();
    if (number === undefined) return unavailable('This cluster does not know the federation yet: log in again soon.');
    const answer = await askControlPlane({ login: login as unknown as JsonValue }, controlPlaneAnswerMs).catch(
      (error: unknown) => {
        if (!(error instanceof UnansweredError)) throw error;
        log.warn({ err: error }, 'the control plane did not answer a login');
        return undefined;
      },
    );
    if (answer === undefined)
      return unavailable(
        'The control plane, which checks logins, does not answer this cluster: log in again later, or at another cluster. Tokens and access keys still work.',
      );
    const told = controlPlaneAnswer.parse(answer);
    if ('refused' in told) return told;
    const { user, grants } = told;
    await this.#known(grants);
    const accounts = Object.fromEntries(grants.map(({ account, canWrite }) => [account, canWrite]));
    const { token, expiresAt } = await signer.sign(number, { userId: user.id, name: user.name, accounts });
    return { token, expiresAt: expiresAt.toISOString(), user: user.name, grants };
  }

  /** Waits until the accounts have arrived. Otherwise the first request with the token could fail. */
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

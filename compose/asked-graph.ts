// Queries of this process's subgraphs to the graph: over its own gateway, or over those in the settings.
import type { Questions } from '../gateway/versions/questions.ts';
import type { CheckLogin } from '../platform/caller/access.ts';
import { CodedError } from '../platform/errors/errors.ts';
import { type AskGraph, dataOf, RemoteGraph } from '../platform/graph/ask-graph.ts';
import { serviceIdentity } from '../platform/graph/service-identity.ts';
import type { Config } from '../platform/process/config.ts';
import type { KeyFolder } from '../platform/secrets/key-folder.ts';
import type { TlsOfRole } from './internal-tls.ts';

interface AskedGraphOptions {
  readonly config: Config;
  readonly keys: KeyFolder;
  readonly tlsOf: TlsOfRole;
}

const deadlineMs = 10_000;

export class AskedGraph {
  readonly #options: AskedGraphOptions;
  readonly #remote = new Map<string, Promise<RemoteGraph>>();
  #here: Pick<Questions, 'ask'> | undefined;
  #checkLogin: CheckLogin | undefined;

  constructor(options: AskedGraphOptions) {
    this.#options = options;
  }

  /** The gateway of this process has started. */
  answeredBy(here: Pick<Questions, 'ask'>): void {
    this.#here = here;
  }

  /** For a process with the role that checks logins. */
  loginsCheckedBy(checkLogin: CheckLogin): void {
    this.#checkLogin = checkLogin;
  }

  checkLoginOf(subgraph: string): CheckLogin {
    return async (credentials, origin, signal) => {
      if (this.#checkLogin !== undefined) return this.#checkLogin(credentials, origin, signal);
      return (await this.#gateways(subgraph)).checkLogin(credentials, origin, signal);
    };
  }

  /** Queries on behalf of the subgraph with that name. */
  of(subgraph: string): AskGraph {
    return async (question) => {
      const { projectId, query, variables = {}, signal = AbortSignal.timeout(deadlineMs) } = question;
      const identity = serviceIdentity({ subgraph, projectId });
      if (this.#here !== undefined) return dataOf(await this.#here.ask({ identity, query, variables, signal }));
      return (await this.#gateways(subgraph)).ask(question);
    };
  }

  /** Gateways in other processes. */
  #gateways(subgraph: string): Promise<RemoteGraph> {
    const { config } = this.#options;
    if (config['internal.graphUrls'].length === 0)
      throw new CodedError(
        'UNAVAILABLE',
        'This process has no gateway that it could ask: set internal.graphUrls, and internal.graphPort there.',
      );
    const remote = this.#remote.get(subgraph) ?? this.#open(subgraph);
    this.#remote.set(subgraph, remote);
    return remote;
  }

  async close(): Promise<void> {
    for (const remote of this.#remote.values()) await (await remote).close();
  }

  async #open(subgraph: string): Promise<RemoteGraph> {
    const { config, keys, tlsOf } = this.#options;
    const [keyring, tls] = [await keys.shared('subgraphs'), await tlsOf(subgraph)];
    const urls = config['internal.graphUrls'];
    return new RemoteGraph({ subgraph, urls, keyring, ...(tls === undefined ? {} : { tls }) });
  }
}

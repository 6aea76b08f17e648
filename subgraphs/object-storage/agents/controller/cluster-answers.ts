// Answers the control plane's questions about containers and objects, from this cluster's view of the namespace. The view is built at the
// first question: a controller without questions keeps no connections to other clusters' servers.
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { ClusterNamespace } from '../../engine/federation/cluster-namespace.ts';
import { asObjectError } from '../../engine/namespace/failures.ts';
import type { Caller, ContainerStat, Namespace } from '../../engine/namespace/namespace.ts';
import type { DocumentStore } from '../../engine/store/document-store.ts';
import type { ServiceStore } from '../../engine/store/service-store.ts';
import {
  type AskedContainer,
  type AskedObject,
  type ClusterAnswer,
  type ClusterQuestion,
  clusterQuestion,
} from '../../wire/cluster-questions.ts';
import { readStored } from '../../wire/documents/stored-document.ts';
import { ObjectError } from '../../wire/object-error.ts';

interface ClusterAnswersOptions {
  /** The cluster's own database. */
  readonly db: Database;
  readonly documents: DocumentStore;
  readonly services: ServiceStore;
  /** The name of this cluster in the documents. */
  readonly publicKey: string;
  readonly tls: MutualTls;
  readonly log: Logger;
}

interface Opened {
  readonly cluster: ClusterNamespace;
  readonly namespace: Namespace;
}

const mostMessage = 1_000;
const statsAtOnce = 16;

export class ClusterAnswers {
  readonly #options: ClusterAnswersOptions;
  #opening: Promise<Opened> | undefined;
  #isStopped = false;

  constructor(options: ClusterAnswersOptions) {
    this.#options = options;
  }

  async answer(body: JsonValue): Promise<JsonValue> {
    const question = clusterQuestion.parse(body);
    const answer = await this.#answer(question).catch((error: unknown): ClusterAnswer => {
      const known = asObjectError(error);
      if (known instanceof ObjectError) return { failure: known.code, message: known.message.slice(0, mostMessage) };
      throw error;
    });
    return answer as unknown as JsonValue;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.cluster.stop();
  }

  async #answer(question: ClusterQuestion): Promise<ClusterAnswer> {
    if (question.ask === 'drainService' || question.ask === 'removeService') return this.#tell(question);
    const opened = await this.#open();
    if (opened === undefined)
      return { failure: 'NOT_READY', message: "the control plane's documents do not name this cluster yet" };
    const { namespace } = opened;
    const caller: Caller = { accountId: question.account, canWrite: true, name: 'the control plane' };
    const containers = (...found: readonly ContainerStat[]) => ({ containers: found.map(askedOf), objects: [] });
    switch (question.ask) {
      case 'containers': {
        const { prefix, after, limit } = question;
        return containers(...(await namespace.containers(caller, { prefix, after, limit })));
      }
      case 'containersNamed':
        return containers(...(await named(namespace, caller, question.names)));
      case 'objects': {
        const { container, prefix, delimiter = '', after, limit } = question;
        const listed = await namespace.list(caller, container, { prefix, delimiter, after, limit });
        const objects = listed.objects.map(
          ({ name, sizeBytes, etag, contentType, modifiedAt, version }): AskedObject => ({
            ...{ name, sizeBytes, etag, contentType, modifiedAtMs: modifiedAt.getTime(), version },
          }),
        );
        return { containers: [], objects, prefixes: [...listed.prefixes] };
      }
      case 'createContainer': {
        const { name, id, option } = question;
        return containers(await namespace.createContainer(caller, name, { id, option: option ?? undefined }));
      }
      case 'deleteContainer': {
        const { name, id } = question;
        const found = await namespace.statContainer(caller, name);
        if (found.id !== id) throw new ObjectError('NO_CONTAINER', `${name} is another container by now`);
        await namespace.deleteContainer(caller, name);
        return containers(found);
      }
    }
  }

  async #tell(question: Extract<ClusterQuestion, { readonly role: string }>): Promise<ClusterAnswer> {
    const { services } = this.#options;
    const { role, name } = question;
    const isThere = question.ask === 'drainService' && (await services.drain(question, question.isDrained));
    const done =
      question.ask === 'removeService' ? await services.remove(question) : isThere ? 'DRAINED' : 'NO_SERVICE';
    if (done === 'NO_SERVICE') return { failure: done, message: `there is no ${role} named ${name}` };
    if (done === 'STILL_HEARD') return { failure: done, message: `${name} is running: stop it first` };
    return { containers: [], objects: [] };
  }

  /** Undefined while this cluster's number is unknown. */
  async #open(): Promise<Opened | undefined> {
    if (this.#opening === undefined) {
      const self = await this.#number();
      if (self === undefined || this.#isStopped) return undefined;
      this.#opening ??= this.#compose(self);
      this.#opening.catch(() => {
        this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  async #number(): Promise<number | undefined> {
    const { documents, publicKey } = this.#options;
    const stored = await documents.find('clusters', '');
    const document = stored && readStored(stored);
    const clusters = document?.kind === 'clusters' ? (document.body?.clusters ?? []) : [];
    return clusters.find((cluster) => cluster.publicKey === publicKey)?.number;
  }

  async #compose(self: number): Promise<Opened> {
    const { db, documents, tls, log } = this.#options;
    const cluster = new ClusterNamespace({ db, documents, self, tls, log });
    try {
      await cluster.start();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return { cluster, namespace: cluster.namespace(undefined) };
  }
}

async function named(namespace: Namespace, caller: Caller, names: readonly string[]): Promise<ContainerStat[]> {
  const found: ContainerStat[] = [];
  for (let from = 0; from < names.length; from += statsAtOnce) {
    const some = names.slice(from, from + statsAtOnce).map((name) => namespace.statContainer(caller, name));
    for (const each of await Promise.allSettled(some))
      if (each.status === 'fulfilled') found.push(each.value);
      else if (!(each.reason instanceof ObjectError && each.reason.code === 'NO_CONTAINER')) throw each.reason;
  }
  return found;
}

function askedOf({ name, id, option, createdAt }: ContainerStat): AskedContainer {
  return { name, id, option, createdAtMs: createdAt.getTime() };
}

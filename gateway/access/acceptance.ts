// Which documents are executed (setting `operations.accept`): all, or only published operations. Administrators may send any, so that they can
// investigate incidents. Subgraphs and machines send their own. Sessions of users may send the dashboard's, but API tokens may not. Without a login
// only login fields are allowed. An API token that is bound to operations may send these alone, whatever the setting.
import type { Counter } from 'prom-client';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { CountedLine } from '../../platform/log/counted-line.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { OwnDocuments } from './own-documents.ts';
import type { PublishedOperations } from './published-operations.ts';

export type AcceptMode = 'any' | 'log' | 'published';

interface AcceptanceOptions {
  readonly accept: AcceptMode;
  readonly published: PublishedOperations;
  readonly own: OwnDocuments;
  readonly unpublished: Counter<'client'>;
  readonly log: Logger;
}

/** Limit of clients with a separate count. */
const mostClients = 200;
const otherClients = '(others)';
const linePeriodMs = 60_000;

export class Acceptance {
  readonly #options: AcceptanceOptions;
  readonly #clients = new Set<string>();
  readonly #line: CountedLine;

  constructor(options: AcceptanceOptions) {
    this.#options = options;
    this.#line = new CountedLine(options.log, 'operations that are not published were executed', linePeriodMs);
  }

  /** `hash`: SHA-256 of the document. Throws NOT_PUBLISHED, and UNAVAILABLE before the published operations have been read. */
  check(hash: string, identity: Identity | null, operationName: string | undefined): void {
    const { accept, published, unpublished } = this.#options;
    if (identity !== null) refuseUnbound(hash, identity);
    if (identity?.operations !== undefined) return;
    if (accept === 'log' && !published.isKnown) return;
    if (identity === null || this.#isAccepted(hash, identity)) return;
    unpublished.inc({ client: this.#counted(identity.name) });
    if (accept === 'log') {
      this.#line.add({ client: identity.name, hash, ...(operationName === undefined ? {} : { operationName }) });
      return;
    }
    throw notPublished(hash);
  }

  /** The same check for an operation that is not executed. It is not counted. */
  examine(hash: string, identity: Identity): void {
    refuseUnbound(hash, identity);
    if (identity.operations !== undefined) return;
    if (this.#options.accept === 'published' && !this.#isAccepted(hash, identity)) throw notPublished(hash);
  }

  #isAccepted(hash: string, identity: Identity): boolean {
    const { accept, published, own } = this.#options;
    if (accept === 'any' || isFree(identity) || own.ofGateway.has(hash)) return true;
    return (identity.kind === 'user' && own.ofDashboard.has(hash)) || published.text(hash) !== undefined;
  }

  #counted(client: string): string {
    if (this.#clients.size >= mostClients && !this.#clients.has(client)) return otherClients;
    this.#clients.add(client);
    return client;
  }

  close(): void {
    this.#line.flush();
  }
}

function refuseUnbound(hash: string, { operations, name }: Identity): void {
  if (operations === undefined || operations.includes(hash)) return;
  throw new CodedError(
    'NOT_PUBLISHED',
    `The API token ${name} is bound to ${operations.length} operations, and none has the hash ${hash}. Use a token that may send it.`,
    { hash },
  );
}

function notPublished(hash: string): CodedError {
  return new CodedError(
    'NOT_PUBLISHED',
    `Only published operations are executed here, and none has the hash ${hash}. Have an administrator publish it with "tidegate published add".`,
    { hash },
  );
}

function isFree({ kind, admin }: Identity): boolean {
  return admin || kind === 'service' || kind === 'machine';
}

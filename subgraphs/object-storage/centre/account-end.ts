// The end of a project's account: a project is not deleted while its account has containers, which a cluster is asked; with the project the account
// is closed, so that nobody reaches it any more.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { invariant, refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { ProjectEnd } from '../../../platform/projects.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type AccountDocument, accountKey, documentName } from '../documents/documents.ts';
import { objectEvents } from '../events.ts';
import { revokeAccessKey, tellRevoked, workingKeysOf } from './access-key-store.ts';
import { accountsOf } from './account-store.ts';
import { ClusterQuestions, NoAnswerError, RefusedByCluster } from './cluster-questions.ts';
import { liveClusters } from './cluster-store.ts';
import { forgetContainersOf } from './container-store.ts';
import { documentNamed, putDocument } from './document-store.ts';
import { lockFederation } from './federation-store.ts';

export const accountEnd: ProjectEnd = {
  async look(ground, projectId) {
    const account = (await accountsOf(ground.db, [projectId])).get(projectId);
    if (
      account === undefined ||
      (await isClosed(ground.db, account.id)) ||
      (await liveClusters(ground.db)).length === 0
    )
      return [];
    const question = { ask: 'containers', account: accountKey(account.id), prefix: '', after: '', limit: 101 } as const;
    try {
      const { containers } = await new ClusterQuestions(ground).ask(question);
      const count = containers.length > 100 ? 'more than 100' : String(containers.length);
      return containers.length === 0 ? [] : [`${count} containers of object storage`];
    } catch (error) {
      if (!(error instanceof NoAnswerError || error instanceof RefusedByCluster)) throw error;
      return refuse(
        'UNAVAILABLE',
        `whether the project has containers of object storage is not known: ${error.message}`,
      );
    }
  },

  async end(tx, wake, projectId) {
    const account = (await accountsOf(tx, [projectId])).get(projectId);
    if (account === undefined) return;
    await lockFederation(tx);
    for (const key of await workingKeysOf(tx, account.id)) {
      await revokeAccessKey(tx, key.id);
      await tellRevoked(tx, wake, key);
      const subject = { projectId, subjectId: key.id, subjectVersion: key.version + 1 };
      const event = { ...subject, kind: 'objectAccessKey.state', from: 'WORKING', to: 'REVOKED' } as const;
      await appendStatus(tx, objectEvents, [event], wake);
    }
    await forgetContainersOf(tx, account.id);
    await close(tx, wake, account.id);
  },
};

async function told(sql: Sql, accountId: string): Promise<AccountDocument> {
  const found = await documentNamed(sql, documentName('account', accountKey(accountId)));
  invariant(found !== undefined, 'an account has no document');
  return JSON.parse(found.body) as AccountDocument;
}

async function isClosed(sql: Sql, accountId: string): Promise<boolean> {
  return (await told(sql, accountId)).state === 'CLOSED';
}

async function close(tx: Transaction, wake: Wake, accountId: string): Promise<void> {
  const body = await told(tx, accountId);
  await putDocument(tx, wake, ['account', body.id], { ...body, state: 'CLOSED' });
}

// Ends the account of a project. A project can't be deleted while its account has containers; a cluster is asked for their number. Deleting
// the project closes the account, so that nobody can reach it any more.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import type { ProjectEnd } from '../../../../platform/edge/projects.ts';
import { invariant, refuse } from '../../../../platform/errors/errors.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type AccountDocument, accountKey, documentName } from '../../wire/documents/documents.ts';
import { ClusterQuestions, NoAnswerError, RefusedByCluster } from '../questions/cluster-questions.ts';
import { accountsOf } from '../stores/account-store.ts';
import { liveClusters } from '../stores/cluster-store.ts';
import { forgetContainersOf } from '../stores/container-store.ts';
import { documentNamed, putDocument } from '../stores/document-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import { endAccessKey } from './access-key-end.ts';
import { workingKeysOf } from './access-key-store.ts';

export const accountEnd: ProjectEnd = {
  async look(dependencies, projectId) {
    const account = (await accountsOf(dependencies.db, [projectId])).get(projectId);
    if (
      account === undefined ||
      (await isClosed(dependencies.db, account.id)) ||
      (await liveClusters(dependencies.db)).length === 0
    )
      return [];
    const question = { ask: 'containers', account: accountKey(account.id), prefix: '', after: '', limit: 101 } as const;
    try {
      const { containers } = await new ClusterQuestions(dependencies).ask(question);
      const count = containers.length > 100 ? 'more than 100' : String(containers.length);
      return containers.length === 0 ? [] : [`${count} containers of object storage`];
    } catch (error) {
      if (!(error instanceof NoAnswerError || error instanceof RefusedByCluster)) throw error;
      return refuse(
        'UNAVAILABLE',
        `cannot find out whether the project has containers of object storage: ${error.message}`,
      );
    }
  },

  async end(tx, wake, projectId) {
    const account = (await accountsOf(tx, [projectId])).get(projectId);
    if (account === undefined) return;
    await lockFederation(tx);
    for (const key of await workingKeysOf(tx, account.id)) await endAccessKey(tx, wake, key);
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

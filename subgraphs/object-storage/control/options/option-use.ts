// Finds containers that use an option, as reported by a cluster, so that the refusal of its deletion can name some of them. Other
// references are found while the option is ending (option-ends.ts).
import type { Database } from '../../../../platform/database/database.ts';
import { projectsNamed } from '../../../../platform/edge/projects.ts';
import { type ClusterQuestions, NoAnswerError, RefusedByCluster } from '../questions/cluster-questions.ts';
import { accountsOf, projectsWithAccounts } from '../stores/account-store.ts';
import { containerId } from '../stores/container-store.ts';

const mostAccounts = 20;
const mostContainers = 100;
const mostNamed = 3;

/** A sentence that names them. Undefined if none is known. */
export async function useOfOption(
  db: Database,
  clusters: ClusterQuestions,
  option: string,
): Promise<string | undefined> {
  const projectIds = await projectsWithAccounts(db, mostAccounts + 1);
  const asked = projectIds.slice(0, mostAccounts);
  const accounts = await accountsOf(db, asked);
  const names = new Map((await projectsNamed(db, { ids: asked })).map(({ id, name }) => [id, name]));
  const found: string[] = [];
  let isWhole = projectIds.length <= mostAccounts;
  try {
    for (const [projectId, { id }] of accounts) {
      const question = { ask: 'containers', account: containerId(id), prefix: '', after: '' } as const;
      const { containers } = await clusters.ask({ ...question, limit: mostContainers + 1 });
      isWhole &&= containers.length <= mostContainers;
      for (const each of containers.slice(0, mostContainers))
        if (each.option === option) found.push(`${names.get(projectId) ?? projectId}/${each.name}`);
    }
  } catch (error) {
    if (!(error instanceof NoAnswerError || error instanceof RefusedByCluster)) throw error;
    return `cannot find out which containers use the option ${option}: ${error.message}`;
  }
  if (found.length === 0) return undefined;
  const count = `${isWhole ? '' : 'at least '}${found.length}`;
  const some = `${found.slice(0, mostNamed).join(', ')}${found.length > mostNamed ? ', …' : ''}`;
  return `${count} ${found.length === 1 ? 'container uses' : 'containers use'} the option ${option} (${some}): delete ${found.length === 1 ? 'it' : 'them'} first`;
}

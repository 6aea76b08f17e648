// Which containers have an option, as far as a cluster tells it: for the refusal of its deletion, which names some of them. What else refers to
// it is found while it ends (option-ends.ts).
import type { Database } from '../../../platform/database/database.ts';
import { projectsNamed } from '../../../platform/projects.ts';
import { accountsOf, projectsWithAccounts } from './account-store.ts';
import { type ClusterQuestions, NoAnswerError, RefusedByCluster } from './cluster-questions.ts';
import { containerId } from './container-store.ts';

const mostAccounts = 20;
const mostContainers = 100;
const mostNamed = 3;

/** In words; undefined: none is known that has it. */
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
    return `which containers have the option ${option} is not known: ${error.message}`;
  }
  if (found.length === 0) return undefined;
  const count = `${isWhole ? '' : 'at least '}${found.length}`;
  const some = `${found.slice(0, mostNamed).join(', ')}${found.length > mostNamed ? ', …' : ''}`;
  return `${count} ${found.length === 1 ? 'container has' : 'containers have'} the option ${option} (${some}): delete ${found.length === 1 ? 'it' : 'them'} first`;
}

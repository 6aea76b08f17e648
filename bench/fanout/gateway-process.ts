// Gateway and system in one process, put together like `tidegate serve`, with projects and one token each.
import { startProcess } from '../../compose/process.ts';
import { readConfig } from '../../platform/process/config.ts';
import { createLogger } from '../../platform/process/log.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { answerParent } from '../support/child.ts';

export interface GatewayOrder {
  /** By dotted name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly projects: number;
}

interface Project {
  readonly id: string;
  readonly token: string;
}

export interface GatewayStarted {
  readonly url: string;
  readonly projects: readonly Project[];
}

answerParent(async ({ settings, projects }: GatewayOrder): Promise<GatewayStarted> => {
  const { url, access } = await startProcess(
    readConfig({ flags: settings }, subgraphRows),
    createLogger({ level: 'error', pretty: false }),
  );
  if (url === undefined || access === undefined) throw new Error('the roles gateway and system did not start');
  const made: Project[] = [];
  for (let index = 0; index < projects; index += 1) {
    const id = await access.firstStart.ensureProject(`bench-${index}`);
    const token = await access.firstStart.issueToken({ projectId: id, name: 'bench', role: 'VIEWER' });
    made.push({ id, token: token.secret });
  }
  return { url, projects: made };
});

// Gateway and system in one process, put together like `tidegate serve`, with projects and one token each.
import { startProcess } from '../../compose/process.ts';
import { answerParent } from '../../measure/child.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

export interface GatewayOrder {
  /** By dotted name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly projects: number;
  /** Of each project. */
  readonly tokens: number;
}

export interface Project {
  readonly id: string;
  /** The first of `tokens`. */
  readonly token: string;
  readonly tokens: readonly string[];
}

export interface GatewayStarted {
  readonly url: string;
  readonly projects: readonly Project[];
}

answerParent(async ({ settings, projects, tokens: wanted }: GatewayOrder): Promise<GatewayStarted> => {
  const { url, access } = await startProcess(
    readConfig({ flags: settings }, subgraphRows),
    createLogger({ level: 'error', pretty: false }),
  );
  if (url === undefined || access === undefined) throw new Error('the roles gateway and system did not start');
  const made: Project[] = [];
  for (let index = 0; index < projects; index += 1) {
    const id = await access.firstStart.ensureProject(`bench-${index}`);
    const tokens: string[] = [];
    for (let number = 0; number < wanted; number += 1) {
      const { secret } = await access.firstStart.issueToken({ projectId: id, name: `bench-${number}`, role: 'VIEWER' });
      tokens.push(secret);
    }
    made.push({ id, token: tokens[0] ?? '', tokens });
  }
  return { url, projects: made };
});

// Generated files must match what the code would generate now.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorsDocument } from '../../schema/errors-doc.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { checkClientPage } from '../docs/check-client-page.ts';
import { eventsPage } from '../docs/events-page.ts';
import { settingsPage } from '../docs/generate.ts';
import { loadBalancerPage } from '../docs/loadbalancer-page.ts';
import { relayPage } from '../docs/relay-page.ts';
import { trialsPage } from '../docs/trials-page.ts';
import type { Check } from './check.ts';

export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
  /** The command that generates it. */
  readonly remedy: string;
}

export async function findStaleFiles(root: string, files: readonly GeneratedFile[]): Promise<string[]> {
  const faults: string[] = [];
  for (const { path, content, remedy } of files) {
    const stored = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (stored !== content) faults.push(`${path} is ${stored === undefined ? 'missing' : 'out of date'}: ${remedy}`);
  }
  return faults;
}

export const generatedFileChecks: readonly Check[] = [
  {
    name: 'made documents are fresh',
    run: ({ root }) =>
      findStaleFiles(root, [
        { path: 'docs/errors.md', content: errorsDocument(), remedy: 'npm run generate:docs' },
        { path: 'docs/settings.md', content: settingsPage(), remedy: 'npm run generate:docs' },
        { path: 'docs/events.md', content: eventsPage(subgraphRows), remedy: 'npm run generate:docs' },
        { path: 'docs/check-client.md', content: checkClientPage(), remedy: 'npm run generate:docs' },
        { path: 'docs/relay.md', content: relayPage(), remedy: 'npm run generate:docs' },
        { path: 'docs/loadbalancer.md', content: loadBalancerPage(), remedy: 'npm run generate:docs' },
        { path: 'docs/trials.md', content: trialsPage(), remedy: 'npm run generate:docs' },
      ]),
  },
];

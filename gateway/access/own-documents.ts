// Documents of this installation itself, by hash: those of its exports, of browsers' logins, and of the dashboard, which its build lists.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { GraphExport } from '../../platform/graph/graph-export.ts';
import { sessionMutations } from './session-documents.ts';

/** A file in the folder of the built dashboard: a JSON list of hashes (dashboard/vite.config.ts). */
const listName = 'operations.json';

const listShape = z.array(z.string().regex(/^[0-9a-f]{64}$/));

interface OwnDocumentsOptions {
  readonly staticFolder: string;
  readonly exports?: readonly GraphExport[];
}

/** Hashes. */
export interface OwnDocuments {
  /** Documents of exports, which API tokens read, too. */
  readonly ofGateway: ReadonlySet<string>;
  /** For sessions of users, because the forms of the dashboard have all mutations. */
  readonly ofDashboard: ReadonlySet<string>;
}

/** Throws if the dashboard's list can't be read. Empty without a built dashboard. */
export async function ownDocuments({ staticFolder, exports = [] }: OwnDocumentsOptions): Promise<OwnDocuments> {
  const texts = [
    ...exports.map(({ query }) => query),
    ...Object.values(sessionMutations).map(({ document }) => document),
  ];
  const ofGateway = texts.map((text) => createHash('sha256').update(text).digest('hex'));
  return { ofGateway: new Set(ofGateway), ofDashboard: new Set(await dashboardsOwn(join(staticFolder, listName))) };
}

async function dashboardsOwn(path: string): Promise<readonly string[]> {
  try {
    return listShape.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`${path} is not a list of hashes: build the dashboard again`, { cause: error });
  }
}

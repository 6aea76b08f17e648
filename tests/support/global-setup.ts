// Runs once before all test files, in Jest's main process: starts the servers and makes the database to copy.

import { layOutTemplate } from './database-template.ts';
import { removeAbandonedTestLabs } from './lab-folders.ts';
import { TestServers } from './servers.ts';

declare global {
  var tidegateTestServers: TestServers | undefined;
}

export default async function globalSetup(): Promise<void> {
  if (process.getuid?.() === 0) await removeAbandonedTestLabs();
  const servers = await TestServers.start();
  globalThis.tidegateTestServers = servers;
  try {
    servers.publish(await layOutTemplate(servers.mariadb));
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

// Runs once before all test files, in Jest's main process. It starts the servers and makes the database to copy, if a
// test file needs them (tools/tests/run.mjs). The modules for that take seconds to load.
import type { TestServers } from '../stores/servers.ts';

declare global {
  var tidegateTestServers: TestServers | undefined;
}

export default async function globalSetup(): Promise<void> {
  // Without it, Jest was started by other means, and everything may be needed.
  const needs = process.env.TEST_NEEDS?.split(' ');
  if (needs?.includes('servers') ?? true) await startServers();
}

async function startServers(): Promise<void> {
  const [{ TestServers }, { layOutTemplate }] = await Promise.all([
    import('../stores/servers.ts'),
    import('../stores/database-template.ts'),
  ]);
  const servers = await TestServers.start();
  globalThis.tidegateTestServers = servers;
  try {
    servers.publish(await layOutTemplate(servers));
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

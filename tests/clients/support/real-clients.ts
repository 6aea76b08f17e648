// A real installation for the program of a client. It starts once per file, and stops with it.
import { afterAll, beforeAll, test } from '@jest/globals';
import { runScenario } from './real-scenario.ts';
import { RelayHost } from './relay-host.ts';

export function testWithRealInstallation(client: (origin: string) => Promise<void>): void {
  let host: RelayHost;
  beforeAll(async () => {
    host = await RelayHost.start();
  });
  afterAll(() => host?.stop());

  test('a call, a wait and a stream while the relay and the gateway restart', () => runScenario(host, client));
}

// Jest's environment for Node, which fails a test for a rejection that nobody handles, save the one that the connector leaves
// behind (platform/database/connector-rejections.ts): tests end databases at every moment.
import { TestEnvironment } from 'jest-environment-node';
import { isBrokenConnect, toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';

// Also between two files, when Jest's own handlers are gone.
toleratesBrokenConnects(process);

interface TestEvent {
  readonly name: string;
  readonly error?: unknown;
  readonly promise?: Promise<unknown>;
}

export default class DatabaseTestEnvironment extends TestEnvironment {
  handleTestEvent({ name, error, promise }: TestEvent): void {
    // Once it is handled, Jest forgives it.
    if (name === 'error' && isBrokenConnect(error)) promise?.catch(() => undefined);
  }
}
